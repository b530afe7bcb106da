//! `/v2/<name>/blobs/uploads/`.

use berth::digest::{Algorithm, Digest};

use crate::{
    client::{Answer, Body, Client},
    registry::{Registry, Setup},
};

const UPLOADS: &str = "/v2/repo/blobs/uploads/";
const CONTENT: &[u8] = b"0123456789";

/// Asserts that `answer` leaves a session standing at `range`, with all that a client needs to go on.
#[track_caller]
fn stands(answer: &Answer, status: u16, range: &str) {
    answer.is(status);
    assert_eq!(answer.header("range"), range);
    let id = answer.header("docker-upload-uuid");
    assert_eq!(id.len(), 36, "a UUID");
    let location = answer.header("location");
    assert!(location.contains(&format!("{UPLOADS}{id}?_state=")), "{location}");
    if status == 202 {
        assert_eq!(answer.header("content-length"), "0");
    }
}

/// Asserts that `answer` says that content is stored under `digest`, and that it is.
async fn stored(client: &mut Client, answer: &Answer, digest: impl std::fmt::Display, content: &[u8]) {
    answer.is(201);
    assert_eq!(answer.header("docker-content-digest"), digest.to_string());
    assert_eq!(answer.header("content-length"), "0");
    let location = answer.header("location");
    assert!(location.ends_with(&format!("/v2/repo/blobs/{digest}")), "{location}");
    assert_eq!(client.get(&location).await.is(200).body, content);
}

async fn patch(client: &mut Client, target: &str, range: &str, content: &[u8]) -> Answer {
    client.ask("PATCH", target, &[("content-range", range)], Body::Sized(content)).await
}

#[tokio::test]
async fn whole_by_post() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    for content in [CONTENT, b""] {
        for algorithm in Algorithm::ALL {
            let digest = Digest::of(algorithm, content);
            let target = format!("{UPLOADS}?digest={digest}");
            let answer = client.ask("POST", &target, &[], Body::Sized(content)).await;
            stored(&mut client, &answer, digest, content).await;
            let answer = client.ask("POST", &target, &[], Body::Chunked(&[content][..content.len().min(1)])).await;
            stored(&mut client, &answer, digest, content).await;
        }
    }
}

#[tokio::test]
async fn whole_by_put_in_any_order_of_the_query() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    for content in [CONTENT, b""] {
        let digest = Digest::canonical(content);
        let opened = client.post(UPLOADS).await;
        stands(&opened, 202, "0-0");
        let (path, query) =
            opened.header("location").split_once('?').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let escaped = digest.to_string().replace(':', "%3A");
        let closed = client.put(&format!("{path}?digest={escaped}&extra=1&{query}"), content).await;
        stored(&mut client, &closed, digest, content).await;
    }
}

#[tokio::test]
async fn streamed_by_one_patch_of_unknown_length() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    let opened = client.post(UPLOADS).await;
    let location = opened.header("location");
    let sent = client.ask("PATCH", &location, &[], Body::Chunked(&[b"01234", b"56789"])).await;
    stands(&sent, 202, "0-9");
    let closed = client.ask("PUT", &sent.closing(Digest::canonical(CONTENT)), &[], Body::None).await;
    stored(&mut client, &closed, Digest::canonical(CONTENT), CONTENT).await;
}

#[tokio::test]
async fn in_chunks_the_last_of_them_with_the_put() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    // The algorithm shows only at the end, or was announced.
    for (query, algorithm) in
        [("", Algorithm::Sha256), ("", Algorithm::Sha512), ("?digest-algorithm=sha512", Algorithm::Sha512)]
    {
        let digest = Digest::of(algorithm, CONTENT);
        let opened = client.post(&format!("{UPLOADS}{query}")).await;
        let first = patch(&mut client, &opened.header("location"), "0-3", b"0123").await;
        stands(&first, 202, "0-3");
        let second = patch(&mut client, &first.header("location"), "bytes 4-6/*", b"456").await;
        stands(&second, 202, "0-6");
        stands(&client.get(&second.header("location")).await, 204, "0-6");
        let range = [("content-range", "7-9")];
        let closed = client.ask("PUT", &second.closing(digest), &range, Body::Sized(b"789")).await;
        stored(&mut client, &closed, digest, CONTENT).await;
    }
}

