//! The table is a cache: it may go, and it may be slow to answer, while images are pushed and pulled.

use berth_local::{Fault, Rule, Service};
use bytes::Bytes;
use http::StatusCode;

use crate::{
    image::noise,
    stack::{OCI_IMAGE, Stack, manifest, pull_blob},
};

/// Pushes an image that nobody has, pulls it, asks for all there is to ask, and deletes its tag.
async fn round(stack: &Stack, number: u64) {
    let http = stack.http();
    let layers = [noise(number, 200_000), noise(number + 1000, 10)];
    let config = Bytes::from(format!("{{\"number\":{number}}}"));
    let repository = format!("app{}", number % 3);
    for blob in layers.iter().chain([&config]) {
        let target = format!("/v2/{repository}/blobs/{}", berth::digest::Digest::canonical(blob));
        assert_eq!(http.head(&target).await.status, StatusCode::NOT_FOUND);
        stack.push_blob(&repository, blob).await;
        assert_eq!(http.head(&target).await.status, StatusCode::TEMPORARY_REDIRECT);
    }
    let image = manifest(&config, &layers);
    let tag = format!("/v2/{repository}/manifests/v{number}");
    assert_eq!(http.put(&tag, &[OCI_IMAGE], image.clone()).await.status, StatusCode::CREATED);
    assert_eq!(http.get(&tag).await.body, image);
    for blob in layers.iter().chain([&config]) {
        let pulled = pull_blob(&http, &repository, &berth::digest::Digest::canonical(blob)).await;
        assert!(pulled.body == *blob, "{number}");
    }
    assert_eq!(http.get(&format!("/v2/{repository}/tags/list")).await.status, StatusCode::OK);
    assert_eq!(http.get("/v2/_catalog").await.status, StatusCode::OK);
    assert_eq!(http.delete(&tag).await.status, StatusCode::ACCEPTED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_it_is_dropped_and_made_again() {
    let stack = Stack::start(|function| function.instances(4).seed(1)).await;
    for number in 0..12 {
        match number % 4 {
            1 => stack.emulators.dynamodb().drop_table().unwrap(),
            3 => stack.emulators.dynamodb().create_table().unwrap(),
            _ => {}
        }
        round(&stack, number).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_while_it_is_throttled() {
    let stack = Stack::start(|function| function.instances(4).seed(2)).await;
    for number in 0..12 {
        if number % 3 == 1 {
            stack.emulators.inject(Rule::new(Fault::Throttle).service(Service::DynamoDb));
        } else {
            stack.emulators.clear_faults();
        }
        round(&stack, number).await;
    }
    let throttled = stack.emulators.requests().iter().filter(|request| request.fault.is_some()).count();
    assert!(throttled > 0, "the table was asked, and refused");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_request_fails_for_s3_being_busy_now_and_then() {
    let stack = Stack::start(|function| function.instances(2).seed(3)).await;
    for number in 0..6 {
        for skip in 0..10 {
            stack
                .emulators
                .inject(Rule::new(Fault::Throttle).service(Service::S3).presigned(false).skip(skip * 3).times(1));
            stack
                .emulators
                .inject(Rule::new(Fault::InternalError).service(Service::S3).presigned(false).skip(skip * 5).times(1));
        }
        round(&stack, number).await;
        stack.emulators.clear_faults();
    }
}
