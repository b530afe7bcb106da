//! Blobs that are too large for one request: here, larger than a megabyte.

use berth::{
    api::{DirectAnswer, PartEntry},
    digest::Digest,
};
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::{
    registry::{PART, Person, Registry, blob_key, content, created, direct, in_parts, options, refused},
    support::http::Answer,
};

/// Three parts, the last of them short.
const SIZE: usize = 2 * PART + 1_000_003;

/// How a close that takes many requests went.
pub(crate) struct Closed {
    pub(crate) last: Answer,
    /// `verified` and `copied` of each answer before the last.
    pub(crate) progress: Vec<(u64, u64)>,
}

impl Person {
    pub(crate) async fn send_part(&self, part: &PartEntry, blob: &Bytes) -> Answer {
        let from = (part.number as usize - 1) * PART;
        self.send(part.put.as_ref().unwrap(), &blob.slice(from..from + part.size as usize)).await
    }

    /// Sends what parts are wanted; how many that were.
    pub(crate) async fn send_wanted(&self, opened: &Answer, blob: &Bytes) -> usize {
        let wanted: Vec<_> =
            self.parts(opened, "1-100").await.parts.into_iter().filter(|part| part.put.is_some()).collect();
        for part in &wanted {
            let sent = self.send_part(part, blob).await;
            assert_eq!(sent.status, StatusCode::OK, "{sent:?}");
        }
        wanted.len()
    }

    /// Closes, as often as the answers ask for it.
    pub(crate) async fn close_all(&self, opened: &Answer, digest: &Digest) -> Closed {
        let mut progress = Vec::new();
        let mut last = self.close(opened, digest).await;
        while last.status == StatusCode::ACCEPTED {
            match direct(&last) {
                DirectAnswer::Commit { verified, copied, .. } => progress.push((verified, copied)),
                other => panic!("{other:?}"),
            }
            assert!(progress.len() < 100, "it never ends");
            last = self.close(&last, digest).await;
        }
        Closed { last, progress }
    }
}

#[tokio::test]
async fn parts_are_joined_hashed_and_copied_by_many_short_requests() {
    let registry = Registry::with(in_parts()).await;
    let alice = registry.person("alice");
    let blob = content(1, 5 * PART + 1_000_003);
    let digest = Digest::canonical(&blob);
    let opened = alice.announce("a/app", &blob).await;
    let said = direct(&opened);
    let size = blob.len() as u64;
    assert_eq!(said, DirectAnswer::Parts { digest, size, part_size: PART as u64, parts: 6 });

    let page = alice.parts(&opened, "2-3").await;
    assert_eq!(page.parts.iter().map(|part| part.number).collect::<Vec<_>>(), [2, 3]);
    let put = page.parts[0].put.as_ref().unwrap();
    assert!(put.url.contains("/repositories/a/app/_uploads/"), "{}", put.url);
    assert_eq!(alice.send_wanted(&opened, &blob).await, 6);
    assert_eq!(registry.keys(), [""; 0], "nothing is to be seen of it");

    registry.asked();
    let closed = alice.close_all(&opened, &digest).await;
    created(&closed.last, &digest);
    assert!(closed.progress.len() >= 4, "{:?}", closed.progress);
    assert!(closed.progress.is_sorted(), "{:?}", closed.progress);
    assert!(closed.progress.iter().any(|(verified, _)| (1..size).contains(verified)), "{:?}", closed.progress);
    let asked = registry.asked();
    println!("{} parts, closed by {} requests: {asked:?}", 6, closed.progress.len() + 1);
    let pulled = alice.pull("a/app", &digest).await;
    assert!(pulled.body == blob);
    let link = format!("repositories/a/app/_layers/sha256/{}/link", digest.encoded());
    assert_eq!(registry.keys(), [blob_key(&digest), link]);
    assert_eq!(registry.s3.uploads(), 0, "nothing is left to be paid for");
    // Again, at the very first place, as after a lost answer.
    created(&alice.close_all(&opened, &digest).await.last, &digest);
}

