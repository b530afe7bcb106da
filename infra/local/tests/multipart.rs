//! Multipart uploads, by the real SDK.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, CompletedMultipartUpload, CompletedPart};
use base64::Engine as _;
use berth_local::Options;
use support::{MIB, code, complete, noise, sha256, start, start_with};

#[tokio::test]
async fn parts_become_one_object_in_their_order() {
    let stack = start().await;
    let upload = stack.begin("key").await;
    let (one, two, three) = (noise(5 * MIB), noise(6 * MIB), noise(10));
    let third = stack.part("key", &upload, 9, three.clone()).await;
    let first = stack.part("key", &upload, 1, one.clone()).await;
    stack.part("key", &upload, 2, noise(1)).await;
    let second = stack.part("key", &upload, 2, two.clone()).await;
    assert!(!stack.exists("key").await, "not before it is complete");
    let parts = [(1, first), (2, second), (9, third)].map(|(number, etag)| part(number, &etag));
    let output = finish(&stack, &upload, parts.to_vec()).await.unwrap();
    assert!(output.e_tag().unwrap().ends_with("-3\""));
    let body = [one, two, three].concat();
    assert_eq!(stack.get("key").await, body);
    let range = stack.s3.get_object().bucket(&stack.bucket).key("key").range("bytes=5242870-5242890").send().await;
    assert_eq!(range.unwrap().body.collect().await.unwrap().to_vec(), body[5_242_870..=5_242_890]);
    assert_eq!(stack.emulators.s3().uploads(), 0);
}

#[tokio::test]
async fn a_small_part_may_only_be_the_last() {
    let stack = start().await;
    let upload = stack.begin("key").await;
    let first = stack.part("key", &upload, 1, noise(5 * MIB - 1)).await;
    let second = stack.part("key", &upload, 2, noise(1)).await;
    let outcome = complete(&stack, "key", &upload, &[first.clone(), second]).await;
    assert_eq!(code(outcome), "EntityTooSmall");
    complete(&stack, "key", &upload, &[first]).await.unwrap();
}

#[tokio::test]
async fn parts_must_ascend_and_be_those_that_were_uploaded() {
    let stack = start().await;
    let upload = stack.begin("key").await;
    let etag = stack.part("key", &upload, 1, noise(10)).await;
    let twice = vec![part(1, &etag), part(1, &etag)];
    assert_eq!(code(finish(&stack, &upload, twice).await), "InvalidPartOrder");
    assert_eq!(code(finish(&stack, &upload, vec![part(1, "\"other\"")]).await), "InvalidPart");
    assert_eq!(code(finish(&stack, &upload, vec![part(2, &etag)]).await), "InvalidPart");
    assert_eq!(code(finish(&stack, &upload, vec![]).await), "MalformedXML");
    finish(&stack, &upload, vec![part(1, &etag)]).await.unwrap();
}

#[tokio::test]
async fn if_none_match_is_asked_when_it_completes() {
    let stack = start().await;
    let upload = stack.begin("key").await;
    let etag = stack.part("key", &upload, 1, noise(10)).await;
    stack.put("key", "first").await;
    let parts = CompletedMultipartUpload::builder().parts(part(1, &etag)).build();
    let complete = stack.s3.complete_multipart_upload().bucket(&stack.bucket).key("key").upload_id(&upload);
    let complete = complete.multipart_upload(parts).if_none_match("*");
    assert_eq!(code(complete.clone().send().await), "PreconditionFailed");
    assert_eq!(stack.get("key").await, b"first");
    stack.s3.delete_object().bucket(&stack.bucket).key("key").send().await.unwrap();
    complete.send().await.unwrap();
    assert_eq!(stack.get("key").await, noise(10));
}

#[tokio::test]
async fn if_none_match_may_be_not_implemented_when_it_completes() {
    let stack = start_with(Options { conditional_copies: false, ..Options::default() }).await;
    let upload = stack.begin("key").await;
    let etag = stack.part("key", &upload, 1, noise(10)).await;
    let part = CompletedPart::builder().part_number(1).e_tag(&etag).build();
    let complete = stack.s3.complete_multipart_upload().bucket(&stack.bucket).key("key").upload_id(&upload);
    let complete = complete.multipart_upload(CompletedMultipartUpload::builder().parts(part).build());
    let refused = complete.if_none_match("*").send().await.unwrap_err();
    assert_eq!(refused.raw_response().unwrap().status().as_u16(), 501);
    assert!(!stack.exists("key").await);
    support::complete(&stack, "key", &upload, &[etag]).await.unwrap();
    assert_eq!(stack.get("key").await, noise(10));
}

