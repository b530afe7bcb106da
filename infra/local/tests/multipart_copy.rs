//! UploadPartCopy, by the real SDK.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use support::{MIB, Stack, code, complete, noise, sha256, start};

async fn copied(stack: &Stack, upload: &str, number: i32, range: &str) -> String {
    let copy = stack.s3.upload_part_copy().bucket(&stack.bucket).key("to").upload_id(upload).part_number(number);
    let copy = copy.copy_source(format!("{}/from", stack.bucket)).copy_source_range(range).send().await.unwrap();
    copy.copy_part_result().unwrap().e_tag().unwrap().to_owned()
}

#[tokio::test]
async fn ranges_of_objects_become_parts() {
    let stack = start().await;
    let body = noise(12 * MIB);
    stack.put("from", body.clone()).await;
    let upload = stack.begin("to").await;
    let first = copied(&stack, &upload, 1, "bytes=1048576-6291455").await;
    let second = stack.part("to", &upload, 2, noise(5 * MIB)).await;
    let third = copied(&stack, &upload, 3, "bytes=0-9").await;
    stack.s3.delete_object().bucket(&stack.bucket).key("from").send().await.unwrap();
    complete(&stack, "to", &upload, &[first, second, third]).await.unwrap();
    let wanted = [&body[MIB..6 * MIB], &noise(5 * MIB), &body[..10]].concat();
    assert_eq!(stack.get("to").await, wanted);
}

#[tokio::test]
async fn a_whole_small_object_becomes_a_part_but_not_a_range_of_it() {
    let stack = start().await;
    stack.put("from", noise(100)).await;
    let upload = stack.begin("to").await;
    let copy = stack.s3.upload_part_copy().bucket(&stack.bucket).key("to").upload_id(&upload).part_number(1);
    let copy = copy.copy_source(format!("{}/from", stack.bucket));
    assert_eq!(code(copy.clone().copy_source_range("bytes=0-9").send().await), "InvalidRequest");
    let etag = copy.send().await.unwrap().copy_part_result().unwrap().e_tag().unwrap().to_owned();
    complete(&stack, "to", &upload, &[etag]).await.unwrap();
    assert_eq!(stack.get("to").await, noise(100));
}

#[tokio::test]
async fn ranges_must_lie_within_and_conditions_hold() {
    let stack = start().await;
    stack.put("from", noise(6 * MIB)).await;
    let upload = stack.begin("to").await;
    let copy = stack.s3.upload_part_copy().bucket(&stack.bucket).key("to").upload_id(&upload).part_number(1);
    let copy = copy.copy_source(format!("{}/from", stack.bucket));
    for range in ["bytes=0-6291456", "bytes=5-", "bytes=7-5", "0-5"] {
        assert_eq!(code(copy.clone().copy_source_range(range).send().await), "InvalidArgument", "{range}");
    }
    assert_eq!(code(copy.clone().copy_source_if_match("\"other\"").send().await), "PreconditionFailed");
    assert_eq!(code(copy.copy_source(format!("{}/absent", stack.bucket)).send().await), "NoSuchKey");
}

#[tokio::test]
async fn a_copied_part_has_the_checksum_of_its_upload() {
    let stack = start().await;
    stack.put("from", noise(6 * MIB)).await;
    let create = stack.s3.create_multipart_upload().bucket(&stack.bucket).key("to");
    let create = create.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    let copy = stack.s3.upload_part_copy().bucket(&stack.bucket).key("to").upload_id(create.upload_id().unwrap());
    let copy = copy.part_number(1).copy_source(format!("{}/from", stack.bucket)).copy_source_range("bytes=1-5000000");
    let copy = copy.send().await.unwrap();
    let wanted = sha256(&noise(6 * MIB)[1..=5_000_000]);
    assert_eq!(copy.copy_part_result().unwrap().checksum_sha256(), Some(wanted.as_str()));
}

#[tokio::test]
async fn one_copied_part_has_the_sha256_of_the_whole_content() {
    let stack = start().await;
    for length in [0, 1000, 6 * MIB] {
        let body = noise(length);
        stack.put("from", body.clone()).await;
        let create = stack.s3.create_multipart_upload().bucket(&stack.bucket).key("to");
        let create = create.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
        let upload = create.upload_id().unwrap();
        let copy = stack.s3.upload_part_copy().bucket(&stack.bucket).key("to").upload_id(upload).part_number(1);
        let copy = copy.copy_source(format!("{}/from", stack.bucket)).send().await.unwrap();
        let copied = copy.copy_part_result().unwrap();
        assert_eq!(copied.checksum_sha256(), Some(sha256(&body).as_str()), "{length}");
        let part = CompletedPart::builder().part_number(1).checksum_sha256(sha256(&body));
        let part = part.e_tag(copied.e_tag().unwrap()).build();
        let complete = stack.s3.complete_multipart_upload().bucket(&stack.bucket).key("to").upload_id(upload);
        let complete = complete.multipart_upload(CompletedMultipartUpload::builder().parts(part).build());
        complete.if_none_match("*").send().await.unwrap();
        assert_eq!(stack.get("to").await, body);
        stack.s3.delete_object().bucket(&stack.bucket).key("to").send().await.unwrap();
    }
}
