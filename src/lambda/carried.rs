//! Response headers, and a status, that the front ends of Lambda would rename or lose (`docs/edge.md`, "Carried headers").

use axum::{body::HttpBody as _, response::Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::{
    api::{BERTH_CHALLENGE, BERTH_LENGTH, BERTH_RANGE, BERTH_STATUS},
    http::ThroughEdge,
};

/// Repeats in `response` what a front end may rename. A 401 to a request that came through CloudFront becomes a 300 that
/// CloudFront's function makes a 401 again: for an origin status of 400 or above it would not run. No client follows a 300
/// without `Location`, and no push or pull succeeds by one. `is_head` tells whether the request's method is HEAD.
pub(super) fn carry(response: &mut Response, is_head: bool) {
    let through_edge = response.extensions().get::<ThroughEdge>().is_some();
    let status = response.status();
    let size = response.body().size_hint().exact();
    let headers = response.headers_mut();
    if let Some(range) = headers.get(header::RANGE).cloned() {
        headers.insert(BERTH_RANGE, range);
    }
    if is_head {
        carry_length(headers, status, size);
    }
    if status == StatusCode::UNAUTHORIZED {
        if let Some(challenge) = headers.get(header::WWW_AUTHENTICATE).cloned() {
            headers.insert(BERTH_CHALLENGE, challenge);
        }
        if through_edge {
            headers.remove(header::WWW_AUTHENTICATE);
            headers.remove(header::LOCATION);
            headers.insert(BERTH_STATUS, HeaderValue::from(StatusCode::UNAUTHORIZED.as_u16()));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            *response.status_mut() = StatusCode::MULTIPLE_CHOICES;
        }
    }
}

/// The length of what GET would return: where the response has the body of GET (most do), that of `size` bytes.
fn carry_length(headers: &mut HeaderMap, status: StatusCode, size: Option<u64>) {
    // RFC 9110, section 8.6.
    if matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        return;
    }
    if let Some(length) = headers.get(header::CONTENT_LENGTH).cloned().or(size.map(HeaderValue::from)) {
        headers.insert(BERTH_LENGTH, length.clone());
        headers.insert(header::CONTENT_LENGTH, length);
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn response(status: StatusCode, headers: &[(&'static str, &'static str)], body: &'static str) -> Response {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        for (name, value) in headers {
            response.headers_mut().insert(*name, HeaderValue::from_static(value));
        }
        response
    }

    fn shown(response: &Response) -> (u16, Vec<(&str, &str)>) {
        let mut headers: Vec<_> =
            response.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
        headers.sort_unstable();
        (response.status().as_u16(), headers)
    }

    #[test]
    fn a_challenge_is_repeated_and_through_cloudfront_encoded() {
        let refused = || response(StatusCode::UNAUTHORIZED, &[("www-authenticate", "Bearer x")], "{}");
        let mut direct = refused();
        carry(&mut direct, false);
        assert_eq!(shown(&direct), (401, vec![("www-authenticate", "Bearer x"), ("x-berth-challenge", "Bearer x")]));
        let mut through = refused();
        through.extensions_mut().insert(ThroughEdge);
        carry(&mut through, false);
        let encoded = vec![("cache-control", "no-store"), ("x-berth-challenge", "Bearer x"), ("x-berth-status", "401")];
        assert_eq!(shown(&through), (300, encoded));
    }

    #[test]
    fn other_statuses_stay_through_cloudfront_too() {
        for status in [StatusCode::OK, StatusCode::FORBIDDEN, StatusCode::NOT_FOUND, StatusCode::TEMPORARY_REDIRECT] {
            let mut through = response(status, &[("location", "/x")], "{}");
            through.extensions_mut().insert(ThroughEdge);
            carry(&mut through, false);
            assert_eq!(shown(&through), (status.as_u16(), vec![("location", "/x")]));
        }
    }

    #[test]
    fn a_range_is_repeated_with_every_status() {
        for status in [StatusCode::ACCEPTED, StatusCode::NO_CONTENT, StatusCode::RANGE_NOT_SATISFIABLE] {
            let mut session = response(status, &[("range", "0-9")], "");
            carry(&mut session, false);
            assert_eq!(shown(&session), (status.as_u16(), vec![("range", "0-9"), ("x-berth-range", "0-9")]));
        }
    }

    #[test]
    fn a_response_to_head_names_the_length_that_get_has() {
        let mut whole = response(StatusCode::OK, &[], "0123");
        carry(&mut whole, true);
        assert_eq!(shown(&whole), (200, vec![("content-length", "4"), ("x-berth-length", "4")]));
        // A blob that is not redirected: its length is known without its content.
        let mut blob = response(StatusCode::OK, &[("content-length", "9")], "");
        carry(&mut blob, true);
        assert_eq!(shown(&blob), (200, vec![("content-length", "9"), ("x-berth-length", "9")]));
        let mut unchanged = response(StatusCode::NOT_MODIFIED, &[], "");
        carry(&mut unchanged, true);
        assert_eq!(shown(&unchanged), (304, vec![]));
    }
}
