//! One object of several.

use std::time::Duration;

use berth::driver::{DriverErrorKind, Path, PutOptions, StorageDriver as _, s3::Sizes};
use berth_local::{Fault, Rule};
use bytes::Bytes;

use crate::store::{MIB, Store, bytes, chunked, ctx, ctx_for, path, store, store_with};

/// Writes one file of each size; their paths and sizes, and their contents one after the other.
async fn sources(store: &Store, sizes: &[usize]) -> (Vec<(Path, u64)>, Bytes) {
    let whole = bytes(sizes.iter().sum());
    let mut at = 0;
    let mut sources = Vec::new();
    for (n, size) in sizes.iter().enumerate() {
        let name = format!("/source/{n}");
        store.put(&name, chunked(&whole.slice(at..at + size)), PutOptions::default()).await.unwrap();
        sources.push((path(&name), *size as u64));
        at += size;
    }
    store.asked();
    (sources, whole)
}

#[tokio::test]
async fn s3_does_the_work_where_it_can() {
    let small = Sizes { single: 11 * MIB as u64, copied_part: 10 * MIB as u64, ..Sizes::default() };
    let store = store_with(|config| config.sizes = small).await;
    let upload = "1 CompleteMultipartUpload, 1 CreateMultipartUpload";
    for (sizes, asked) in [
        (&[11][..], "1 CopyObject".to_owned()),
        (&[25], format!("{upload}, 3 UploadPartCopy")),
        (&[6, 25, 12], format!("{upload}, 6 UploadPartCopy")),
        (&[2, 3, 1], "3 GetObject, 1 PutObject".to_owned()),
        (&[4, 4, 4], format!("{upload}, 2 GetObject, 1 UploadPart, 1 UploadPartCopy")),
        (&[4, 12, 3], format!("{upload}, 2 GetObject, 1 UploadPart, 3 UploadPartCopy")),
        (&[0, 6, 0, 6], format!("{upload}, 2 HeadObject, 2 UploadPartCopy")),
    ] {
        let (sources, whole) = sources(&store, &sizes.iter().map(|size| size * MIB).collect::<Vec<_>>()).await;
        store.driver.compose(&ctx(), &sources, &path("/made")).await.unwrap();
        assert_eq!(store.asked(), asked, "{sizes:?}");
        assert!(store.content("/made").await.unwrap() == whole, "{sizes:?}");
        store.driver.delete(&ctx(), &[path("/made")]).await.unwrap();
    }
}

#[tokio::test]
async fn nothing_composes_to_nothing() {
    let store = store().await;
    store.driver.compose(&ctx(), &[], &path("/made")).await.unwrap();
    assert_eq!(store.content("/made").await.unwrap(), "");
    let (empty, _) = sources(&store, &[0]).await;
    store.driver.compose(&ctx(), &empty, &path("/made-too")).await.unwrap();
    assert_eq!(store.content("/made-too").await.unwrap(), "");
}

const MIXTURES: [&[usize]; 5] = [&[1], &[1, 1], &[6, 1], &[1, 11], &[0, 6, 6]];

#[tokio::test]
async fn what_exists_is_kept() {
    let store = store().await;
    store.put("/made", Bytes::from("first"), PutOptions::default()).await.unwrap();
    for sizes in MIXTURES {
        let (sources, _) = sources(&store, &sizes.iter().map(|size| size * MIB).collect::<Vec<_>>()).await;
        let error = store.driver.compose(&ctx(), &sources, &path("/made")).await.unwrap_err();
        assert_eq!(error.kind, DriverErrorKind::Precondition, "{sizes:?}: {error}");
    }
    assert_eq!(store.content("/made").await.unwrap(), "first");
    assert_eq!(store.emulator.uploads(), 0);
}

#[tokio::test]
async fn a_missing_source_is_named_and_nothing_is_made() {
    let store = store().await;
    for sizes in MIXTURES {
        let sizes = sizes.iter().map(|size| size * MIB).collect::<Vec<_>>();
        for missing in 0..sizes.len() {
            let (sources, _) = sources(&store, &sizes).await;
            store.driver.delete(&ctx(), &[sources[missing].0.clone()]).await.unwrap();
            let error = store.driver.compose(&ctx(), &sources, &path("/made")).await.unwrap_err();
            assert_eq!((error.kind, &error.path), (DriverErrorKind::NotFound, &sources[missing].0), "{error}");
            assert_eq!(store.driver.stat(&ctx(), &path("/made")).await.unwrap_err().kind, DriverErrorKind::NotFound);
            assert_eq!(store.emulator.uploads(), 0);
        }
    }
}

#[tokio::test]
async fn a_conflict_with_another_write_is_tried_again() {
    let store = store().await;
    let conflict = Fault::Error { status: 409, code: "ConditionalRequestConflict".to_owned() };
    for (sizes, operation) in [(&[1][..], "CopyObject"), (&[1, 1], "PutObject"), (&[6, 6], "CompleteMultipartUpload")] {
        let (sources, whole) = sources(&store, &sizes.iter().map(|size| size * MIB).collect::<Vec<_>>()).await;
        store.emulator.inject(Rule::new(conflict.clone()).operation(operation).times(1));
        store.driver.compose(&ctx(), &sources, &path("/made")).await.unwrap();
        assert!(store.content("/made").await.unwrap() == whole, "{operation}");
        store.driver.delete(&ctx(), &[path("/made")]).await.unwrap();
    }
    assert_eq!(store.emulator.uploads(), 0);
}

#[tokio::test]
async fn an_upload_that_runs_out_of_time_is_aborted() {
    let store = store().await;
    let (sources, _) = sources(&store, &[6 * MIB, 6 * MIB]).await;
    store.emulator.inject(Rule::new(Fault::Hang).operation("UploadPartCopy"));
    let error = store.driver.compose(&ctx_for(Duration::from_millis(200)), &sources, &path("/made")).await.unwrap_err();
    assert_eq!(error.kind, DriverErrorKind::Timeout, "{error}");
    crate::store::until(|| store.emulator.uploads() == 0).await;
}

#[tokio::test]
async fn keys_with_odd_characters_are_copied() {
    let store = store_with(|config| config.root = Some("a root/with +%é".to_owned())).await;
    let (sources, whole) = sources(&store, &[10]).await;
    store.driver.compose(&ctx(), &sources, &path("/made")).await.unwrap();
    assert_eq!(store.content("/made").await.unwrap(), whole);
    assert_eq!(store.driver.list(&ctx(), &path("/source")).await.unwrap().len(), 1);
}
