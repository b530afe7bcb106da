//! Stores that do not implement `If-None-Match`, as the guide of the regions in China says of copies.

use std::time::{Duration, Instant};

use berth::{
    digest::Digest,
    driver::{DirectStore as _, DriverErrorKind, PutOptions, StorageDriver as _, VerifiedCopy},
};
use berth_local::{Fault, Rule};
use bytes::Bytes;

use crate::store::{CREATE, MIB, Store, announced, bytes, ctx, path, store, store_with};

fn refuse(store: &Store, operation: &str) {
    let fault = Fault::Error { status: 501, code: "NotImplemented".to_owned() };
    store.emulator.inject(Rule::new(fault).operation(operation).times(1));
}

async fn compose(store: &Store, size: usize, to: &str) -> Result<(), DriverErrorKind> {
    let composed = store.driver.compose(&ctx(), &[(path("/from"), size as u64)], &path(to)).await;
    composed.map_err(|error| error.kind)
}

#[tokio::test]
async fn a_copy_asks_by_head_and_remembers_to() {
    let store = store().await;
    let content = bytes(MIB);
    store.put("/from", content.clone(), Default::default()).await.unwrap();
    store.asked();
    refuse(&store, "CopyObject");
    assert_eq!(compose(&store, MIB, "/to").await, Ok(()));
    assert_eq!(store.asked(), "2 CopyObject, 1 HeadObject");
    assert!(store.content("/to").await.unwrap() == content);
    store.asked();
    assert_eq!(compose(&store, MIB, "/to").await, Err(DriverErrorKind::Precondition));
    assert_eq!(store.asked(), "1 HeadObject", "the refused request is spared");
    assert_eq!(compose(&store, MIB, "/another").await, Ok(()));
    assert_eq!(store.asked(), "1 CopyObject, 1 HeadObject");
}

/// Such a write could come to be late, and replace what was verified since: it is made once.
#[tokio::test]
async fn a_copy_without_its_condition_is_not_repeated_after_a_lost_answer() {
    let store = store().await;
    let size = MIB as u64;
    store.put("/from", bytes(MIB), Default::default()).await.unwrap();
    let (from, to) = (path("/from"), path("/to"));
    let copy = async || {
        let until = Instant::now() + Duration::from_secs(60);
        store.driver.copy_at_once(&ctx(), (&from, size), None, &to, until).await.map_err(|error| error.kind)
    };
    refuse(&store, "CopyObject");
    assert!(copy().await.unwrap().is_some());
    store.driver.delete(&ctx(), &[to.clone()]).await.unwrap();
    store.asked();
    store.emulator.inject(Rule::new(Fault::LoseAnswer).operation("CopyObject").times(1));
    assert_eq!(copy().await, Err(DriverErrorKind::Failed));
    assert_eq!(store.asked(), "1 CopyObject, 1 HeadObject");
    // A refusal for the rate leaves no doubt.
    store.driver.delete(&ctx(), &[to.clone()]).await.unwrap();
    store.asked();
    store.emulator.inject(Rule::new(Fault::Throttle).operation("CopyObject").times(1));
    assert!(copy().await.unwrap().is_some());
    assert_eq!(store.asked(), "2 CopyObject, 1 HeadObject");
}

#[tokio::test]
async fn completions_do_likewise() {
    let store = store_with(|config| (config.sizes.single, config.sizes.copied_part) = (0, 0)).await;
    let content = bytes(11 * MIB);
    let digest = Digest::canonical(&content);
    store.put("/from", content.clone(), Default::default()).await.unwrap();
    refuse(&store, "CompleteMultipartUpload");
    assert_eq!(compose(&store, content.len(), "/to").await, Ok(()));
    assert!(store.content("/to").await.unwrap() == content);
    store.asked();
    assert_eq!(compose(&store, content.len(), "/to").await, Err(DriverErrorKind::Precondition));
    let asked = store.asked();
    assert!(asked.contains("1 HeadObject") && !asked.contains("CompleteMultipartUpload"), "{asked}");
    let until = || Instant::now() + Duration::from_secs(60);
    let (from, at) = (path("/from"), path("/verified"));
    let copied = store.driver.copy_verified(&ctx(), (&from, None), &at, &digest, until()).await;
    assert_eq!(copied.unwrap(), VerifiedCopy::Stored);
    let again = store.driver.copy_verified(&ctx(), (&from, None), &at, &digest, until()).await;
    assert_eq!(again.unwrap_err().kind, DriverErrorKind::Precondition);
    assert!(store.content("/verified").await.unwrap() == content);
    assert_eq!(store.emulator.uploads(), 0);
}

#[tokio::test]
async fn content_with_a_checksum_is_put_without_the_condition_and_what_has_none_never_is() {
    let small = bytes(MIB);
    let large = bytes(9 * MIB);
    for content in [&small, &large] {
        let store = store().await;
        let options = PutOptions { create_only: true, checksum: Some(Digest::canonical(content)) };
        refuse(&store, "PutObject");
        let first = store.put("/x", announced(content), options).await;
        // The beginning of a large one may be gone; whoever sends it comes again.
        if first.is_err() {
            assert!(content.len() > 8 * MIB);
            store.put("/x", announced(content), options).await.unwrap();
        }
        assert!(store.content("/x").await.unwrap() == *content);
        store.asked();
        let again = store.put("/x", announced(content), options).await.unwrap_err();
        assert_eq!((again.kind, store.asked().as_str()), (DriverErrorKind::Precondition, "1 HeadObject"));
        let wrong = PutOptions { create_only: true, checksum: Some(Digest::canonical(b"other")) };
        let wrong = store.put("/x", announced(content), wrong).await.unwrap_err();
        assert_eq!(wrong.kind, DriverErrorKind::Checksum, "the content's own fault comes first");

        // Two writers of one record have different content, and only the condition tells them apart.
        refuse(&store, "PutObject");
        let error = store.put("/record", Bytes::from("content"), CREATE).await.unwrap_err();
        assert!(error.message.contains("does not implement") && error.kind == DriverErrorKind::Failed, "{error}");
        assert!(store.content("/record").await.unwrap_err().is_not_found());
        store.put("/record", Bytes::from("content"), CREATE).await.unwrap();
        assert_eq!(
            store.put("/record", Bytes::from("another"), CREATE).await.unwrap_err().kind,
            DriverErrorKind::Precondition
        );
    }
}
