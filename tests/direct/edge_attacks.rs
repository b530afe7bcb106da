//! Whoever holds a session's URL may write to its stage, at any time: nothing appears under a digest that it has not.

use std::time::{Duration, SystemTime};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth::{
    digest::Digest,
    driver::PutOptions,
    storage::{self, purge_uploads},
};
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{Method, StatusCode};
use sha2::Sha256;
use uuid::{NoContext, Timestamp, Uuid};

use crate::{
    edge::{commit_url, ctx},
    registry::{Registry, content, created, options, refused},
};

#[tokio::test]
async fn other_content_is_refused_and_removed() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let (blob, other) = (content(1, 300_000), content(2, 300_000));
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    registry.store("a/app", &opened, &digest, &other).await;
    refused(&alice.commit(&opened, &digest).await, 400, "DIGEST_INVALID", "");
    assert_eq!(registry.keys(), [""; 0]);
    refused(&alice.commit(&opened, &digest).await, 400, "BLOB_UPLOAD_INVALID", "missing");
    // The session is none the worse.
    registry.store("a/app", &opened, &digest, &blob).await;
    created(&alice.commit(&opened, &digest).await, &digest);
    assert_eq!(registry.sessions(), [""; 0]);
}

#[tokio::test]
async fn a_commit_before_the_content_says_so() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    refused(&alice.commit(&opened, &digest).await, 400, "BLOB_UPLOAD_INVALID", "missing");
    let closing = opened.header("location").to_owned() + "&commit=edge";
    refused(&alice.get(&closing).await, 400, "DIGEST_INVALID", "");
    refused(&alice.get(&format!("{closing}&digest=sha256:12")).await, 400, "DIGEST_INVALID", "");
    assert_eq!(registry.keys(), [""; 0]);
    // What lies elsewhere is no better than nothing, and what the repository has needs nothing.
    created(&registry.person("bob").push_by_edge(&registry, "b/app", &blob).await, &digest);
    refused(&alice.commit(&opened, &digest).await, 400, "BLOB_UPLOAD_INVALID", "missing");
    created(&alice.push_by_edge(&registry, "a/app", &blob).await, &digest);
    created(&alice.commit(&opened, &digest).await, &digest);
}

#[tokio::test]
async fn a_state_is_good_for_its_own_session_alone() {
    let registry = Registry::start().await;
    let carol = registry.person("carol");
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let (opened, other) = (carol.open("a/app").await, carol.open("a/app").await);
    for (repository, session) in [("a/app", &opened), ("a/app", &other), ("b/app", &opened)] {
        registry.store(repository, session, &digest, &blob).await;
    }
    let url = commit_url(&opened, &digest);
    let state = berth::api::Query::parse(url.split_once('?').unwrap().1).get("_state").unwrap().to_owned();
    let mut tampered = state.clone().into_bytes();
    tampered[5] = if tampered[5] == b'A' { b'B' } else { b'A' };
    let foreign = url.replace(opened.header("docker-upload-uuid"), other.header("docker-upload-uuid"));
    let wrong = [
        url.replace(&state, ""),
        url.replace(&state, "x.y"),
        url.replace(&state, &String::from_utf8(tampered).unwrap()),
        url.replace("/a/app/", "/b/app/"),
        foreign,
    ];
    let before = registry.s3.objects();
    for wrong in wrong {
        refused(&carol.get(&wrong).await, 404, "BLOB_UPLOAD_INVALID", "");
    }
    let nobody = url.replace(opened.header("docker-upload-uuid"), "..");
    assert!(carol.get(&nobody).await.status.is_client_error());
    assert_eq!(registry.s3.objects(), before);
    created(&carol.get(&url).await, &digest);
}

#[tokio::test]
async fn a_session_ends_after_a_week() {
    let secret = b"a secret that signs states";
    let signer = Some(storage::UploadSecret::new(secret.as_slice()));
    let registry = Registry::with(storage::Options { secret: signer, ..options() }).await;
    let alice = registry.person("alice");
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    let state = berth::api::Query::parse(opened.header("location").split_once('?').unwrap().1);
    let payload = state.get("_state").unwrap().split_once('.').unwrap().0.to_owned();
    // The same state, signed for a session that was opened so many days ago.
    for (days, status) in [(6, 201), (8, 404)] {
        let opened = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        let since = opened.duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let id = Uuid::new_v7(Timestamp::from_unix(NoContext, since.as_secs(), 0)).to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(b"a/app\0");
        mac.update(id.as_bytes());
        mac.update(b"\0");
        mac.update(&URL_SAFE_NO_PAD.decode(&payload).unwrap());
        let tag = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
        let path = storage::PathSpec::UploadStaged(&"a/app".parse().unwrap(), &id, &digest).path().unwrap();
        registry.edge.put(&ctx(), &path, blob.clone().into(), PutOptions::default()).await.unwrap();
        let url = format!("/v2/a/app/blobs/uploads/{id}?_state={payload}.{tag}&digest={digest}&commit=edge");
        assert_eq!(alice.get(&url).await.status.as_u16(), status, "after {days} days");
    }
}