#[tokio::test]
async fn an_upload_that_ended_is_not_there() {
    let stack = start().await;
    let (aborted, completed) = (stack.begin("key").await, stack.begin("key").await);
    let abort = |id: &str| stack.s3.abort_multipart_upload().bucket(&stack.bucket).key("key").upload_id(id).send();
    abort(&aborted).await.unwrap();
    let etag = stack.part("key", &completed, 1, noise(10)).await;
    complete(&stack, "key", &completed, std::slice::from_ref(&etag)).await.unwrap();
    for id in [&aborted, &completed, &"never".to_owned()] {
        assert_eq!(code(abort(id).await), "NoSuchUpload");
        assert_eq!(code(complete(&stack, "key", id, std::slice::from_ref(&etag)).await), "NoSuchUpload");
        let put = stack.s3.upload_part().bucket(&stack.bucket).key("key").upload_id(id).part_number(1);
        assert_eq!(code(put.body(b"x".to_vec().into()).send().await), "NoSuchUpload");
        let list = stack.s3.list_parts().bucket(&stack.bucket).key("key").upload_id(id).send().await;
        assert_eq!(code(list), "NoSuchUpload");
    }
}

#[tokio::test]
async fn sha256_of_an_upload_is_composite() {
    let stack = start().await;
    let create = stack.s3.create_multipart_upload().bucket(&stack.bucket).key("key");
    let create = create.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    let upload = create.upload_id().unwrap();
    let mut parts = Vec::new();
    for (number, body) in [(1, noise(5 * MIB)), (2, noise(3))] {
        let put = stack.s3.upload_part().bucket(&stack.bucket).key("key").upload_id(upload).part_number(number);
        let put = put.checksum_sha256(sha256(&body)).body(body.clone().into()).send().await.unwrap();
        let part = CompletedPart::builder().part_number(number).e_tag(put.e_tag().unwrap());
        parts.push(part.checksum_sha256(sha256(&body)).build());
    }
    let bare = parts.iter().map(|p| part(p.part_number().unwrap(), p.e_tag().unwrap())).collect();
    assert_eq!(code(finish(&stack, upload, bare).await), "InvalidRequest", "each part's checksum is wanted");
    let output = finish(&stack, upload, parts).await.unwrap();
    let decode = |sum: String| base64::engine::general_purpose::STANDARD.decode(sum).unwrap();
    let sums = [decode(sha256(&noise(5 * MIB))), decode(sha256(&noise(3)))].concat();
    let composite = format!("{}-2", sha256(&sums));
    assert_eq!(output.checksum_sha256(), Some(composite.as_str()));
    let head = stack.s3.head_object().bucket(&stack.bucket).key("key").checksum_mode(ChecksumMode::Enabled);
    let head = head.send().await.unwrap();
    assert_eq!(head.checksum_sha256(), Some(composite.as_str()));
    assert_eq!(head.checksum_type().unwrap().as_str(), "COMPOSITE");
}

#[tokio::test]
async fn a_part_with_a_wrong_checksum_is_not_stored() {
    let stack = start().await;
    let create = stack.s3.create_multipart_upload().bucket(&stack.bucket).key("key");
    let create = create.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    let put = stack.s3.upload_part().bucket(&stack.bucket).key("key").upload_id(create.upload_id().unwrap());
    let put = put.part_number(1).checksum_sha256(sha256(b"other")).body(b"x".to_vec().into());
    assert_eq!(code(put.send().await), "BadDigest");
    let list = stack.s3.list_parts().bucket(&stack.bucket).key("key").upload_id(create.upload_id().unwrap());
    assert!(list.send().await.unwrap().parts().is_empty());
}

#[tokio::test]
async fn a_checksum_that_the_upload_was_not_begun_with_is_refused() {
    let stack = start().await;
    let upload = stack.begin("key").await;
    let put = stack.s3.upload_part().bucket(&stack.bucket).key("key").upload_id(&upload).part_number(1);
    let put = put.checksum_sha256(sha256(b"x")).body(b"x".to_vec().into());
    assert_eq!(code(put.send().await), "InvalidRequest");
}

#[tokio::test]
async fn the_checksum_that_the_upload_was_begun_with_is_wanted() {
    let stack = start().await;
    let create = stack.s3.create_multipart_upload().bucket(&stack.bucket).key("key");
    let create = create.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    let put = stack.s3.upload_part().bucket(&stack.bucket).key("key").upload_id(create.upload_id().unwrap());
    assert_eq!(code(put.part_number(1).body(b"x".to_vec().into()).send().await), "InvalidRequest");
}

#[tokio::test]
async fn part_numbers_are_bounded() {
    let stack = start().await;
    let upload = stack.begin("key").await;
    for number in [0, 10_001] {
        let put = stack.s3.upload_part().bucket(&stack.bucket).key("key").upload_id(&upload).part_number(number);
        assert_eq!(code(put.body(b"x".to_vec().into()).send().await), "InvalidArgument");
    }
}

fn part(number: i32, etag: &str) -> CompletedPart {
    CompletedPart::builder().part_number(number).e_tag(etag).build()
}

async fn finish(
    stack: &support::Stack,
    upload: &str,
    parts: Vec<CompletedPart>,
) -> Result<
    aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput,
    aws_sdk_s3::error::SdkError<aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadError>,
> {
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = stack.s3.complete_multipart_upload().bucket(&stack.bucket).key("key").upload_id(upload);
    complete.multipart_upload(parts).send().await
}
