//! Errors of a backend that is a registry itself, for a client whom its words are for.

use http::StatusCode;
use hyper::ext::ReasonPhrase;

use crate::{
    api::ErrorCode,
    distribution::{BackendError, BackendErrorKind},
};

/// Characters of an explanation in a status line.
const LONGEST: usize = 300;

/// What the error is to the client.
pub(super) fn status(error: &BackendError) -> (StatusCode, ErrorCode) {
    match error.kind {
        BackendErrorKind::Throttled => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests),
        BackendErrorKind::Timeout => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable),
        BackendErrorKind::Denied => (StatusCode::FORBIDDEN, ErrorCode::Denied),
        BackendErrorKind::Refused => (StatusCode::BAD_REQUEST, ErrorCode::Unsupported),
        BackendErrorKind::Failed => (StatusCode::BAD_GATEWAY, ErrorCode::Unknown),
    }
}

/// The status line's words (RFC 9112, section 4): Docker and podman show no more than those of a server's error.
pub(super) fn reason(status: StatusCode, message: &str) -> Option<ReasonPhrase> {
    let visible: String = message.chars().filter(|c| matches!(c, ' '..='~')).take(LONGEST).collect();
    let usual = status.canonical_reason().unwrap_or_default();
    let words = status.is_server_error().then(|| format!("{usual}: {visible}"))?;
    ReasonPhrase::try_from(words.into_bytes()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_can_stand_in_a_status_line_stands_there() {
        let words = |status, message: &str| {
            reason(status, message).map(|reason| String::from_utf8(reason.as_bytes().to_vec()).unwrap())
        };
        let failed = StatusCode::BAD_GATEWAY;
        assert_eq!(words(failed, "r answers\r\nX: 503 – \u{7}busy").unwrap(), "Bad Gateway: r answersX: 503  busy");
        assert_eq!(words(failed, &"x".repeat(1000)).unwrap().len(), "Bad Gateway: ".len() + LONGEST);
        assert_eq!(words(StatusCode::FORBIDDEN, "denied"), None);
    }
}
