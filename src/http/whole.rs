//! Answers that are handed on whole, where the door cannot stream.

use axum::{
    body::{Body, HttpBody as _},
    response::Response,
};
use http::StatusCode;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::fault::Fault;
use crate::api::ErrorCode;

/// `response` with its body in memory: `most` bytes of it at most.
///
/// # Errors
/// What to answer instead: the body is longer, or broke off.
pub(super) async fn whole(response: Response, most: u64) -> Result<Response, Fault> {
    let (parts, body) = response.into_parts();
    if body.size_hint().lower() > most {
        return Err(too_long(most));
    }
    let limited = Limited::new(body, usize::try_from(most).unwrap_or(usize::MAX)).collect().await;
    match limited {
        Ok(body) => Ok(Response::from_parts(parts, Body::from(body.to_bytes()))),
        Err(error) if error.is::<LengthLimitError>() => Err(too_long(most)),
        Err(error) => Err(Fault::broken(&error)),
    }
}

fn too_long(most: u64) -> Fault {
    let message = format!(
        "this content has more than the {most} bytes that this registry can hand on itself; ask for ranges of it, or \
         have the registry redirect (storage.redirect)"
    );
    Fault::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Unsupported, message)
}
