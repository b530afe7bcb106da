//! What may be asked, and who is answered in the ordinary way.

use berth::{
    digest::{Algorithm, Digest},
    storage,
};
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::registry::{Registry, content, created, direct, of_one_process, options, put_of, refusal, refused};

#[tokio::test]
async fn a_malformed_announcement_is_refused() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let digest = Digest::canonical(b"x").to_string();
    let ask = async |digest: &str, size: &str| refusal(&alice.announce_as("a/app", digest, size, "").await);
    for wrong in ["", "sha256:", "sha256:12", "md5:d41d8cd98f00b204e9800998ecf8427e", "x"] {
        let (status, code, _) = ask(wrong, "1").await;
        assert_eq!((status, code.as_str()), (400, "DIGEST_INVALID"), "{wrong}");
    }
    for wrong in ["", "-1", "+1", "1.5", "0x1", "99999999999999999999999", "9999999999999999", "x"] {
        let (status, code, _) = ask(&digest, wrong).await;
        assert_eq!((status, code.as_str()), (400, "SIZE_INVALID"), "{wrong}");
    }
    let half = async |name: &str, value: &str| {
        let answer = alice.ask(Method::POST, "/v2/a/app/blobs/uploads/", &[(name, value)], &Bytes::new()).await;
        refusal(&answer).1
    };
    assert_eq!(half("berth-blob-digest", &digest).await, "SIZE_INVALID");
    assert_eq!(half("berth-blob-size", "1").await, "DIGEST_INVALID");
    let other = format!("?mount={}", Digest::canonical(b"y"));
    refused(&alice.announce_as("a/app", &digest, "1", &other).await, 400, "DIGEST_INVALID", "");
    assert_eq!(registry.keys(), [""; 0]);
}

#[tokio::test]
async fn a_size_that_is_not_the_blobs_is_refused_where_the_caller_may_know() {
    let registry = Registry::start().await;
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    created(&registry.person("alice").push("a/app", &blob).await, &digest);
    for (name, repository) in [("alice", "a/app"), ("carol", "c/app")] {
        let answer = registry.person(name).announce_as(repository, &digest.to_string(), "999", "").await;
        refused(&answer, 400, "SIZE_INVALID", "");
    }
    // Who may not is told as much as anybody who sends what they do not have.
    let bob = registry.person("bob");
    let opened = bob.announce_as("b/app", &digest.to_string(), "999", "").await;
    let sent = bob.send(&put_of(&opened), &blob.slice(..999)).await;
    assert_eq!(sent.status, StatusCode::BAD_REQUEST, "{sent:?}");
    refused(&bob.close(&opened, &digest).await, 400, "BLOB_UPLOAD_INVALID", "missing");
}

/// Asserts that `opened` is an ordinary session, without a target.
#[track_caller]
fn ordinary(opened: &crate::support::http::Answer) {
    assert_eq!(opened.status, StatusCode::ACCEPTED, "{opened:?}");
    assert_eq!(opened.header("berth-direct-upload"), "");
    assert_eq!(opened.body, "");
}

#[tokio::test]
async fn what_needs_no_target_or_can_have_none_goes_the_ordinary_way() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let blob = content(1, 1000);
    for algorithm in [Algorithm::Sha384, Algorithm::Sha512] {
        let digest = Digest::of(algorithm, &blob);
        let opened = alice.announce_as("a/app", &digest.to_string(), "1000", "").await;
        ordinary(&opened);
        created(&alice.ask(Method::PUT, &opened.closing(&digest), &[], &blob).await, &digest);
    }
    let empty = Digest::canonical(b"");
    let opened = alice.announce_as("a/app", &empty.to_string(), "0", "").await;
    ordinary(&opened);
    created(&alice.close(&opened, &empty).await, &empty);
    // With the body in the request, the announcement counts for nothing.
    let digest = Digest::canonical(b"whole");
    let headers = [("berth-blob-digest", "nonsense")];
    let target = format!("/v2/a/app/blobs/uploads/?digest={digest}");
    created(&alice.ask(Method::POST, &target, &headers, &Bytes::from("whole")).await, &digest);
}

#[tokio::test]
async fn without_redirects_nobody_is_sent_to_storage() {
    let registry = Registry::with(storage::Options { redirect: false, ..options() }).await;
    let alice = registry.person("alice");
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let opened = alice.announce("a/app", &blob).await;
    ordinary(&opened);
    created(&alice.ask(Method::PUT, &opened.closing(&digest), &[], &blob).await, &digest);
    assert!(alice.pull("a/app", &digest).await.body == blob);
}

#[tokio::test]
async fn a_folder_and_a_memory_take_the_same_request_in_the_ordinary_way() {
    let folder = tempfile::tempdir().unwrap();
    for registry in of_one_process(folder.path()).await {
        let http = registry.http();
        let blob = content(1, 1000);
        let digest = Digest::canonical(&blob);
        let headers = [("berth-blob-digest", &*digest.to_string()), ("berth-blob-size", "1000")];
        for _ in 0..2 {
            let opened = http.send(Method::POST, "/v2/a/app/blobs/uploads/", &headers, Bytes::new()).await;
            ordinary(&opened);
            let parts = format!("{}&parts=1-2", opened.header("location"));
            refused(&http.get(&parts).await, 400, "BLOB_UPLOAD_INVALID", "none");
            created(&http.put(&opened.closing(&digest), &[], blob.clone()).await, &digest);
        }
    }
}

#[tokio::test]
async fn the_target_is_for_those_who_may_push() {
    let registry = Registry::start().await;
    let blob = content(1, 1000);
    assert_eq!(registry.person("bob").announce("a/app", &blob).await.status, StatusCode::FORBIDDEN);
    assert_eq!(registry.stranger().announce("a/app", &blob).await.status, StatusCode::UNAUTHORIZED);
    let opened = registry.stranger().announce("open/app", &blob).await;
    direct(&opened);
}
