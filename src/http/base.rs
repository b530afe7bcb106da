//! `/v2/`: does this speak the protocol?

use axum::response::Response;
use bytes::Bytes;
use http::StatusCode;

use super::answer::Answer;

/// `GET /v2/`: yes.
pub(super) fn get() -> Response {
    Answer::new(StatusCode::OK).json_bytes(Bytes::from_static(b"{}"))
}
