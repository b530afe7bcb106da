//! CopyObject, by the real SDK.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, MetadataDirective};
use berth_local::{Limits, Options};
use support::{MIB, code, noise, sha256, start, start_with};

#[tokio::test]
async fn a_copy_has_the_bytes_type_and_metadata_of_its_source() {
    let stack = start().await;
    let put = stack.s3.put_object().bucket(&stack.bucket).key("from").body(noise(MIB).into());
    put.content_type("text/plain").metadata("name", "value").send().await.unwrap();
    let copy = stack.s3.copy_object().bucket(&stack.bucket).key("to").copy_source(format!("{}/from", stack.bucket));
    copy.send().await.unwrap();
    stack.s3.delete_object().bucket(&stack.bucket).key("from").send().await.unwrap();
    assert_eq!(stack.get("to").await, noise(MIB));
    let head = stack.s3.head_object().bucket(&stack.bucket).key("to").send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/plain"));
    assert_eq!(head.metadata().unwrap()["name"], "value");
}

#[tokio::test]
async fn asked_for_sha256_a_copy_of_any_object_has_it_whole() {
    let stack = start().await;
    let upload = stack.begin("parts").await;
    let (one, two) = (noise(5 * MIB), noise(1000));
    let etags =
        [stack.part("parts", &upload, 1, one.clone()).await, stack.part("parts", &upload, 2, two.clone()).await];
    support::complete(&stack, "parts", &upload, &etags).await.unwrap();
    stack.put("plain", noise(MIB)).await;
    for (from, body) in [("plain", noise(MIB)), ("parts", [one, two].concat())] {
        let copy =
            stack.s3.copy_object().bucket(&stack.bucket).key("to").copy_source(format!("{}/{from}", stack.bucket));
        let copy = copy.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
        let result = copy.copy_object_result().unwrap();
        assert_eq!(result.checksum_sha256(), Some(sha256(&body).as_str()), "{from}");
        assert!(!result.e_tag().unwrap().contains('-'), "a copy is one object");
        let head = stack.s3.head_object().bucket(&stack.bucket).key("to").checksum_mode(ChecksumMode::Enabled);
        let head = head.send().await.unwrap();
        assert_eq!(head.checksum_sha256(), Some(sha256(&body).as_str()));
        assert_eq!(head.checksum_type().unwrap().as_str(), "FULL_OBJECT");
        assert_eq!(stack.get("to").await, body);
    }
}

#[tokio::test]
async fn if_none_match_keeps_what_is_there() {
    let stack = start().await;
    stack.put("from", "new").await;
    stack.put("to", "old").await;
    let copy = |key: &str| {
        let source = format!("{}/from", stack.bucket);
        stack.s3.copy_object().bucket(&stack.bucket).key(key).copy_source(source).if_none_match("*").send()
    };
    assert_eq!(code(copy("to").await), "PreconditionFailed");
    assert_eq!(stack.get("to").await, b"old");
    copy("elsewhere").await.unwrap();
    assert_eq!(stack.get("elsewhere").await, b"new");
}

#[tokio::test]
async fn if_none_match_may_be_not_implemented() {
    let stack = start_with(Options { conditional_copies: false, ..Options::default() }).await;
    stack.put("from", "new").await;
    let source = format!("{}/from", stack.bucket);
    let copy = stack.s3.copy_object().bucket(&stack.bucket).key("to").copy_source(source);
    let refused = copy.clone().if_none_match("*").send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 501);
    assert_eq!(code::<(), _, _>(Err(refused)), "NotImplemented");
    assert!(!stack.exists("to").await);
    copy.send().await.unwrap();
    let put = stack.s3.put_object().bucket(&stack.bucket).key("put").if_none_match("*");
    put.send().await.unwrap();
}

#[tokio::test]
async fn a_condition_on_the_source_holds() {
    let stack = start().await;
    let etag = stack.put("from", "x").await;
    let copy = |etag: &str| {
        let source = format!("{}/from", stack.bucket);
        stack.s3.copy_object().bucket(&stack.bucket).key("to").copy_source(source).copy_source_if_match(etag).send()
    };
    assert_eq!(code(copy("\"other\"").await), "PreconditionFailed");
    assert!(!stack.exists("to").await);
    copy(&etag).await.unwrap();
}

#[tokio::test]
async fn a_source_that_is_not_there_is_named_so() {
    let stack = start().await;
    let copy = |source: String| stack.s3.copy_object().bucket(&stack.bucket).key("to").copy_source(source).send();
    assert_eq!(code(copy(format!("{}/absent", stack.bucket)).await), "NoSuchKey");
    assert_eq!(code(copy("absent/key".to_owned()).await), "NoSuchBucket");
}

#[tokio::test]
async fn a_source_beyond_the_limit_is_refused() {
    let limits = Limits { copy: 1000, ..Limits::default() };
    let stack = start_with(Options { limits, ..Options::default() }).await;
    stack.put("from", noise(1001)).await;
    let copy = stack.s3.copy_object().bucket(&stack.bucket).key("to").copy_source(format!("{}/from", stack.bucket));
    assert_eq!(code(copy.send().await), "InvalidRequest");
    assert_eq!(Limits::default().copy, 5 * 1024 * 1024 * 1024);
}

#[tokio::test]
async fn onto_itself_only_with_other_metadata() {
    let stack = start().await;
    stack.put("key", "x").await;
    let copy = stack.s3.copy_object().bucket(&stack.bucket).key("key").copy_source(format!("{}/key", stack.bucket));
    assert_eq!(code(copy.clone().send().await), "InvalidRequest");
    copy.metadata_directive(MetadataDirective::Replace).content_type("a/b").send().await.unwrap();
    let head = stack.s3.head_object().bucket(&stack.bucket).key("key").send().await.unwrap();
    assert_eq!(head.content_type(), Some("a/b"));
}
