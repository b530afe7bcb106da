//! Least privilege: the template's roles allow what the registry asks of AWS, and nothing that it does not.

use berth::digest::{Algorithm, Digest, Hasher};
use berth_local::{Fault, Rule};
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::{
    direct::{announce, in_parts, push},
    image::noise,
    maintenance::abandoned,
    stack::{OCI_IMAGE, Shared, Stack, described, manifest, names, pull_blob},
};

/// An upload in pieces, which S3 puts together. Returns the answer to its end.
async fn in_pieces(stack: &Stack, blob: &Bytes, digest: &Digest) -> StatusCode {
    let http = stack.http();
    let mut answer = http.post("/v2/app/blobs/uploads/").await;
    for piece in blob.chunks(3_000_000) {
        answer = http.send(Method::PATCH, answer.header("location"), &[], blob.slice_ref(piece)).await;
    }
    http.put(&answer.closing(digest), &[], Bytes::new()).await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_statement_of_the_roles_is_needed_and_suffices() {
    let emulators = Shared::start().await;
    // A fresh process for each request: what a cache could answer is asked for.
    let stack = Stack::on(emulators.clone(), |function| in_parts(function).recycle_after(1)).await;
    let http = stack.http();

    let (config, layer) = (Bytes::from("{}"), noise(1, 1000));
    for blob in [&config, &layer] {
        stack.push_blob("app", blob).await;
    }
    let image = manifest(&config, std::slice::from_ref(&layer));
    let digest = Digest::canonical(&image);
    assert_eq!(http.put("/v2/app/manifests/v1", &[OCI_IMAGE], image.clone()).await.status, StatusCode::CREATED);
    assert_eq!(http.get("/v2/app/manifests/v1").await.body, image);
    assert!(
        pull_blob(&http, "app", &Digest::canonical(&layer)).await.body == layer,
        "the presigned URL is allowed too"
    );

    // Larger ones, which S3 puts together of their pieces; one of which it fails to, and is told to forget.
    let large = noise(2, 12_000_000);
    assert_eq!(in_pieces(&stack, &large, &Digest::canonical(&large)).await, StatusCode::CREATED);
    let failing = noise(3, 12_000_000);
    emulators.inject(Rule::new(Fault::AccessDenied).operation("CompleteMultipartUpload").times(1));
    assert_eq!(in_pieces(&stack, &failing, &Digest::canonical(&failing)).await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(emulators.s3().uploads(), 0, "no parts are left to be paid for");

    // What clients hand to S3 themselves: to the blob's place, to a stage, and in parts; and what they give up.
    let small = noise(4, 1000);
    assert_eq!(push(&http, "app", &small).await.status, StatusCode::CREATED);
    assert_eq!(push(&http, "aside", &small).await.status, StatusCode::CREATED);
    let parts = noise(5, 6_000_000);
    assert_eq!(push(&http, "app", &parts).await.status, StatusCode::CREATED);
    assert!(pull_blob(&http, "app", &Digest::canonical(&parts)).await.body == parts);
    let given_up = announce(&http, "app", &noise(6, 6_000_000)).await;
    assert_eq!(http.delete(given_up.header("location")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(emulators.s3().uploads(), 0, "no parts are left to be paid for");

    // Another name for content, and its way back.
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(&layer);
    let other_name = hasher.finish();
    assert_eq!(in_pieces(&stack, &layer, &other_name).await, StatusCode::CREATED);
    assert!(pull_blob(&http, "app", &other_name).await.body == layer);

    // A mount, lists, a referrer, and what deletes.
    let mount = format!("/v2/other/blobs/uploads/?mount={}&from=app", Digest::canonical(&layer));
    assert_eq!(http.post(&mount).await.status, StatusCode::CREATED);
    for list in ["/v2/_catalog".to_owned(), "/v2/app/tags/list".to_owned(), format!("/v2/app/referrers/{digest}")] {
        assert_eq!(http.get(&list).await.status, StatusCode::OK);
    }
    let opened = http.post("/v2/app/blobs/uploads/").await;
    let begun = http.send(Method::PATCH, opened.header("location"), &[], layer.clone()).await;
    assert_eq!(http.delete(begun.header("location")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(http.delete(&format!("/v2/app/manifests/{digest}")).await.status, StatusCode::ACCEPTED);
    assert_eq!(http.delete(&format!("/v2/app/blobs/{}", Digest::canonical(&layer))).await.status, StatusCode::ACCEPTED);
    assert_eq!(http.get("/v2/app/manifests/v1").await.status, StatusCode::NOT_FOUND);

    let maintenance = described(&emulators, "MaintenanceFunction", &names(&emulators)).start().await.unwrap();
    abandoned(&emulators).await;
    maintenance.invoke("{}").await.unwrap();

    for identity in emulators.statements() {
        println!("{}", serde_json::to_string(&identity).unwrap());
    }
    assert_eq!(emulators.denied(), [], "what is asked for is allowed");
    assert_eq!(emulators.unused(), Vec::<String>::new(), "what is allowed is asked for");
}
