//! A request as an event, payload format 2.0.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use serde::Serialize;
use time::OffsetDateTime;
use time::macros::format_description;

use super::behavior::Bodies;
use super::is_hop_by_hop;
use super::options::DoorOptions;
use crate::host::Ends;
use crate::lambda::event::{epoch_millis, trace};

const DEFAULT: &str = "$default";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event<'a> {
    version: &'a str,
    route_key: &'a str,
    raw_path: &'a str,
    raw_query_string: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<Cow<'a, str>>,
    headers: BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    query_string_parameters: BTreeMap<String, String>,
    request_context: Context<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Context<'a> {
    account_id: &'a str,
    api_id: &'a str,
    authentication: Option<()>,
    domain_name: &'a str,
    domain_prefix: &'a str,
    http: Http<'a>,
    request_id: &'a str,
    route_key: &'a str,
    stage: &'a str,
    time: String,
    time_epoch: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Http<'a> {
    method: &'a str,
    path: &'a str,
    protocol: String,
    source_ip: String,
    user_agent: &'a str,
}

/// The event's JSON.
pub(super) fn build(
    options: &DoorOptions,
    id: &str,
    parts: &Parts,
    ends: Ends,
    now: SystemTime,
    body: &[u8],
) -> Vec<u8> {
    let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let domain = text(header::HOST).or_else(|| parts.uri.authority().map(|authority| authority.as_str()));
    let domain = domain.unwrap_or_default();
    let query = parts.uri.query().unwrap_or_default();
    let event = Event {
        version: "2.0",
        route_key: DEFAULT,
        raw_path: parts.uri.path(),
        raw_query_string: query,
        cookies: cookies(&parts.headers),
        headers: headers(options, &parts.headers, ends, body.len(), trace(id, now)),
        query_string_parameters: parameters(query),
        request_context: Context {
            account_id: "123456789012",
            api_id: "local",
            authentication: None,
            domain_name: domain,
            domain_prefix: domain.split('.').next().unwrap_or_default(),
            http: Http {
                method: parts.method.as_str(),
                path: options.context_path(parts.uri.path()),
                protocol: format!("{:?}", parts.version),
                source_ip: ends.peer.ip().to_string(),
                user_agent: text(header::USER_AGENT).unwrap_or_default(),
            },
            request_id: id,
            route_key: DEFAULT,
            stage: DEFAULT,
            time: clock(now),
            time_epoch: u64::try_from(epoch_millis(now)).unwrap_or(u64::MAX),
        },
    };
    let mut json = serde_json::to_vec(&event).unwrap_or_default();
    // The body goes straight behind the rest: six megabytes are not copied once more for the sake of a field.
    json.pop();
    append(&mut json, options.bodies, text(header::CONTENT_TYPE), body);
    json
}

/// Appends the body and the end of the event.
fn append(json: &mut Vec<u8>, bodies: Bodies, content_type: Option<&str>, body: &[u8]) {
    let text = match bodies {
        Bodies::BinaryInBase64 if content_type.is_some_and(is_text) => std::str::from_utf8(body).ok(),
        _ => None,
    };
    if body.is_empty() {
        json.extend_from_slice(br#","isBase64Encoded":false}"#);
    } else if let Some(text) = text {
        json.extend_from_slice(br#","body":"#);
        // Writing a string to memory cannot fail.
        let _ = serde_json::to_writer(&mut *json, text);
        json.extend_from_slice(br#","isBase64Encoded":false}"#);
    } else {
        json.extend_from_slice(br#","body":""#);
        let start = json.len();
        json.resize(start + body.len().div_ceil(3) * 4, 0);
        // Exactly the length that base64 with padding has.
        let _ = STANDARD.encode_slice(body, &mut json[start..]);
        json.extend_from_slice(br#"","isBase64Encoded":true}"#);
    }
}

/// Whether a body of this type travels as it is.
fn is_text(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence.starts_with("text/")
        || ["application/json", "application/xml", "application/javascript"].contains(&essence.as_str())
        || essence.ends_with("+json")
        || essence.ends_with("+xml")
}

fn lossy(value: &HeaderValue) -> Cow<'_, str> {
    String::from_utf8_lossy(value.as_bytes())
}

/// All cookies of all `Cookie` headers; the header itself is not passed on.
fn cookies(headers: &HeaderMap) -> Vec<Cow<'_, str>> {
    let values = headers.get_all(header::COOKIE).iter().map(lossy);
    values
        .flat_map(|value| value.split(';').map(|cookie| cookie.trim().to_owned().into()).collect::<Vec<_>>())
        .collect()
}

/// The request's headers, each once, with what a door adds.
fn headers<'a>(
    options: &DoorOptions,
    given: &'a HeaderMap,
    ends: Ends,
    body_length: usize,
    trace: String,
) -> BTreeMap<&'a str, String> {
    let connection =
        given.get_all(header::CONNECTION).iter().map(lossy).collect::<Vec<_>>().join(",").to_ascii_lowercase();
    let named = |name: &HeaderName| connection.split(',').any(|token| token.trim() == name.as_str());
    let mut headers: BTreeMap<&str, String> = BTreeMap::new();
    for name in given.keys().filter(|name| !is_hop_by_hop(name) && !named(name)) {
        if *name != header::COOKIE && *name != header::EXPECT {
            let values: Vec<_> = given.get_all(name).iter().map(lossy).collect();
            headers.insert(name.as_str(), values.join(","));
        }
    }
    if given.contains_key(header::TRANSFER_ENCODING) {
        headers.insert("content-length", body_length.to_string());
    }
    // One that a client sends is kept, as X-Ray wants it.
    headers.entry("x-amzn-trace-id").or_insert(trace);
    let client = ends.peer.ip().to_string();
    let through = headers.get("x-forwarded-for").map(|before| format!("{before}, {client}"));
    headers.insert("x-forwarded-for", through.unwrap_or(client));
    headers.insert("x-forwarded-port", ends.own.port().to_string());
    headers.insert("x-forwarded-proto", options.scheme.name().to_owned());
    headers
}

/// The query's parameters, decoded; those of one name are joined by commas.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let decode =
        |text: &str| percent_encoding::percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let mut parameters = BTreeMap::<String, String>::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name), decode(value));
        parameters.entry(name).and_modify(|values| *values = format!("{values},{value}")).or_insert(value);
    }
    parameters
}

/// `12/Mar/2020:19:03:58 +0000`.
fn clock(now: SystemTime) -> String {
    let format = format_description!("[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000");
    OffsetDateTime::from(now).format(format).unwrap_or_default()
}