#[tokio::test]
async fn an_empty_chunk_changes_nothing() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    let opened = client.post(UPLOADS).await;
    let empty = client.ask("PATCH", &opened.header("location"), &[], Body::Sized(b"")).await;
    stands(&empty, 202, "0-0");
    let chunked = client.ask("PATCH", &empty.header("location"), &[], Body::Chunked(&[])).await;
    stands(&chunked, 202, "0-0");
    let closed = client.ask("PUT", &chunked.closing(Digest::canonical(b"")), &[], Body::Chunked(&[])).await;
    stored(&mut client, &closed, Digest::canonical(b""), b"").await;
}

#[tokio::test]
async fn a_chunk_out_of_order_is_416_and_the_session_goes_on() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    let digest = Digest::canonical(CONTENT);
    let opened = client.post(UPLOADS).await;
    let location = opened.header("location");
    let before = registry.holds().await;

    // On a fresh session, by PATCH and by the closing PUT; with a malformed range too.
    for range in ["5-9", "x", "9-5"] {
        let refused = patch(&mut client, &location, range, b"56789").await;
        refused.refused(416, "RANGE_INVALID");
        stands(&refused, 416, "0-0");
        let headers = [("content-range", range)];
        let refused = client.ask("PUT", &opened.closing(digest), &headers, Body::Sized(b"56789")).await;
        refused.refused(416, "RANGE_INVALID");
        stands(&refused, 416, "0-0");
    }
    assert_eq!(registry.holds().await, before);

    let first = patch(&mut client, &location, "0-4", b"01234").await;
    stands(&first, 202, "0-4");
    let before = registry.holds().await;
    for (range, content) in [("0-4", b"01234".as_slice()), ("4-8", b"45678"), ("6-9", b"6789")] {
        let refused = patch(&mut client, &first.header("location"), range, content).await;
        stands(&refused, 416, "0-4");
        // The URL of before, and the one that the refusal gave, both go on.
        stands(&client.get(&first.header("location")).await, 204, "0-4");
        stands(&client.get(&refused.header("location")).await, 204, "0-4");
        let headers = [("content-range", range)];
        let refused = client.ask("PUT", &first.closing(digest), &headers, Body::Sized(content)).await;
        stands(&refused, 416, "0-4");
        stands(&client.get(&first.closing(digest)).await, 204, "0-4");
    }
    assert_eq!(registry.holds().await, before);

    // An old URL knows less than the client: what is stored decides.
    let stale = patch(&mut client, &location, "5-9", b"56789").await;
    stands(&stale, 202, "0-9");
    let closed = client.ask("PUT", &stale.closing(digest), &[], Body::Sized(b"")).await;
    stored(&mut client, &closed, digest, CONTENT).await;
}

#[tokio::test]
async fn a_chunk_that_is_not_as_long_as_its_range_says_is_refused() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    let opened = client.post(UPLOADS).await;
    let location = opened.header("location");
    let first = patch(&mut client, &location, "0-4", b"01234").await;
    let before = registry.holds().await;
    let too_long = Body::Chunked(&[b"567", b"89!"]);
    let too_short = Body::Chunked(&[b"567"]);
    for body in [Body::Sized(b"56789!"), Body::Sized(b"567"), Body::Sized(b""), too_long, too_short] {
        let headers = [("content-range", "5-9")];
        client.ask("PATCH", &first.header("location"), &headers, body).await.refused(400, "SIZE_INVALID");
        let closing = first.closing(Digest::canonical(CONTENT));
        client.ask("PUT", &closing, &headers, body).await.refused(400, "SIZE_INVALID");
        assert_eq!(registry.holds().await, before);
    }
    let headers = [("content-range", "5-9")];
    let closing = first.closing(Digest::canonical(CONTENT));
    let closed = client.ask("PUT", &closing, &headers, Body::Chunked(&[b"567", b"89"])).await;
    stored(&mut client, &closed, Digest::canonical(CONTENT), CONTENT).await;
}

