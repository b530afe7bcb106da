//! Answers on their way to the viewer.

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};

use super::function::{EventResponse, FieldValue, Fields, is_disallowed};
use super::request::text;
use crate::front::ResponseBody;
use crate::lambda::is_hop_by_hop;

/// The `response` of an event.
pub(super) fn event(parts: &Parts) -> EventResponse {
    let mut headers = Fields::default();
    let mut cookies = Fields::default();
    for (name, value) in &parts.headers {
        let value = text(value);
        if name == header::SET_COOKIE {
            let (cookie, attributes) = value.split_once(';').unwrap_or((value.as_str(), ""));
            let (name, value) = cookie.split_once('=').unwrap_or((cookie, ""));
            let attributes = Some(attributes.trim().to_owned()).filter(|attributes| !attributes.is_empty());
            cookies.add(name.trim(), FieldValue { value: value.trim().to_owned(), attributes });
        } else if !is_disallowed(name.as_str()) {
            headers.add(name.as_str(), FieldValue::new(value));
        }
    }
    EventResponse {
        status_code: parts.status.as_u16(),
        status_description: parts.status.canonical_reason().map(ToOwned::to_owned),
        headers,
        cookies,
        body: None,
    }
}

/// Removes what concerned the connection to the origin alone.
pub(super) fn strip(headers: &mut HeaderMap) {
    let gone: Vec<_> = headers.keys().filter(|name| is_hop_by_hop(name)).cloned().collect();
    for name in gone {
        headers.remove(name);
    }
}

/// The origin's answer to `method` as a function changed it. Headers that the function did not see stay. None when it cannot be
/// one.
pub(super) fn changed(
    origin: Response<ResponseBody>,
    changed: EventResponse,
    method: &Method,
) -> Option<Response<ResponseBody>> {
    let (parts, body) = origin.into_parts();
    let mut headers = fields(&changed)?;
    for (name, value) in &parts.headers {
        if is_disallowed(name.as_str()) {
            headers.append(name, value.clone());
        }
    }
    let body = match changed.body {
        Some(own) => {
            headers.remove(header::CONTENT_LENGTH);
            full(own)
        }
        // Documented as no read-only header of CloudFront Functions, and nothing follows that could contradict it.
        None if method == Method::HEAD => body,
        None => {
            // The length is that of the body, whatever is said.
            headers.remove(header::CONTENT_LENGTH);
            if let Some(length) = parts.headers.get(header::CONTENT_LENGTH) {
                headers.insert(header::CONTENT_LENGTH, length.clone());
            }
            body
        }
    };
    response(changed.status_code, headers, body)
}

/// A function's own answer.
pub(super) fn own(answer: EventResponse, method: &Method) -> Option<Response<ResponseBody>> {
    let mut headers = fields(&answer)?;
    headers.remove(header::CONTENT_LENGTH);
    headers.insert("x-cache", HeaderValue::from_static("FunctionGeneratedResponse from cloudfront"));
    headers.insert(header::SERVER, HeaderValue::from_static("CloudFront"));
    let body = answer.body.unwrap_or_default();
    if method == Method::HEAD {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    }
    response(answer.status_code, headers, full(body))
}

/// CloudFront's own headers.
pub(super) fn stamp(headers: &mut HeaderMap, id: &str, domain_name: &str) {
    if let (Ok(id), Ok(via)) = (id.parse(), format!("1.1 {domain_name} (CloudFront)").parse()) {
        headers.append(header::VIA, via);
        headers.insert("x-amz-cf-id", id);
    }
    headers.entry("x-cache").or_insert(HeaderValue::from_static("Miss from cloudfront"));
}

fn fields(response: &EventResponse) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in response.headers.pairs() {
        let name: HeaderName = name.parse().ok()?;
        if name != header::TRANSFER_ENCODING {
            headers.append(name, HeaderValue::from_bytes(value.value.as_bytes()).ok()?);
        }
    }
    for (name, FieldValue { value, attributes }) in response.cookies.pairs() {
        let attributes = attributes.as_ref().map_or_else(String::new, |attributes| format!("; {attributes}"));
        headers.append(header::SET_COOKIE, format!("{name}={value}{attributes}").parse().ok()?);
    }
    Some(headers)
}

fn response(status: u16, headers: HeaderMap, body: ResponseBody) -> Option<Response<ResponseBody>> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).ok()?;
    *response.headers_mut() = headers;
    Some(response)
}

fn full(body: Bytes) -> ResponseBody {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}
