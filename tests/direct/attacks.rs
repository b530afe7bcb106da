//! Knowing a digest gives no access, and a target stores one content or nothing.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth::{
    digest::Digest,
    storage::{self, DirectOptions},
};
use http::{Method, StatusCode};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::registry::{Registry, content, created, goes_to_blob, options, put_of, refused};

#[tokio::test]
async fn other_content_is_refused_and_appears_under_neither_digest() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let (blob, other) = (content(1, 400_000), content(2, 400_000));
    let (digest, others) = (Digest::canonical(&blob), Digest::canonical(&other));
    let opened = alice.announce("a/app", &blob).await;
    let put = put_of(&opened);
    let sent = alice.send(&put, &other).await;
    assert_eq!(sent.status, StatusCode::BAD_REQUEST, "{sent:?}");
    assert!(String::from_utf8_lossy(&sent.body).contains("BadDigest"), "{sent:?}");
    // With the checksum of the other, with none, of another length.
    let checksum = STANDARD.encode(others.value());
    assert_eq!(
        alice.send_with(&put, &[("x-amz-checksum-sha256", &checksum)], &other).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(alice.send_with(&put, &[("x-amz-checksum-sha256", "")], &other).await.status, StatusCode::FORBIDDEN);
    assert_eq!(alice.send(&put, &other.slice(..1000)).await.status, StatusCode::FORBIDDEN);
    refused(&alice.close(&opened, &digest).await, 400, "BLOB_UPLOAD_INVALID", "missing");
    refused(&alice.close(&opened, &others).await, 400, "DIGEST_INVALID", "");
    assert_eq!(registry.keys(), [""; 0]);
    // The session is none the worse.
    assert_eq!(alice.send(&put, &blob).await.status, StatusCode::OK);
    created(&alice.close(&opened, &digest).await, &digest);
}

#[tokio::test]
async fn a_target_is_bound_to_its_key_its_method_and_its_headers() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let (blob, other) = (content(1, 1000), content(2, 1000));
    let put = put_of(&alice.announce("a/app", &blob).await);
    let mut elsewhere = put.clone();
    elsewhere.url = put.url.replace(&Digest::canonical(&blob).encoded(), &Digest::canonical(&other).encoded());
    let mut link = put.clone();
    let at = put.url.find("blobs/sha256/").unwrap()..put.url.find('?').unwrap();
    link.url.replace_range(at, "repositories/b/app/_layers/link");
    for wrong in [&elsewhere, &link] {
        assert_eq!(alice.send(wrong, &blob).await.status, StatusCode::FORBIDDEN);
    }
    for method in ["GET", "HEAD", "DELETE", "POST"] {
        let wrong = berth::api::SignedRequest { method: method.to_owned(), ..put.clone() };
        let status = alice.send(&wrong, &blob).await.status;
        assert!(status.is_client_error(), "{method}: {status}");
    }
    // Every header is signed: none may be left out or be another. What S3 would give to all who pull is among them.
    for name in put.headers.keys().filter(|name| *name != "content-length") {
        for value in ["", "gzip"] {
            let sent = alice.send_with(&put, &[(name, value)], &blob).await;
            assert_eq!(sent.status, StatusCode::FORBIDDEN, "{name}: {value}");
        }
    }
    for name in ["x-amz-meta-more", "x-amz-acl", "x-amz-storage-class", "x-amz-tagging"] {
        assert_eq!(alice.send_with(&put, &[(name, "x")], &blob).await.status, StatusCode::FORBIDDEN, "{name}");
    }
    assert!(put.headers.contains_key("content-encoding") && put.headers.contains_key("content-type"));
    assert_eq!(registry.keys(), [""; 0], "nothing of all that was stored");
}

