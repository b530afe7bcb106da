//! A viewer's request as an event, and as what an origin is sent.

use std::net::IpAddr;

use http::request::Parts;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, Version, header};

use super::behavior::Forwarding;
use super::function::{EventRequest, FieldValue, Fields, Forwarded, is_disallowed};
use super::origin::Origin;

/// Text of a header's value: what is not UTF-8 is taken for ISO 8859-1 ("URI, query string, and headers encoding").
pub(super) fn text(value: &HeaderValue) -> String {
    let bytes = value.as_bytes();
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().map(|byte| char::from(*byte)).collect(), ToOwned::to_owned)
}

/// The `request` of an event. Headers that functions do not see, CloudFront does not forward either ("HTTP request headers and
/// CloudFront behavior").
pub(super) fn event(parts: &Parts, query: Option<&str>) -> EventRequest {
    let mut headers = Fields::default();
    let mut cookies = Fields::default();
    for (name, value) in &parts.headers {
        let value = text(value);
        if name == header::COOKIE {
            for cookie in value.split(';').map(str::trim).filter(|cookie| !cookie.is_empty()) {
                let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
                cookies.add(name, FieldValue::new(value));
            }
        } else if !is_disallowed(name.as_str()) && *name != header::TE {
            headers.add(name.as_str(), FieldValue::new(value));
        }
    }
    EventRequest {
        method: parts.method.to_string(),
        uri: parts.uri.path().to_owned(),
        querystring: Fields::of_query(query.unwrap_or_default()),
        headers,
        cookies,
    }
}

/// What goes on of a request.
#[derive(Debug)]
pub(super) struct Onward<'r> {
    pub(super) forwarded: &'r Forwarded,
    /// The query string as it came.
    pub(super) query: Option<&'r str>,
    pub(super) viewer: IpAddr,
    /// CloudFront's name for the request.
    pub(super) id: &'r str,
    pub(super) domain_name: &'r str,
}

/// Headers that go on although no policy says so, of those that viewers send ("HTTP request headers and CloudFront behavior").
const ALWAYS: [HeaderName; 9] = [
    header::CACHE_CONTROL,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::IF_MATCH,
    header::IF_MODIFIED_SINCE,
    header::IF_NONE_MATCH,
    header::IF_RANGE,
    header::IF_UNMODIFIED_SINCE,
    header::RANGE,
];

impl Onward<'_> {
    /// The head of the request to `origin`; none when it cannot be one.
    pub(super) fn head(&self, origin: &Origin, forwarding: Forwarding) -> Option<Parts> {
        let request = &self.forwarded.request;
        let query = match (forwarding, &self.forwarded.query) {
            (Forwarding::Nothing, _) => "",
            (_, Some(changed)) => changed,
            (_, None) => self.query.unwrap_or_default(),
        };
        let separator = if query.is_empty() { "" } else { "?" };
        let path = PathAndQuery::try_from(format!("{}{}{separator}{query}", origin.path, request.uri)).ok()?;
        let uri =
            Uri::builder().scheme("http").authority(origin.authority.clone()).path_and_query(path).build().ok()?;
        let built =
            Request::builder().method(request.method.as_str()).version(Version::HTTP_11).uri(uri).body(()).ok()?;
        let (mut parts, ()) = built.into_parts();
        parts.headers = self.headers(origin, forwarding)?;
        Some(parts)
    }

    fn headers(&self, origin: &Origin, forwarding: Forwarding) -> Option<HeaderMap> {
        let request = &self.forwarded.request;
        let mut headers = HeaderMap::new();
        for (name, value) in request.headers.pairs() {
            let name: HeaderName = name.parse().ok()?;
            // The framing is each connection's own.
            if name != header::TRANSFER_ENCODING && (forwarding != Forwarding::Nothing || ALWAYS.contains(&name)) {
                headers.append(name, HeaderValue::from_bytes(value.value.as_bytes()).ok()?);
            }
        }
        let cookies: Vec<_> = request.cookies.pairs().map(|(name, value)| format!("{name}={}", value.value)).collect();
        if !cookies.is_empty() && forwarding != Forwarding::Nothing {
            headers.insert(header::COOKIE, HeaderValue::from_bytes(cookies.join("; ").as_bytes()).ok()?);
        }
        if forwarding == Forwarding::Nothing {
            headers.insert(header::USER_AGENT, HeaderValue::from_static("Amazon CloudFront"));
        }
        if forwarding != Forwarding::All || origin.signer.is_some() {
            headers.insert(header::HOST, HeaderValue::from_str(origin.authority.as_str()).ok()?);
        }
        let through = request.headers.first("x-forwarded-for").map_or_else(String::new, |before| format!("{before},"));
        headers.insert("x-forwarded-for", format!("{through}{}", self.viewer).parse().ok()?);
        headers.append(header::VIA, format!("1.1 {} (CloudFront)", self.domain_name).parse().ok()?);
        headers.insert("x-amz-cf-id", self.id.parse().ok()?);
        for (name, value) in &origin.headers {
            headers.insert(name, value.clone());
        }
        Some(headers)
    }
}
