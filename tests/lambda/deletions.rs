//! What one instance deletes is gone for all of them.

use berth::digest::Digest;
use bytes::Bytes;
use http::StatusCode;

use crate::stack::{OCI_IMAGE, Stack, manifest};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deletion_counts_at_once_in_every_instance() {
    let stack = Stack::start(|function| function.instances(4).seed(5)).await;
    let http = stack.http();
    let config = Bytes::from("{\"to\":\"be deleted\"}");
    let blob = stack.push_blob("app", &config).await;
    let image = manifest(&config, &[]);
    let digest = Digest::canonical(&image);
    let (manifest, blob) = (format!("/v2/app/manifests/{digest}"), format!("/v2/app/blobs/{blob}"));
    let put = http.put(&format!("{manifest}?tag=one&tag=two"), &[OCI_IMAGE], image).await;
    assert_eq!(put.status, StatusCode::CREATED);
    assert_eq!(put.header("oci-tag"), "one, two", "Lambda's answers have one value for each name");

    // Often enough that each instance has seen both.
    for _ in 0..24 {
        assert_eq!(http.get(&manifest).await.status, StatusCode::OK);
        assert_eq!(http.head(&blob).await.status, StatusCode::TEMPORARY_REDIRECT);
    }
    for target in [&manifest, &blob] {
        assert_eq!(http.delete(target).await.status, StatusCode::ACCEPTED);
        for _ in 0..24 {
            assert_eq!(http.get(target).await.status, StatusCode::NOT_FOUND, "{target}");
        }
    }
    stack.function.settled().await;
    assert!(stack.function.instances().iter().all(|one| one.invocations > 0), "all were asked");
}
