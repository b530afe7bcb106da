//! Blobs that are to be had at the storage's own URLs.

use berth::storage;

use crate::{
    client::Body,
    registry::{Registry, Setup},
};

async fn redirecting() -> Registry {
    let storage = storage::Options { redirect: true, ..storage::Options::default() };
    let registry = Setup { storage, ..Setup::default() }.start().await;
    registry.driver.presign_at("https://bucket.example");
    registry
}

#[tokio::test]
async fn get_and_head_are_sent_to_storage() {
    let registry = redirecting().await;
    let digest = registry.push_blob("repo", b"content").await;
    let mut client = registry.client().await;
    let target = format!("/v2/repo/blobs/{digest}");
    for (method, signed) in [("GET", "Get"), ("HEAD", "Head")] {
        let answer = client.ask(method, &target, &[("range", "bytes=0-2")], Body::None).await;
        answer.is(307);
        let location = answer.header("location");
        let hex = digest.trim_start_matches("sha256:");
        assert!(location.starts_with("https://bucket.example/docker/registry/v2/blobs/sha256/"), "{location}");
        assert!(location.ends_with(&format!("/{hex}/data?method={signed}")), "{location}");
        assert_eq!(answer.header("docker-content-digest"), digest);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-length"), "0");
    }
}

#[tokio::test]
async fn access_is_checked_before_anybody_is_sent_anywhere() {
    let registry = redirecting().await;
    let digest = registry.push_blob("repo", b"content").await;
    let target = format!("/v2/other/blobs/{digest}");
    registry.client().await.get(&target).await.refused(404, "BLOB_UNKNOWN");
}

#[tokio::test]
async fn what_storage_would_answer_otherwise_is_answered_here() {
    let registry = redirecting().await;
    let digest = registry.push_blob("repo", b"content").await;
    let mut client = registry.client().await;
    let target = format!("/v2/repo/blobs/{digest}");
    for range in ["bytes=500-0", "bytes=x"] {
        let answer = client.ask("GET", &target, &[("range", range)], Body::None).await;
        answer.refused(416, "RANGE_INVALID");
        assert_eq!(answer.header("content-range"), "bytes */7");
    }
    let quoted = format!("\"{digest}\"");
    client.ask("GET", &target, &[("if-none-match", &quoted)], Body::None).await.is(304);
}