#[tokio::test]
async fn a_wrong_digest_stores_nothing_under_it() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    let wrong = Digest::canonical(b"other");
    let wrong512 = Digest::of(Algorithm::Sha512, b"other");
    for wrong in [wrong, wrong512] {
        let whole = client.ask("POST", &format!("{UPLOADS}?digest={wrong}"), &[], Body::Sized(CONTENT)).await;
        whole.refused(400, "DIGEST_INVALID");
        let opened = client.post(UPLOADS).await;
        client.put(&opened.closing(wrong), CONTENT).await.refused(400, "DIGEST_INVALID");
        let opened = client.post(UPLOADS).await;
        let sent = client.ask("PATCH", &opened.header("location"), &[], Body::Sized(CONTENT)).await;
        client.ask("PUT", &sent.closing(wrong), &[], Body::None).await.refused(400, "DIGEST_INVALID");
        client.get(&format!("/v2/repo/blobs/{wrong}")).await.refused(404, "BLOB_UNKNOWN");
        client.get(&format!("/v2/repo/blobs/{}", Digest::canonical(CONTENT))).await.refused(404, "BLOB_UNKNOWN");
        // The session is not stuck: with the right digest it closes.
        let closed = client.ask("PUT", &sent.closing(Digest::canonical(CONTENT)), &[], Body::None).await;
        stored(&mut client, &closed, Digest::canonical(CONTENT), CONTENT).await;
        client.delete(&format!("/v2/repo/blobs/{}", Digest::canonical(CONTENT))).await.is(202);
    }
}

#[tokio::test]
async fn closed_and_cancelled_sessions_are_over() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    let opened = client.post(UPLOADS).await;
    let sent = client.ask("PATCH", &opened.header("location"), &[], Body::Sized(CONTENT)).await;
    let cancelled = client.delete(&sent.header("location")).await;
    cancelled.is(204);
    for target in [opened.header("location"), sent.header("location")] {
        client.get(&target).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        client.delete(&target).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        client.ask("PATCH", &target, &[], Body::Sized(b"more")).await.is(404);
    }
    let closing = sent.closing(Digest::canonical(CONTENT));
    client.ask("PUT", &closing, &[], Body::None).await.refused(404, "BLOB_UPLOAD_UNKNOWN");

    let opened = client.post(UPLOADS).await;
    let sent = client.ask("PATCH", &opened.header("location"), &[], Body::Sized(CONTENT)).await;
    client.ask("PUT", &sent.closing(Digest::canonical(CONTENT)), &[], Body::None).await.is(201);
    client.get(&sent.header("location")).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    client.ask("PATCH", &sent.header("location"), &[], Body::Sized(b"more")).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
    // Closing again with the same digest is what a client does whose answer was lost.
    client.ask("PUT", &sent.closing(Digest::canonical(CONTENT)), &[], Body::None).await.is(201);
}

#[tokio::test]
async fn another_process_goes_on_with_a_session() {
    let first = Registry::start().await;
    let second = Setup { driver: first.driver.clone(), ..Setup::default() }.start().await;
    let path = |answer: &Answer| answer.header("location").split_once("/v2/").map(|(_, path)| format!("/v2/{path}"));
    let opened = first.client().await.post(UPLOADS).await;
    let mut client = second.client().await;
    let sent = patch(&mut client, &path(&opened).unwrap(), "0-4", b"01234").await;
    stands(&sent, 202, "0-4");
    let closing = format!("{}&digest={}", path(&sent).unwrap(), Digest::canonical(CONTENT));
    first.client().await.put(&closing, b"56789").await.is(201);
    let blob = format!("/v2/repo/blobs/{}", Digest::canonical(CONTENT));
    assert_eq!(client.get(&blob).await.is(200).body, CONTENT);
}

#[tokio::test]
async fn mounts_move_no_byte() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("other/repo", CONTENT).await;
    let mut client = registry.client().await;
    let mounted = client.post(&format!("{UPLOADS}?mount={digest}&from=other%2Frepo")).await;
    stored(&mut client, &mounted, &digest, CONTENT).await;
    client.delete(&format!("/v2/repo/blobs/{digest}")).await.is(202);
    let anonymous = client.post(&format!("{UPLOADS}?mount={digest}")).await;
    stored(&mut client, &anonymous, &digest, CONTENT).await;
}

#[tokio::test]
async fn a_mount_that_cannot_be_made_opens_a_session() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("other", CONTENT).await;
    let missing = Digest::canonical(b"never pushed");
    let mut client = registry.client().await;
    for query in
        [format!("mount={digest}&from=empty"), format!("mount={missing}"), format!("mount={missing}&from=other")]
    {
        let opened = client.post(&format!("{UPLOADS}?{query}")).await;
        stands(&opened, 202, "0-0");
        let closed = client.put(&opened.closing(&digest), CONTENT).await;
        stored(&mut client, &closed, &digest, CONTENT).await;
        client.delete(&format!("/v2/repo/blobs/{digest}")).await.is(202);
    }
}
