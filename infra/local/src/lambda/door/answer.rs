//! A function's answer as an HTTP response ("Response payload format").

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use http_body::Body as _;
use http_body_util::{BodyExt as _, Empty, Full};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::behavior::HeadLength;
use super::is_hop_by_hop;
use super::options::{DoorOptions, Front};
pub(super) use crate::front::ResponseBody;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Formatted<'a> {
    status_code: u16,
    #[serde(default)]
    headers: Option<BTreeMap<String, Value>>,
    #[serde(default)]
    cookies: Option<Vec<String>>,
    #[serde(borrow, default)]
    body: Option<Text<'a>>,
    #[serde(default)]
    is_base64_encoded: Option<bool>,
}

/// A string that is borrowed where it has no escapes: of base64, six megabytes.
struct Text<'a>(Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Borrowed<'a>(#[serde(borrow)] Cow<'a, str>);
        Borrowed::deserialize(deserializer).map(|text| Text(text.0))
    }
}

/// An answer that does not give a status.
#[derive(Deserialize)]
struct Unformatted {
    #[serde(default, rename = "statusCode")]
    status_code: Option<Value>,
}

/// The response; none when the answer is not JSON, or claims a status and is not as documented.
pub(super) fn build(options: &DoorOptions, method: &Method, payload: Bytes) -> Option<Response<ResponseBody>> {
    if payload.trim_ascii_start().first() == Some(&b'{') {
        if let Ok(formatted) = serde_json::from_slice::<Formatted<'_>>(&payload) {
            return formatted.response(options, method);
        }
        if serde_json::from_slice::<Unformatted>(&payload).ok()?.status_code.is_some() {
            return None;
        }
    }
    let body = match serde_json::from_slice::<Value>(&payload).ok()? {
        Value::String(text) if options.front == Front::HttpApi => text.into(),
        _ => payload,
    };
    let mut response = Response::new(full(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(response)
}

impl Formatted<'_> {
    fn response(self, options: &DoorOptions, method: &Method) -> Option<Response<ResponseBody>> {
        let text = self.body.map(|body| body.0).unwrap_or_default();
        let body = match self.is_base64_encoded {
            Some(true) => STANDARD.decode(text.as_bytes()).ok()?,
            _ => text.into_owned().into_bytes(),
        };
        let mut response = Response::new(full(body.into()));
        *response.status_mut() = StatusCode::from_u16(self.status_code).ok()?;
        let mut given = HeaderMap::new();
        for (name, value) in self.headers.unwrap_or_default() {
            let name: HeaderName = name.parse().ok()?;
            let value = match value {
                Value::String(value) => value,
                other => other.to_string(),
            };
            if !is_hop_by_hop(&name) {
                given.insert(name, value.parse().ok()?);
            }
        }
        let headers = response.headers_mut();
        for (name, value) in &given {
            headers.insert(options.response_header(name.clone(), method), value.clone());
        }
        if options.front == Front::HttpApi {
            options.response_parameters.apply(self.status_code, &given, headers);
        }
        if !headers.contains_key(header::CONTENT_TYPE) {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(options.front.content_type()));
        }
        for cookie in self.cookies.unwrap_or_default() {
            headers.append(header::SET_COOKIE, cookie.parse().ok()?);
        }
        Some(response)
    }
}

/// A response to HEAD: without its body, with the length that the door gives it.
pub(super) fn to_head(options: &DoorOptions, response: &mut Response<ResponseBody>) {
    let length = response.body().size_hint().exact().unwrap_or_default();
    *response.body_mut() = empty();
    let status = response.status();
    let has_length =
        !status.is_informational() && ![StatusCode::NO_CONTENT, StatusCode::NOT_MODIFIED].contains(&status);
    match options.head_length {
        HeadLength::Computed if has_length => {
            response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
        }
        HeadLength::Computed | HeadLength::None => {
            response.headers_mut().remove(header::CONTENT_LENGTH);
        }
        HeadLength::Kept => {}
    }
}

pub(super) fn full(body: Bytes) -> ResponseBody {
    Full::new(body).map_err(|never| match never {}).boxed_unsync()
}

fn empty() -> ResponseBody {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}