#[tokio::test]
async fn it_takes_push_access_before_storage_is_asked() {
    let registry = Registry::start().await;
    let (alice, bob) = (registry.person("alice"), registry.person("bob"));
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    registry.store("a/app", &opened, &digest, &blob).await;
    registry.asked();
    let url = commit_url(&opened, &digest);
    assert_eq!(registry.stranger().get(&url).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(bob.get(&url).await.status, StatusCode::FORBIDDEN);
    assert_eq!(registry.asked().len(), 0);
}

#[tokio::test]
async fn a_session_that_holds_bytes_keeps_them() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let (blob, other) = (content(1, 1000), content(2, 1000));
    let (digest, others) = (Digest::canonical(&blob), Digest::canonical(&other));
    let opened = alice.open("a/app").await;
    registry.store("a/app", &opened, &others, &other).await;
    let sent = alice.ask(Method::PATCH, opened.header("location"), &[], &blob).await;
    // By the newest URL, and by one that does not know of the bytes.
    for at in [&sent, &opened] {
        refused(&alice.get(&commit_url(at, &others)).await, 416, "RANGE_INVALID", "");
    }
    assert_eq!(alice.pull("a/app", &others).await.status, StatusCode::NOT_FOUND);
    created(&alice.close(&sent, &digest).await, &digest);
    assert!(alice.pull("a/app", &digest).await.body == blob);
}

#[tokio::test]
async fn a_cancelled_session_takes_nothing_more_and_is_purged() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    for stored_before in [true, false] {
        let opened = alice.open("a/app").await;
        if stored_before {
            registry.store("a/app", &opened, &digest, &blob).await;
        }
        let cancelled = alice.ask(Method::DELETE, opened.header("location"), &[], &Bytes::new()).await;
        assert_eq!(cancelled.status, StatusCode::NO_CONTENT);
        if !stored_before {
            registry.store("a/app", &opened, &digest, &blob).await;
        }
        refused(&alice.commit(&opened, &digest).await, 404, "BLOB_UPLOAD_UNKNOWN", "");
    }
    assert!(!registry.has_blob(&digest));
    let soon = SystemTime::now() + Duration::from_secs(60);
    purge_uploads(&ctx(), &registry.driver, soon, false).await.unwrap();
    assert_eq!(registry.keys(), [""; 0]);
}

#[tokio::test]
async fn a_session_may_be_used_again() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let opened = alice.open("a/app").await;
    for number in 0..3 {
        let blob = content(number, 1000 + number as usize);
        let digest = Digest::canonical(&blob);
        registry.store("a/app", &opened, &digest, &blob).await;
        created(&alice.commit(&opened, &digest).await, &digest);
        created(&alice.commit(&opened, &digest).await, &digest);
        assert!(alice.pull("a/app", &digest).await.body == blob);
    }
    // Other content as a digest that is there already changes nothing.
    let (first, digest) = (content(0, 1000), Digest::canonical(&content(0, 1000)));
    registry.store("a/app", &opened, &digest, &content(9, 1000)).await;
    refused(&alice.commit(&opened, &digest).await, 400, "DIGEST_INVALID", "");
    assert!(alice.pull("a/app", &digest).await.body == first);
    registry.check_blobs().await;
    assert_eq!(registry.sessions(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_commits_at_once_both_succeed() {
    let registry = Registry::start().await;
    let other_process = registry.twin().await;
    let (alice, twin) = (registry.person("alice"), other_process.person("alice"));
    for number in 0..40 {
        let blob = content(number, 5000);
        let digest = Digest::canonical(&blob);
        let opened = alice.open("a/app").await;
        registry.store("a/app", &opened, &digest, &blob).await;
        let url = commit_url(&opened, &digest);
        let path = &url[url.find("/v2/").unwrap()..];
        let (one, other) = tokio::join!(alice.get(&url), twin.get(path));
        created(&one, &digest);
        created(&other, &digest);
        assert!(alice.pull("a/app", &digest).await.body == blob);
        assert_eq!(registry.sessions(), [""; 0], "round {number}");
    }
}