#[tokio::test]
async fn with_time_enough_one_request_closes() {
    let mut options = in_parts();
    options.direct.slice = crate::registry::options().direct.slice;
    let registry = Registry::with(options).await;
    let alice = registry.person("alice");
    let blob = content(1, SIZE);
    let digest = Digest::canonical(&blob);
    let opened = alice.announce("a/app", &blob).await;
    alice.send_wanted(&opened, &blob).await;
    let closed = alice.close_all(&opened, &digest).await;
    created(&closed.last, &digest);
    assert_eq!(closed.progress, []);
}

#[tokio::test]
async fn a_later_run_sends_what_is_missing_alone() {
    let registry = Registry::with(in_parts()).await;
    let alice = registry.person("alice");
    let blob = content(1, SIZE);
    let digest = Digest::canonical(&blob);
    let opened = alice.announce("a/app", &blob).await;
    let page = alice.parts(&opened, "1-3").await;
    assert_eq!(alice.send_part(&page.parts[1], &blob).await.status, StatusCode::OK);

    // All that the later run has is the Location.
    let closed = alice.close(&opened, &digest).await;
    refused(&closed, 400, "BLOB_UPLOAD_INVALID", "parts");
    let detail = &serde_json::from_slice::<serde_json::Value>(&closed.body).unwrap()["errors"][0]["detail"];
    assert_eq!((&detail["missing"], &detail["count"]), (&serde_json::json!([1, 3]), &2.into()));
    let page = alice.parts(&opened, "1-3").await;
    let there: Vec<_> = page.parts.iter().filter(|part| part.etag.is_some()).map(|part| part.number).collect();
    assert_eq!(there, [2]);
    assert_eq!(alice.send_wanted(&opened, &blob).await, 2);
    created(&alice.close_all(&opened, &digest).await.last, &digest);
}

#[tokio::test]
async fn a_wrong_part_is_found_before_anything_appears() {
    let registry = Registry::with(in_parts()).await;
    let alice = registry.person("alice");
    let (blob, other) = (content(1, SIZE), content(2, SIZE));
    let (digest, others) = (Digest::canonical(&blob), Digest::canonical(&other));
    for mixed in [[&other, &blob, &blob], [&blob, &blob, &other], [&other, &other, &other]] {
        let opened = alice.announce("a/app", &blob).await;
        for (part, from) in alice.parts(&opened, "1-3").await.parts.iter().zip(mixed) {
            assert_eq!(alice.send_part(part, from).await.status, StatusCode::OK);
        }
        let closed = alice.close_all(&opened, &digest).await;
        refused(&closed.last, 400, "DIGEST_INVALID", "");
        for digest in [digest, others] {
            assert!(!registry.has_blob(&digest));
        }
        assert_eq!((registry.keys(), registry.s3.uploads()), (vec![], 0), "it is gone, and all that it stored");
        refused(&alice.close(&opened, &digest).await, 404, "BLOB_UPLOAD_UNKNOWN", "");
    }
    // A part that was wrong may be sent again, as long as it was not closed.
    let opened = alice.announce("a/app", &blob).await;
    let page = alice.parts(&opened, "1-3").await;
    assert_eq!(alice.send_part(&page.parts[0], &other).await.status, StatusCode::OK);
    for part in &page.parts {
        assert_eq!(alice.send_part(part, &blob).await.status, StatusCode::OK);
    }
    created(&alice.close_all(&opened, &digest).await.last, &digest);
}

