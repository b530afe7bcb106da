//! GetObject and HeadObject, by the real SDK.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::ChecksumMode;
use std::time::{Duration, SystemTime};
use support::{MIB, code, noise, sha256, start};

#[tokio::test]
async fn ranges_are_exact_across_reads() {
    let stack = start().await;
    let body = noise(3 * MIB);
    stack.put("key", body.clone()).await;
    for (range, from, to) in [
        ("bytes=0-0", 0, 1),
        ("bytes=5-1500000", 5, 1_500_001),
        ("bytes=524287-524288", 524_287, 524_289),
        ("bytes=3145727-", 3_145_727, 3_145_728),
        ("bytes=100-99999999", 100, 3_145_728),
        ("bytes=-10", 3_145_718, 3_145_728),
    ] {
        let get = stack.s3.get_object().bucket(&stack.bucket).key("key").range(range).send().await.unwrap();
        assert_eq!(get.content_range(), Some(format!("bytes {from}-{}/3145728", to - 1).as_str()));
        assert_eq!(get.content_length(), Some((to - from) as i64));
        assert_eq!(get.body.collect().await.unwrap().to_vec(), body[from..to], "{range}");
    }
}

#[tokio::test]
async fn a_range_behind_the_end_is_refused() {
    let stack = start().await;
    stack.put("key", "ten bytes.").await;
    let get = stack.s3.get_object().bucket(&stack.bucket).key("key").range("bytes=10-");
    let error = get.send().await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 416);
    assert_eq!(code(Err::<(), _>(error)), "InvalidRange");
}

#[tokio::test]
async fn a_key_that_is_not_there_is_named_so() {
    let stack = start().await;
    let get = stack.s3.get_object().bucket(&stack.bucket).key("key").send().await.unwrap_err();
    assert!(get.into_service_error().is_no_such_key());
    let head = stack.s3.head_object().bucket(&stack.bucket).key("key").send().await.unwrap_err();
    assert!(head.into_service_error().is_not_found());
    assert_eq!(code(stack.s3.get_object().bucket("absent").key("key").send().await), "NoSuchBucket");
}

#[tokio::test]
async fn conditions_on_the_etag_hold() {
    let stack = start().await;
    let etag = stack.put("key", "x").await;
    let get = || stack.s3.get_object().bucket(&stack.bucket).key("key");
    get().if_match(&etag).send().await.unwrap();
    get().if_none_match("\"other\"").send().await.unwrap();
    assert_eq!(code(get().if_match("\"other\"").send().await), "PreconditionFailed");
    let unchanged = get().if_none_match(&etag).send().await.unwrap_err();
    assert_eq!(unchanged.raw_response().unwrap().status().as_u16(), 304);
    assert_eq!(unchanged.raw_response().unwrap().headers().get("etag"), Some(etag.as_str()));
}

#[tokio::test]
async fn conditions_on_the_date_hold() {
    let stack = start().await;
    stack.put("key", "x").await;
    let hour = Duration::from_secs(3600);
    let (before, after) = (DateTime::from(SystemTime::now() - hour), DateTime::from(SystemTime::now() + hour));
    let head = || stack.s3.head_object().bucket(&stack.bucket).key("key");
    head().if_modified_since(before).send().await.unwrap();
    head().if_unmodified_since(after).send().await.unwrap();
    let status = |error: aws_sdk_s3::error::SdkError<_>| error.raw_response().unwrap().status().as_u16();
    assert_eq!(status(head().if_modified_since(after).send().await.unwrap_err()), 304);
    assert_eq!(status(head().if_unmodified_since(before).send().await.unwrap_err()), 412);
}

#[tokio::test]
async fn the_checksum_is_shown_when_asked_for_and_whole() {
    let stack = start().await;
    let put = stack.s3.put_object().bucket(&stack.bucket).key("key").body(b"hello".to_vec().into());
    put.checksum_sha256(sha256(b"hello")).send().await.unwrap();
    let head = || stack.s3.head_object().bucket(&stack.bucket).key("key");
    let asked = head().checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(asked.checksum_sha256(), Some(sha256(b"hello").as_str()));
    assert_eq!(asked.checksum_type().unwrap().as_str(), "FULL_OBJECT");
    assert_eq!(head().send().await.unwrap().checksum_sha256(), None);
    let get = stack.s3.get_object().bucket(&stack.bucket).key("key").checksum_mode(ChecksumMode::Enabled);
    assert_eq!(get.clone().send().await.unwrap().checksum_sha256(), Some(sha256(b"hello").as_str()));
    assert_eq!(get.range("bytes=0-1").send().await.unwrap().checksum_sha256(), None);
}

#[tokio::test]
async fn an_object_without_a_type_is_octets() {
    let stack = start().await;
    stack.s3.put_object().bucket(&stack.bucket).key("key").body(b"x".to_vec().into()).send().await.unwrap();
    let head = stack.s3.head_object().bucket(&stack.bucket).key("key").send().await.unwrap();
    assert!(head.content_type().unwrap().ends_with("/octet-stream"));
    assert_eq!(head.accept_ranges(), Some("bytes"));
}

#[tokio::test]
async fn an_object_replaced_while_it_is_read_is_read_to_its_end() {
    let stack = start().await;
    stack.put("key", noise(4 * MIB)).await;
    let mut get = stack.s3.get_object().bucket(&stack.bucket).key("key").send().await.unwrap();
    let first = get.body.next().await.unwrap().unwrap();
    stack.put("key", "other").await;
    let mut whole = first.to_vec();
    whole.extend(get.body.collect().await.unwrap().to_vec());
    assert_eq!(whole, noise(4 * MIB));
}
