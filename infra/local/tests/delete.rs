//! DeleteObject and DeleteObjects, by the real SDK.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use support::{code, start};

#[tokio::test]
async fn a_deleted_object_is_gone_and_deleting_it_again_succeeds() {
    let stack = start().await;
    stack.put("key", "x").await;
    for _ in 0..2 {
        stack.s3.delete_object().bucket(&stack.bucket).key("key").send().await.unwrap();
        assert!(!stack.exists("key").await);
    }
}

#[tokio::test]
async fn if_match_protects_a_newer_object() {
    let stack = start().await;
    let old = stack.put("key", "old").await;
    let new = stack.put("key", "new").await;
    let delete = |etag: &str| stack.s3.delete_object().bucket(&stack.bucket).key("key").if_match(etag).send();
    assert_eq!(code(delete(&old).await), "PreconditionFailed");
    assert!(stack.exists("key").await);
    delete(&new).await.unwrap();
    assert!(!stack.exists("key").await);
    assert_eq!(code(delete("*").await), "NoSuchKey");
}

#[tokio::test]
async fn many_are_deleted_at_once() {
    let stack = start().await;
    for key in ["a", "b", "c"] {
        stack.put(key, key).await;
    }
    let wanted = |key: &str| ObjectIdentifier::builder().key(key).build().unwrap();
    let delete = Delete::builder().objects(wanted("a")).objects(wanted("c")).objects(wanted("absent"));
    let delete = delete.build().unwrap();
    let output = stack.s3.delete_objects().bucket(&stack.bucket).delete(delete).send().await.unwrap();
    assert_eq!(output.deleted().iter().filter_map(|deleted| deleted.key()).collect::<Vec<_>>(), ["a", "c", "absent"]);
    assert!(output.errors().is_empty());
    assert!(!stack.exists("a").await && stack.exists("b").await && !stack.exists("c").await);
}

#[tokio::test]
async fn the_file_of_a_deleted_object_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let options = berth_local::Options { folder: Some(folder.path().to_owned()), ..Default::default() };
    let stack = support::start_with(options).await;
    stack.put("key", support::noise(support::MIB)).await;
    assert_eq!(support::files(folder.path()), 1);
    stack.s3.delete_object().bucket(&stack.bucket).key("key").send().await.unwrap();
    assert_eq!(support::files(folder.path()), 0);
    drop(stack);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "the emulator's own folder is removed with it");
}
