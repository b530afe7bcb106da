//! The request log.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use aws_sdk_dynamodb::types::AttributeValue;
use berth_local::Service;
use support::{noise, start};

#[tokio::test]
async fn operations_are_told_apart() {
    let stack = start().await;
    let (bucket, s3) = (&stack.bucket, &stack.s3);
    stack.put("a/b", "x").await;
    stack.get("a/b").await;
    assert!(!stack.exists("absent").await);
    s3.head_bucket().bucket(bucket).send().await.unwrap();
    s3.list_objects_v2().bucket(bucket).prefix("a/").send().await.unwrap();
    s3.copy_object().bucket(bucket).key("c").copy_source(format!("{bucket}/a/b")).send().await.unwrap();
    let upload = stack.begin("m").await;
    stack.part("m", &upload, 1, noise(1)).await;
    let copy = s3.upload_part_copy().bucket(bucket).key("m").upload_id(&upload).part_number(2);
    copy.copy_source(format!("{bucket}/a/b")).send().await.unwrap();
    s3.list_parts().bucket(bucket).key("m").upload_id(&upload).send().await.unwrap();
    s3.list_multipart_uploads().bucket(bucket).send().await.unwrap();
    support::complete(&stack, "m", &upload, &["\"x\"".to_owned()]).await.unwrap_err();
    s3.abort_multipart_upload().bucket(bucket).key("m").upload_id(&upload).send().await.unwrap();
    s3.delete_object().bucket(bucket).key("c").send().await.unwrap();
    let recorded: Vec<_> = stack.emulators.requests().into_iter().map(|r| (r.operation, r.status)).collect();
    let wanted = [
        ("PutObject", 200),
        ("GetObject", 200),
        ("HeadObject", 404),
        ("HeadBucket", 200),
        ("ListObjectsV2", 200),
        ("CopyObject", 200),
        ("CreateMultipartUpload", 200),
        ("UploadPart", 200),
        ("UploadPartCopy", 200),
        ("ListParts", 200),
        ("ListMultipartUploads", 200),
        ("CompleteMultipartUpload", 400),
        ("AbortMultipartUpload", 204),
        ("DeleteObject", 204),
    ];
    assert_eq!(recorded, wanted.map(|(operation, status)| (operation.to_owned(), Some(status))));
}

#[tokio::test]
async fn a_request_is_recorded_with_what_it_touched() {
    let stack = start().await;
    stack.put("a/b c", noise(1000)).await;
    stack.get("a/b c").await;
    let source = format!("{}/a%2Fb%20c", stack.bucket);
    stack.s3.copy_object().bucket(&stack.bucket).key("to").copy_source(source).send().await.unwrap();
    let requests = stack.emulators.requests();
    let [put, get, copy] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((put.sequence, put.service, put.method.as_str()), (0, Service::S3, "PUT"));
    assert_eq!((put.bucket.as_deref(), put.key.as_deref()), (Some(stack.bucket.as_str()), Some("a/b c")));
    assert_eq!((put.request_bytes, get.response_bytes), (1000, Some(1000)));
    assert_eq!(copy.source, Some(format!("{}/a/b c", stack.bucket)));
    assert_eq!(put.name(), "s3:PutObject");
    assert!(!put.presigned && put.fault.is_none() && put.tables.is_empty());
}

#[tokio::test]
async fn both_services_share_one_order_and_one_reset() {
    let stack = start().await;
    let key = || AttributeValue::S("k".to_owned());
    let get = stack.dynamodb.get_item().table_name(&stack.table).key("pk", key()).key("sk", key());
    get.clone().send().await.unwrap();
    stack.put("key", "x").await;
    get.send().await.unwrap();
    let names: Vec<_> = stack.emulators.requests().iter().map(berth_local::Recorded::name).collect();
    assert_eq!(names, ["dynamodb:GetItem", "s3:PutObject", "dynamodb:GetItem"]);
    assert_eq!(stack.emulators.requests()[0].tables, std::slice::from_ref(&stack.table));
    assert_eq!(stack.emulators.counts()["dynamodb:GetItem"], 2);
    assert_eq!(stack.emulators.s3().requests().len(), 1);
    assert_eq!(stack.emulators.dynamodb().requests().len(), 2);
    stack.emulators.reset();
    assert!(stack.emulators.requests().is_empty() && stack.emulators.counts().is_empty());
    stack.get("key").await;
    assert_eq!(stack.emulators.requests()[0].sequence, 0);
}
