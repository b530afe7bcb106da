//! PutObject, by the real SDK.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::types::ChecksumAlgorithm;
use support::{MIB, code, noise, sha256, start};

#[tokio::test]
async fn small_and_large_bodies_come_back_as_they_were() {
    let stack = start().await;
    for (key, length) in [("empty", 0), ("small", 1000), ("large", 3 * MIB + 17)] {
        let body = noise(length);
        stack.put(key, body.clone()).await;
        assert_eq!(stack.get(key).await, body, "{key}");
    }
}

#[tokio::test]
async fn the_etag_is_the_md5_of_a_small_body() {
    let stack = start().await;
    assert_eq!(stack.put("key", "hello").await, "\"5d41402abc4b2a76b9719d911017c592\"");
}

#[tokio::test]
async fn the_etag_of_a_large_body_follows_from_its_content() {
    let stack = start().await;
    let one = stack.put("one", noise(MIB)).await;
    assert_eq!(one, stack.put("two", noise(MIB)).await);
    assert_ne!(one, stack.put("three", noise(MIB + 1)).await);
}

#[tokio::test]
async fn headers_and_metadata_are_kept() {
    let stack = start().await;
    let put = stack.s3.put_object().bucket(&stack.bucket).key("key").body(b"x".to_vec().into());
    let put = put.content_type("application/json").cache_control("no-store").metadata("digest", "sha256:00");
    put.send().await.unwrap();
    let head = stack.s3.head_object().bucket(&stack.bucket).key("key").send().await.unwrap();
    assert_eq!(head.content_type(), Some("application/json"));
    assert_eq!(head.cache_control(), Some("no-store"));
    assert_eq!(head.metadata().unwrap()["digest"], "sha256:00");
    assert_eq!(head.content_length(), Some(1));
}

#[tokio::test]
async fn a_wrong_sha256_is_refused_and_nothing_is_stored() {
    let stack = start().await;
    for (key, length) in [("small", 1000), ("large", 2 * MIB)] {
        let put = stack.s3.put_object().bucket(&stack.bucket).key(key).body(noise(length).into());
        let outcome = put.checksum_sha256(sha256(b"something else")).send().await;
        assert_eq!(code(outcome), "BadDigest");
        assert!(!stack.exists(key).await);
    }
}

#[tokio::test]
async fn a_refused_body_leaves_the_object_that_was_there() {
    let stack = start().await;
    stack.put("key", "before").await;
    let put = stack.s3.put_object().bucket(&stack.bucket).key("key").body(b"after".to_vec().into());
    assert_eq!(code(put.checksum_sha256(sha256(b"other")).send().await), "BadDigest");
    assert_eq!(stack.get("key").await, b"before");
    let stored = &stack.emulators.s3().objects()["key"];
    assert_eq!((stored.length, stored.etag.as_str()), (6, "2f44417567bc123bd7c60de8c2a2b444"));
}

#[tokio::test]
async fn a_right_sha256_is_kept_with_the_object() {
    let stack = start().await;
    for (key, length) in [("small", 1000), ("large", 2 * MIB)] {
        let body = noise(length);
        let put = stack.s3.put_object().bucket(&stack.bucket).key(key).body(body.clone().into());
        let output = put.checksum_sha256(sha256(&body)).send().await.unwrap();
        assert_eq!(output.checksum_sha256(), Some(sha256(&body).as_str()));
    }
}

#[tokio::test]
async fn a_checksum_that_is_none_is_an_invalid_request() {
    let stack = start().await;
    let put = stack.s3.put_object().bucket(&stack.bucket).key("key").body(b"x".to_vec().into());
    assert_eq!(code(put.checksum_sha256("c2hvcnQ=").send().await), "InvalidRequest");
}

#[tokio::test]
async fn a_wrong_content_md5_is_refused() {
    let stack = start().await;
    let put = stack.s3.put_object().bucket(&stack.bucket).key("key").body(b"x".to_vec().into());
    assert_eq!(code(put.content_md5("XUFAKrxLKna5cZ2REBfFkg==").send().await), "BadDigest");
    assert!(!stack.exists("key").await);
}

#[tokio::test]
async fn the_sdk_default_checksums_in_trailers_are_verified_and_kept() {
    let stack = start().await;
    let options = stack.emulators.options();
    let config = support::s3_config(&stack.emulators, &options.access_key, &options.secret_key);
    let config = config.request_checksum_calculation(RequestChecksumCalculation::WhenSupported).build();
    let client = aws_sdk_s3::Client::from_conf(config);
    let path = std::env::temp_dir().join(format!("berth-local-trailer-{}", std::process::id()));
    std::fs::write(&path, noise(2 * MIB)).unwrap();
    let body = aws_sdk_s3::primitives::ByteStream::from_path(&path).await.unwrap();
    let put = client.put_object().bucket(&stack.bucket).key("key").checksum_algorithm(ChecksumAlgorithm::Sha256);
    let output = put.body(body).send().await.unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(output.checksum_sha256(), Some(sha256(&noise(2 * MIB)).as_str()));
    assert_eq!(stack.get("key").await, noise(2 * MIB));
    let recorded = stack.emulators.requests().into_iter().find(|r| r.operation == "PutObject").unwrap();
    assert_eq!(recorded.request_bytes, 2 * MIB as u64);
}

#[tokio::test]
async fn without_a_checksum_of_the_client_s_crc64_is_kept() {
    let stack = start().await;
    stack.put("key", "x").await;
    let head = stack.s3.head_object().bucket(&stack.bucket).key("key");
    let head = head.checksum_mode(aws_sdk_s3::types::ChecksumMode::Enabled).send().await.unwrap();
    assert!(head.checksum_crc64_nvme().is_some());
}

#[tokio::test]
async fn if_none_match_keeps_the_first_of_two() {
    let stack = start().await;
    let put = |body: &'static str| {
        let put = stack.s3.put_object().bucket(&stack.bucket).key("key").if_none_match("*");
        put.body(body.as_bytes().to_vec().into()).send()
    };
    put("first").await.unwrap();
    assert_eq!(code(put("second").await), "PreconditionFailed");
    assert_eq!(stack.get("key").await, b"first");
}

#[tokio::test]
async fn if_none_match_lets_one_of_many_through() {
    let stack = start().await;
    let puts = (0..16).map(|i| {
        let put = stack.s3.put_object().bucket(&stack.bucket).key("key").if_none_match("*");
        tokio::spawn(put.body(vec![i; 300_000].into()).send())
    });
    let mut stored = 0;
    for put in puts.collect::<Vec<_>>() {
        match put.await.unwrap() {
            Ok(_) => stored += 1,
            refused => assert_eq!(code(refused), "PreconditionFailed"),
        }
    }
    assert_eq!(stored, 1);
}

#[tokio::test]
async fn if_match_wants_the_object_it_names() {
    let stack = start().await;
    let put = |etag: &str, body: &'static str| {
        let put = stack.s3.put_object().bucket(&stack.bucket).key("key").if_match(etag);
        put.body(body.as_bytes().to_vec().into()).send()
    };
    assert_eq!(code(put("\"none\"", "zero").await), "NoSuchKey");
    let first = stack.put("key", "first").await;
    put(&first, "second").await.unwrap();
    assert_eq!(code(put(&first, "third").await), "PreconditionFailed");
    assert_eq!(stack.get("key").await, b"second");
}

#[tokio::test]
async fn a_bucket_that_is_not_there_is_named_so() {
    let stack = start().await;
    let put = stack.s3.put_object().bucket("absent").key("key").body(b"x".to_vec().into());
    assert_eq!(code(put.send().await), "NoSuchBucket");
}