#[tokio::test]
async fn a_part_has_its_size_and_its_place() {
    let registry = Registry::with(in_parts()).await;
    let alice = registry.person("alice");
    let blob = content(1, SIZE);
    let opened = alice.announce("a/app", &blob).await;
    let page = alice.parts(&opened, "1-3").await;
    let put = page.parts[0].put.as_ref().unwrap();
    assert_eq!(alice.send(put, &blob.slice(..PART - 1)).await.status, StatusCode::FORBIDDEN);
    assert_eq!(alice.send(put, &blob.slice(..PART + 1)).await.status, StatusCode::FORBIDDEN);
    let mut other = put.clone();
    other.url = put.url.replace("partNumber=1", "partNumber=2");
    assert_eq!(alice.send(&other, &blob.slice(..PART)).await.status, StatusCode::FORBIDDEN);
    let mut whole = put.clone();
    whole.url = whole.url.split('&').filter(|pair| !pair.starts_with("partNumber")).collect::<Vec<_>>().join("&");
    assert_eq!(alice.send(&whole, &blob.slice(..PART)).await.status, StatusCode::FORBIDDEN);
    // What S3 verifies, if the client likes.
    let md5 = [("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")];
    assert_eq!(alice.send_with(put, &md5, &blob.slice(..PART)).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(alice.parts(&opened, "1-3").await.parts.iter().filter(|part| part.etag.is_some()).count(), 0);
}

#[tokio::test]
async fn pages_of_parts_end_where_the_parts_do() {
    let registry = Registry::with(in_parts()).await;
    let alice = registry.person("alice");
    let announce =
        async |size: u64| alice.announce_as("a/app", &Digest::canonical(b"x").to_string(), &size.to_string(), "").await;
    // Nobody has to send so much to see how it would go.
    let opened = announce(40_000_000_000).await;
    let DirectAnswer::Parts { part_size, parts, .. } = direct(&opened) else { panic!("{opened:?}") };
    assert_eq!((part_size, parts), (PART as u64, 7630));
    let opened = announce(5 << 40).await;
    let DirectAnswer::Parts { part_size, parts, .. } = direct(&opened) else { panic!("{opened:?}") };
    assert!(part_size.is_multiple_of(1 << 20) && u64::from(parts) * part_size >= 5 << 40 && parts <= 10_000);
    let page = alice.parts(&opened, "1-10000").await;
    assert_eq!(page.parts.len(), 1000);
    let body = alice.parts_answer(&opened, "1-10000").await.body.len();
    println!("1,000 parts in an answer: {body} bytes");
    assert!(body < 4_000_000, "an answer must fit through Lambda, with a session token's 1 KB in each URL");
    let last = alice.parts(&opened, &format!("{parts}-{}", u32::MAX)).await;
    assert_eq!(last.parts.iter().map(|part| part.number).collect::<Vec<_>>(), [parts]);
    assert_eq!(alice.parts(&opened, "20000-20001").await.parts, []);
    for wrong in ["", "1", "0-1", "2-1", "-1", "1-", "+1-2", "a-b", "1-99999999999"] {
        refused(&alice.parts_answer(&opened, wrong).await, 400, "BLOB_UPLOAD_INVALID", "none");
    }
    refused(&announce((5 << 40) + 1).await, 400, "SIZE_INVALID", "");
}

#[tokio::test]
async fn a_session_of_one_request_has_no_parts() {
    let registry = Registry::with(options()).await;
    let alice = registry.person("alice");
    let opened = alice.announce("a/app", &content(1, 1000)).await;
    refused(&alice.parts_answer(&opened, "1-2").await, 400, "BLOB_UPLOAD_INVALID", "none");
}

#[tokio::test]
async fn a_cancelled_session_leaves_no_parts() {
    let registry = Registry::with(in_parts()).await;
    let alice = registry.person("alice");
    let blob = content(1, SIZE);
    let digest = Digest::canonical(&blob);
    // As it is, joined, and half copied: by the first Location and by the last.
    for closes in 0..5 {
        for by_first in [true, false] {
            // By the first Location, the copy that was begun later is not known: the bucket's lifecycle takes it.
            let before = registry.s3.uploads();
            let opened = alice.announce("a/app", &blob).await;
            let page = alice.parts(&opened, "1-3").await;
            alice.send_wanted(&opened, &blob).await;
            let mut last = None;
            for _ in 0..closes {
                let answer = alice.close(last.as_ref().unwrap_or(&opened), &digest).await;
                assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
                last = Some(answer);
            }
            let cancelled = if by_first { &opened } else { last.as_ref().unwrap_or(&opened) };
            let answer = alice.ask(Method::DELETE, cancelled.header("location"), &[], &Bytes::new()).await;
            assert_eq!(answer.status, StatusCode::NO_CONTENT, "{answer:?}");
            let left: Vec<_> = registry.keys().into_iter().filter(|key| !key.ends_with("/records/1")).collect();
            assert_eq!(left, [""; 0], "closed {closes} times");
            if !by_first {
                assert_eq!(registry.s3.uploads(), before, "closed {closes} times");
            }
            let late = alice.send_part(&page.parts[0], &blob).await;
            assert_eq!(late.status, StatusCode::NOT_FOUND, "{late:?}");
            for at in [Some(&opened), last.as_ref()].into_iter().flatten() {
                refused(&alice.close_all(at, &digest).await.last, 404, "BLOB_UPLOAD_UNKNOWN", "");
                let parts = alice.parts_answer(at, "1-3").await;
                assert!(parts.status.is_client_error(), "{parts:?}");
            }
        }
    }
    assert!(!registry.has_blob(&digest));
}

#[tokio::test]
async fn many_closes_at_once_and_old_places_do_no_harm() {
    let registry = Registry::with(in_parts()).await;
    let other_process = registry.twin().await;
    let alice = registry.person("alice");
    let blob = content(1, SIZE);
    let digest = Digest::canonical(&blob);
    let opened = alice.announce("a/app", &blob).await;
    alice.send_wanted(&opened, &blob).await;
    let twin = other_process.person("alice");
    let path = Answer {
        status: opened.status,
        headers: [(http::header::LOCATION, path_of(&opened).parse().unwrap())].into_iter().collect(),
        body: Bytes::new(),
    };
    let (one, two, three) = futures_util::join!(
        alice.close_all(&opened, &digest),
        twin_close(&twin, &path, &digest),
        alice.close_all(&opened, &digest),
    );
    for last in [one.last, two, three.last] {
        created(&last, &digest);
    }
    assert!(alice.pull("a/app", &digest).await.body == blob);
    assert!(!registry.keys().iter().any(|key| key.contains("_uploads")));
    refused(&alice.parts_answer(&opened, "1-3").await, 404, "BLOB_UPLOAD_UNKNOWN", "");
}

fn path_of(answer: &Answer) -> String {
    let location = answer.header("location");
    location[location.find("/v2/").unwrap()..].to_owned()
}

async fn twin_close(twin: &Person, opened: &Answer, digest: &Digest) -> Answer {
    twin.close_all(opened, digest).await.last
}

#[tokio::test]
async fn content_that_others_have_stored_is_not_copied_again_but_must_be_shown() {
    let registry = Registry::with(in_parts()).await;
    let (alice, bob) = (registry.person("alice"), registry.person("bob"));
    let blob = content(1, SIZE);
    let digest = Digest::canonical(&blob);
    let bobs = bob.announce("b/app", &blob).await;
    let alices = alice.announce("a/app", &blob).await;
    alice.send_wanted(&alices, &blob).await;
    created(&alice.close_all(&alices, &digest).await.last, &digest);
    refused(&bob.close(&bobs, &digest).await, 400, "BLOB_UPLOAD_INVALID", "parts");
    assert_eq!(bob.pull("b/app", &digest).await.status, StatusCode::NOT_FOUND);
    // To those who may not read it, it is as if it were not there.
    let bobs = bob.announce("b/app", &blob).await;
    assert!(matches!(direct(&bobs), DirectAnswer::Parts { .. }));
    bob.send_wanted(&bobs, &blob).await;
    registry.asked();
    created(&bob.close_all(&bobs, &digest).await.last, &digest);
    let asked = registry.asked();
    assert!(!asked.contains_key("s3:UploadPartCopy"), "{asked:?}");
    created(&bob.announce("b/app", &blob).await, &digest);
}
