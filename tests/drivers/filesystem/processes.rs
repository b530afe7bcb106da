//! Two drivers on one folder, as two servers would have.

use berth::driver::PutOptions;
use bytes::Bytes;

use super::Folder;
use crate::{
    content::{KIB, bytes},
    store::{CREATE, assert_kind, ctx, path},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writers_of_two_processes_do_no_harm() {
    let folder = Folder::new();
    let tags = [bytes(1, 71), bytes(2, 71)];
    let blob = bytes(3, 300 * KIB);
    let writers = (0..4).map(|number| {
        let driver = if number % 2 == 0 { &folder.store.driver } else { &folder.store.other }.clone();
        let (tags, blob) = (tags.clone(), blob.clone());
        tokio::spawn(async move {
            let mut created = 0;
            for round in 0..20 {
                // All move the same tag, and bring the same blob, and something of their own.
                let tag = tags[number % 2].clone();
                let at = path("/repositories/a/tags/latest/link");
                driver.put(&ctx(), &at, tag.into(), PutOptions::default()).await.unwrap();
                assert!(tags.contains(&driver.get(&ctx(), &at, 100).await.unwrap()));
                let at = path(&format!("/blobs/{round}/data"));
                match driver.put(&ctx(), &at, blob.clone().into(), CREATE).await {
                    Ok(_) => created += 1,
                    lost => assert_kind(lost, berth::driver::DriverErrorKind::Precondition),
                }
                assert_eq!(driver.get(&ctx(), &at, u64::MAX).await.unwrap(), blob);
                let at = path(&format!("/repositories/a/layers/{number}-{round}/link"));
                driver.put(&ctx(), &at, Bytes::from("link").into(), PutOptions::default()).await.unwrap();
            }
            created
        })
    });
    let mut created = 0;
    for writer in writers.collect::<Vec<_>>() {
        created += writer.await.unwrap();
    }
    assert_eq!(created, 20, "each blob was created once");
    assert_eq!(folder.store.list("/repositories/a/layers").await.unwrap().len(), 80);
    assert_eq!(folder.store.list("/blobs").await.unwrap().len(), 20);
    assert_eq!(folder.temporary(), [""; 0]);
}