#[tokio::test]
async fn a_target_used_late_stores_nothing() {
    let direct = DirectOptions { life: Duration::from_secs(1), ..DirectOptions::default() };
    let registry = Registry::with(storage::Options { direct, ..options() }).await;
    let alice = registry.person("alice");
    let blob = content(1, 1000);
    let opened = alice.announce("a/app", &blob).await;
    let put = put_of(&opened);
    let expires = SystemTime::from(OffsetDateTime::parse(&put.expires, &Rfc3339).unwrap());
    assert!(expires <= SystemTime::now() + Duration::from_secs(1));
    // S3 counts whole seconds from a whole second.
    while SystemTime::now() < expires + Duration::from_secs(1) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let sent = alice.send(&put, &blob).await;
    assert_eq!(sent.status, StatusCode::FORBIDDEN, "{sent:?}");
    assert!(String::from_utf8_lossy(&sent.body).contains("expired"), "{sent:?}");
    assert_eq!(registry.keys(), [""; 0]);
}

#[tokio::test]
async fn a_target_used_twice_changes_nothing() {
    let registry = Registry::start().await;
    let (alice, bob) = (registry.person("alice"), registry.person("bob"));
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let opened = alice.announce("a/app", &blob).await;
    let put = put_of(&opened);
    assert_eq!(alice.send(&put, &blob).await.status, StatusCode::OK);
    let before = registry.s3.objects();
    assert_eq!(alice.send(&put, &blob).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(registry.s3.objects(), before);
    created(&alice.close(&opened, &digest).await, &digest);
    assert_eq!(alice.send(&put, &blob).await.status, StatusCode::PRECONDITION_FAILED);

    // A stage is gone after the close. What is sent there again is nobody's, until it is purged.
    let staged = bob.announce("b/app", &blob).await;
    let put = put_of(&staged);
    assert_eq!(bob.send(&put, &blob).await.status, StatusCode::OK);
    created(&bob.close(&staged, &digest).await, &digest);
    assert!(!registry.keys().iter().any(|key| key.contains("_uploads")));
    assert_eq!(bob.send(&put, &blob).await.status, StatusCode::OK);
    created(&bob.close(&staged, &digest).await, &digest);
    assert!(!registry.keys().iter().any(|key| key.contains("_uploads")));
}

#[tokio::test]
async fn a_session_is_closed_in_its_own_repository_alone() {
    let registry = Registry::start().await;
    let carol = registry.person("carol");
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let opened = carol.announce("a/app", &blob).await;
    assert_eq!(carol.send(&put_of(&opened), &blob).await.status, StatusCode::OK);
    let other = carol.announce("a/app", &content(2, 1000)).await;
    let target = opened.closing(&digest);
    let elsewhere = target.replace("/a/app/", "/b/app/");
    refused(&carol.ask(Method::PUT, &elsewhere, &[], &bytes::Bytes::new()).await, 404, "BLOB_UPLOAD_INVALID", "");
    let another = target.replace(opened.header("docker-upload-uuid"), other.header("docker-upload-uuid"));
    refused(&carol.ask(Method::PUT, &another, &[], &bytes::Bytes::new()).await, 404, "BLOB_UPLOAD_INVALID", "");
    // Nor by who may not push there.
    assert_eq!(registry.person("bob").close(&opened, &digest).await.status, StatusCode::FORBIDDEN);
    assert_eq!(carol.pull("b/app", &digest).await.status, StatusCode::NOT_FOUND);
    created(&carol.close(&opened, &digest).await, &digest);
}

#[tokio::test]
async fn knowing_the_digest_of_what_is_there_gives_no_access_to_it() {
    let registry = Registry::start().await;
    let (alice, bob) = (registry.person("alice"), registry.person("bob"));
    let secret = content(1, 1000);
    let digest = Digest::canonical(&secret);
    created(&alice.push("a/app", &secret).await, &digest);

    registry.asked();
    let opened = bob.announce("b/app", &secret).await;
    let asked_to_open: u64 = registry.asked().values().sum();
    let put = put_of(&opened);
    assert!(!goes_to_blob(&put, &digest), "{}", put.url);
    refused(&bob.close(&opened, &digest).await, 400, "BLOB_UPLOAD_INVALID", "missing");
    assert_eq!(bob.send(&put, &content(2, 1000)).await.status, StatusCode::BAD_REQUEST);
    refused(&bob.close(&opened, &digest).await, 400, "BLOB_UPLOAD_INVALID", "missing");
    assert_eq!(bob.pull("b/app", &digest).await.status, StatusCode::NOT_FOUND);

    // Who has it may have it.
    let before = registry.s3.objects();
    assert_eq!(bob.send(&put, &secret).await.status, StatusCode::OK);
    registry.asked();
    created(&bob.close(&opened, &digest).await, &digest);
    let asked = registry.asked();
    assert!(!asked.keys().any(|name| name.contains("Copy")), "nothing is copied: {asked:?}");
    assert!(asked_to_open + asked.values().sum::<u64>() <= 6, "{asked_to_open} and {asked:?}");
    assert!(bob.pull("b/app", &digest).await.body == secret);
    let link = format!("docker/registry/v2/repositories/b/app/_layers/sha256/{}/link", digest.encoded());
    let mut after = registry.s3.objects();
    assert!(after.remove(&link).is_some());
    assert_eq!(after, before, "one link more");
}

#[tokio::test]
async fn who_opened_before_the_content_came_gets_no_access_by_another_ones_content() {
    let registry = Registry::start().await;
    let (alice, bob) = (registry.person("alice"), registry.person("bob"));
    for (number, bob_sends_first) in [(1, false), (2, true)] {
        let blob = content(number, 1000);
        let digest = Digest::canonical(&blob);
        let bobs = bob.announce("b/app", &blob).await;
        let alices = alice.announce("a/app", &blob).await;
        assert!(goes_to_blob(&put_of(&bobs), &digest) && goes_to_blob(&put_of(&alices), &digest));
        let (first, firsts, second, seconds) =
            if bob_sends_first { (&bob, &bobs, &alice, &alices) } else { (&alice, &alices, &bob, &bobs) };
        assert_eq!(first.send(&put_of(firsts), &blob).await.status, StatusCode::OK);
        // The other has sent nothing, or has, and was told that it is there.
        refused(&second.close(seconds, &digest).await, 400, "BLOB_UPLOAD_INVALID", "superseded");
        assert_eq!(second.send(&put_of(seconds), &blob).await.status, StatusCode::PRECONDITION_FAILED);
        refused(&second.close(seconds, &digest).await, 400, "BLOB_UPLOAD_INVALID", "superseded");
        created(&first.close(firsts, &digest).await, &digest);
        refused(&second.close(seconds, &digest).await, 400, "BLOB_UPLOAD_INVALID", "superseded");
        let at = if bob_sends_first { "a/app" } else { "b/app" };
        assert_eq!(second.pull(at, &digest).await.status, StatusCode::NOT_FOUND);
        // It asks anew, and proves what it has.
        created(&second.push(at, &blob).await, &digest);
        assert!(second.pull(at, &digest).await.body == blob);
    }
}

#[tokio::test]
async fn strangers_are_told_apart_by_their_sessions() {
    let registry = Registry::start().await;
    let (one, other) = (registry.stranger(), registry.stranger());
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let (ones, others) = (one.announce("open/app", &blob).await, other.announce("open/app", &blob).await);
    assert_eq!(one.send(&put_of(&ones), &blob).await.status, StatusCode::OK);
    refused(&other.close(&others, &digest).await, 400, "BLOB_UPLOAD_INVALID", "superseded");
    assert!(!goes_to_blob(&put_of(&other.announce("open/app", &blob).await), &digest));
    created(&one.close(&ones, &digest).await, &digest);
    // Now it is the repository's, which both may read.
    created(&other.close(&others, &digest).await, &digest);
}

#[tokio::test]
async fn the_blob_may_vanish_while_its_copy_is_on_the_stage() {
    let registry = Registry::start().await;
    let (alice, bob) = (registry.person("alice"), registry.person("bob"));
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    created(&alice.push("a/app", &blob).await, &digest);
    let opened = bob.announce("b/app", &blob).await;
    assert_eq!(bob.send(&put_of(&opened), &blob).await.status, StatusCode::OK);
    let path = berth::storage::PathSpec::Blob(&digest).path().unwrap();
    registry.driver.delete(&berth::context::Context::background("garbage"), &[path]).await.unwrap();
    created(&bob.close(&opened, &digest).await, &digest);
    assert!(bob.pull("b/app", &digest).await.body == blob);
}
