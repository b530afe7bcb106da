//! Blobs that go to S3 by one request.

use berth::digest::Digest;
use http::{Method, StatusCode};

use crate::registry::{Registry, content, created, goes_to_blob, put_of, refused};

#[tokio::test]
async fn a_blob_goes_to_its_place_past_the_registry_and_is_linked_by_the_close() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let blob = content(1, 3_000_000);
    let digest = Digest::canonical(&blob);
    let opened = alice.announce("a/app", &blob).await;
    let put = put_of(&opened);
    assert!(goes_to_blob(&put, &digest), "{}", put.url);
    assert_eq!(opened.header("range"), "0-0");
    assert_eq!(opened.header("docker-upload-uuid").len(), 36);
    assert_eq!(put.headers["content-length"], "3000000");
    assert!(put.url.contains("X-Amz-Expires=900"), "{}", put.url);

    registry.s3.reset();
    assert_eq!(alice.send(&put, &blob).await.status, StatusCode::OK);
    assert_eq!(alice.pull("a/app", &digest).await.status, StatusCode::NOT_FOUND, "nothing is linked before the close");
    registry.asked();
    created(&alice.close(&opened, &digest).await, &digest);
    let asked = registry.asked();
    assert_eq!(asked.values().sum::<u64>(), 3, "{asked:?}");
    assert!(!asked.contains_key("s3:CopyObject"), "{asked:?}");
    let pulled = alice.pull("a/app", &digest).await;
    assert!(pulled.body == blob);
    assert_eq!(pulled.header("content-type"), "application/octet-stream");
    let link = format!("repositories/a/app/_layers/sha256/{}/link", digest.encoded());
    assert_eq!(registry.keys(), [crate::registry::blob_key(&digest), link], "and nothing else is left");
}

#[tokio::test]
async fn a_close_before_the_content_says_so_and_the_session_goes_on() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let opened = alice.announce("a/app", &blob).await;
    refused(&alice.close(&opened, &digest).await, 400, "BLOB_UPLOAD_INVALID", "missing");
    assert_eq!(alice.send(&put_of(&opened), &blob).await.status, StatusCode::OK);
    // In any process, and as often as one likes.
    let other_process = registry.twin().await;
    let twin = other_process.person("alice");
    for _ in 0..2 {
        created(&alice.close(&opened, &digest).await, &digest);
        let target = opened.closing(&digest);
        let path = &target[target.find("/v2/").unwrap()..];
        created(&twin.ask(Method::PUT, path, &[], &bytes::Bytes::new()).await, &digest);
    }
}

#[tokio::test]
async fn what_the_repository_has_is_answered_at_once() {
    let registry = Registry::start().await;
    let (alice, bob) = (registry.person("alice"), registry.person("bob"));
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    created(&alice.push("shared", &blob).await, &digest);
    registry.asked();
    created(&bob.announce("shared", &blob).await, &digest);
    let asked = registry.asked();
    assert!(asked.values().sum::<u64>() <= 3, "{asked:?}");
}

#[tokio::test]
async fn what_lies_elsewhere_is_linked_for_those_who_may_read_it() {
    let registry = Registry::start().await;
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    created(&registry.person("alice").push("a/app", &blob).await, &digest);

    let carol = registry.person("carol");
    created(&carol.announce("c/app", &blob).await, &digest);
    assert!(carol.pull("c/app", &digest).await.body == blob);

    // By a mount, for who may read there alone.
    let (size, named) = (blob.len().to_string(), digest.to_string());
    let mount = format!("?mount={digest}&from=a/app");
    created(&registry.person("alice").announce_as("shared", &named, &size, &mount).await, &digest);
    let bob = registry.person("bob").announce_as("b/app", &named, &size, &mount).await;
    assert!(!goes_to_blob(&put_of(&bob), &digest));
}

#[tokio::test]
async fn a_client_that_died_before_the_close_need_not_send_again() {
    let registry = Registry::start().await;
    let (alice, bob) = (registry.person("alice"), registry.person("bob"));
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    let opened = alice.announce("shared", &blob).await;
    assert_eq!(alice.send(&put_of(&opened), &blob).await.status, StatusCode::OK);
    // Nobody else, nor the same in another repository.
    assert!(!goes_to_blob(&put_of(&bob.announce("shared", &blob).await), &digest));
    assert!(!goes_to_blob(&put_of(&alice.announce("a/app", &blob).await), &digest));
    created(&alice.announce("shared", &blob).await, &digest);
    assert!(bob.pull("shared", &digest).await.body == blob, "it is the repository's");
}

#[tokio::test]
async fn a_session_with_a_target_is_an_ordinary_one_too() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    for (number, way) in ["put", "patch", "empty"].into_iter().enumerate() {
        let blob = content(number as u32, 1000);
        let digest = Digest::canonical(&blob);
        let opened = alice.announce("a/app", &blob).await;
        let closed = match way {
            "put" => alice.ask(Method::PUT, &opened.closing(&digest), &[], &blob).await,
            "patch" => {
                let sent = alice.ask(Method::PATCH, opened.header("location"), &[], &blob).await;
                assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
                alice.close(&sent, &digest).await
            }
            _ => {
                // Of another digest than was announced: nothing was sent for that.
                let empty = Digest::canonical(b"");
                created(&alice.close(&opened, &empty).await, &empty);
                continue;
            }
        };
        created(&closed, &digest);
        assert!(alice.pull("a/app", &digest).await.body == blob);
    }
    let left: Vec<_> = registry.keys().into_iter().filter(|key| key.contains("_uploads")).collect();
    assert_eq!(left, [""; 0]);
}

#[tokio::test]
async fn a_cancelled_session_takes_nothing_more() {
    let registry = Registry::start().await;
    let (alice, bob) = (registry.person("alice"), registry.person("bob"));
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    // Over the blob's own place, before and after the content came; and over a stage.
    let first = alice.announce("a/app", &blob).await;
    let second = alice.announce("a/app", &blob).await;
    let cancel = async |person: &crate::registry::Person, opened: &crate::support::http::Answer| {
        let answer = person.ask(Method::DELETE, opened.header("location"), &[], &bytes::Bytes::new()).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
    };
    cancel(&alice, &first).await;
    assert_eq!(alice.send(&put_of(&first), &blob).await.status, StatusCode::OK, "S3 does not know");
    cancel(&alice, &second).await;
    for opened in [&first, &second] {
        refused(&alice.close(opened, &digest).await, 404, "BLOB_UPLOAD_UNKNOWN", "");
    }
    let third = bob.announce("b/app", &blob).await;
    let fourth = bob.announce("b/app", &blob).await;
    assert_eq!(bob.send(&put_of(&fourth), &blob).await.status, StatusCode::OK);
    for opened in [&third, &fourth] {
        cancel(&bob, opened).await;
        assert_eq!(bob.send(&put_of(opened), &blob).await.status, StatusCode::PRECONDITION_FAILED);
        refused(&bob.close(opened, &digest).await, 404, "BLOB_UPLOAD_UNKNOWN", "");
    }
    for (person, repository) in [(&alice, "a/app"), (&bob, "b/app")] {
        assert_eq!(person.pull(repository, &digest).await.status, StatusCode::NOT_FOUND);
    }
}
