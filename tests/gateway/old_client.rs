//! How Docker's classic store, podman and crane push: one PATCH of which nobody knows how long it is.

use berth::digest::Digest;
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::support::http::{Answer, Http};

/// Pieces of a body, in bytes.
const PIECE: usize = 64 << 10;

/// HEAD, POST, PATCH and PUT; the answer to the last.
pub(crate) async fn push(http: &Http, repository: &str, content: &Bytes, digest: &Digest) -> Answer {
    let head = http.head(&format!("/v2/{repository}/blobs/{digest}")).await;
    assert_eq!(head.status, StatusCode::NOT_FOUND, "{head:?}");
    let sent = send(http, repository, content).await;
    http.put(&sent.closing(digest), &[], Bytes::new()).await
}

/// POST and PATCH; the answer to the latter.
pub(crate) async fn send(http: &Http, repository: &str, content: &Bytes) -> Answer {
    let opened = http.post(&format!("/v2/{repository}/blobs/uploads/")).await;
    assert_eq!(opened.status, StatusCode::ACCEPTED, "{opened:?}");
    let pieces = content.chunks(PIECE).map(|piece| content.slice_ref(piece)).collect();
    let sent = http.send_chunked(Method::PATCH, opened.header("location"), &[], pieces).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    assert_eq!(sent.header("range"), format!("0-{}", content.len().saturating_sub(1)));
    sent
}

/// Content by its digest, from wherever the client is sent for it.
pub(crate) async fn pull(http: &Http, repository: &str, digest: &Digest) -> Answer {
    let answer = http.get(&format!("/v2/{repository}/blobs/{digest}")).await;
    if answer.status != StatusCode::TEMPORARY_REDIRECT {
        return answer;
    }
    http.send(Method::GET, answer.header("location"), &[], Bytes::new()).await
}

/// The code of an error, and its words.
pub(crate) fn error(answer: &Answer) -> (u16, String, String) {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |name: &str| body["errors"][0][name].as_str().unwrap_or_default().to_owned();
    (answer.status.as_u16(), text("code"), text("message"))
}
