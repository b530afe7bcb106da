//! What is deleted by one digest is gone by every other, with all that was said of it under those; what is in use by
//! one digest is in use by all.

use berth::digest::{Algorithm, Digest};
use serde_json::json;

use crate::{
    client::Body,
    image::{OCI_IMAGE, descriptor, digest, image, push_image},
    registry::Registry,
};

#[tokio::test]
async fn a_manifest_deleted_by_its_sha256_leaves_nothing_of_its_sha512() {
    let registry = Registry::start().await;
    let subject = push_image(&registry, "repo", "subject", b"layer").await;
    let mut referrer = image(b"layer");
    referrer["subject"] = descriptor(&subject);
    let referrer = referrer.to_string().into_bytes();
    let sha512 = Digest::of(Algorithm::Sha512, &referrer);
    let mut client = registry.client().await;
    let target = format!("/v2/repo/manifests/{sha512}?tag=by-sha512");
    client.ask("PUT", &target, &[("content-type", OCI_IMAGE)], Body::Sized(&referrer)).await.is(201);
    let referrers = format!("/v2/repo/referrers/{}", digest(&subject));
    assert_eq!(client.get(&referrers).await.json()["manifests"][0]["digest"], json!(sha512));

    client.delete(&format!("/v2/repo/manifests/{}", digest(&referrer))).await.is(202);
    for gone in ["by-sha512", &sha512.to_string(), &digest(&referrer)] {
        client.get(&format!("/v2/repo/manifests/{gone}")).await.refused(404, "MANIFEST_UNKNOWN");
    }
    assert_eq!(client.get("/v2/repo/tags/list").await.json()["tags"], json!(["subject"]));
    assert_eq!(client.get(&referrers).await.json()["manifests"], json!([]));
}

#[tokio::test]
async fn a_blob_that_a_manifest_names_by_sha512_is_kept_by_its_sha256_too() {
    let registry = Registry::start().await;
    registry.push_blob("repo", b"{}").await;
    let layer = b"layer";
    let sha512 = Digest::of(Algorithm::Sha512, layer);
    let mut client = registry.client().await;
    let target = format!("/v2/repo/blobs/uploads/?digest={sha512}");
    client.ask("POST", &target, &[], Body::Sized(layer)).await.is(201);
    let mut manifest = image(layer);
    manifest["layers"][0]["digest"] = json!(sha512);
    registry.push_manifest("repo", "latest", OCI_IMAGE, manifest.to_string().as_bytes()).await;

    let before = registry.holds().await;
    for name in [digest(layer), sha512.to_string()] {
        client.delete(&format!("/v2/repo/blobs/{name}")).await.refused(405, "UNSUPPORTED");
    }
    assert_eq!(registry.holds().await, before);
}
