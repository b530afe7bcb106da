//! Events, and the function that they are given to.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use berth::api::ticket;
use berth_local::edge::{EdgeFunction, Event, EventResponse, Forwarded, Outcome};
use serde_json::{Value, json};

pub(crate) const FILE: &str = "infra/edge/function.js";
pub(crate) const HOST: &str = "d111111abcdef8.cloudfront.net";
pub(crate) const NAME: &str = "team/app";
pub(crate) const ID: &str = "0193a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b";
pub(crate) const STATE: &str = "eyJzaXplIjowfQ.c2lnbmF0dXJl-_";
pub(crate) const KEYS: &str = "a-key-of-the-edge,the-key-before";
pub(crate) const NOW: u64 = 1_799_999_000;
pub(crate) const LARGEST: u64 = 5_000_000_000;
/// What the function takes itself: 4 MiB.
pub(crate) const LAMBDA: u64 = 4 << 20;

/// What CloudFormation puts into the function.
#[derive(Default)]
pub(crate) struct Parameters<'a> {
    pub(crate) root: &'a str,
    /// Empty: clients use the distribution's own name.
    pub(crate) domain: &'a str,
    /// Whether the rules allow anything to anonymous callers.
    pub(crate) anonymous: bool,
}

/// The function as it is deployed.
pub(crate) fn code(parameters: &Parameters<'_>) -> String {
    let placed = [
        ("${RootDirectory}", parameters.root.to_owned()),
        ("${LargestLayer}", LARGEST.to_string()),
        ("${DomainName}", parameters.domain.to_owned()),
        ("${Anonymous}", parameters.anonymous.to_string()),
    ];
    placed.iter().fold(embedded(), |text, (name, value)| text.replace(name, value))
}

/// The file as `infra/edge/embed` copies it: without comments, indentation and empty lines.
pub(crate) fn embedded() -> String {
    let text = std::fs::read_to_string(FILE).unwrap();
    let lines = text.lines().map(|line| line.trim_start_matches(' '));
    let code: Vec<_> = lines.filter(|line| !line.is_empty() && !line.starts_with("//")).collect();
    code.join("\n") + "\n"
}

pub(crate) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

pub(crate) fn function() -> EdgeFunction {
    function_of(&Parameters::default())
}

pub(crate) fn function_of(parameters: &Parameters<'_>) -> EdgeFunction {
    loaded(&code(parameters)).keys([("upload-keys", KEYS)])
}

/// Without keys.
pub(crate) fn loaded(code: &str) -> EdgeFunction {
    EdgeFunction::load(code).unwrap().origins(["registry", "bucket"]).clock(now())
}

pub(crate) fn sha256() -> String {
    "ab".repeat(32)
}

/// The ticket of the session, good for another 1,000 seconds.
pub(crate) fn good() -> String {
    ticket("a-key-of-the-edge", &NAME.parse().unwrap(), ID, NOW + 1000)
}

/// A viewer-request without credentials.
pub(crate) fn anonymous(method: &str, uri: &str, query: &[(&str, &str)], headers: &[(&str, &str)]) -> Value {
    let mut event = request(method, uri, query, headers);
    event["request"]["headers"].as_object_mut().unwrap().remove("authorization");
    event
}

/// A viewer-request, with a token unless `headers` have other credentials.
pub(crate) fn request(method: &str, uri: &str, query: &[(&str, &str)], headers: &[(&str, &str)]) -> Value {
    let fields = |pairs: &[(&str, &str)]| -> Value {
        pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!({ "value": value })))
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    let mut headers = fields(headers);
    headers["host"] = json!({ "value": HOST });
    if headers["authorization"].is_null() {
        headers["authorization"] = json!({ "value": "Bearer t" });
    }
    json!({
        "version": "1.0",
        "context": {
            "distributionDomainName": HOST, "distributionId": "EDFDVBD6EXAMPLE",
            "eventType": "viewer-request", "requestId": "EXAMPLEntjQpEXAMPLE_SG5Z-EXAMPLEPmPfEXAMPLEu3EqEXAMPLE==",
        },
        "viewer": { "ip": "198.51.100.11" },
        "request": { "method": method, "uri": uri, "querystring": fields(query), "headers": headers, "cookies": {} },
    })
}

pub(crate) fn session() -> String {
    format!("/v2/{NAME}/blobs/uploads/{ID}")
}

/// The closing PUT of the session, with so many bytes.
pub(crate) fn closing(size: u64) -> Value {
    let (digest, ticket, size) = (format!("sha256%3A{}", sha256()), good(), size.to_string());
    let query = [("_state", STATE), ("_edge", ticket.as_str()), ("digest", digest.as_str())];
    let headers = [("content-length", size.as_str()), ("content-type", "application/octet-stream")];
    request("PUT", &session(), &query, &headers)
}

/// The answer to `request` by an origin.
pub(crate) fn answered(mut request: Value, status: u16, headers: Value) -> Value {
    request["context"]["eventType"] = "viewer-response".into();
    request["response"] = json!({ "statusCode": status, "statusDescription": "OK", "headers": headers, "cookies": {} });
    request
}

pub(crate) fn ran(function: &EdgeFunction, event: &Value) -> Outcome {
    let ran = function.run(&Event::parse(&event.to_string()).unwrap());
    ran.outcome.unwrap_or_else(|failure| panic!("{failure:?}, {:?}", ran.log))
}

pub(crate) fn forwarded(event: &Value) -> Forwarded {
    match ran(&function(), event) {
        Outcome::Forward(forwarded) => forwarded,
        other => panic!("not sent on: {other:?}"),
    }
}

/// The answer that the function gives itself: its status, and the one error that it has.
pub(crate) fn refused(event: &Value) -> (u16, String, String) {
    refused_by(&function(), event)
}

pub(crate) fn refused_by(function: &EdgeFunction, event: &Value) -> (u16, String, String) {
    let Outcome::Answer(answer) = ran(function, event) else { panic!("sent on") };
    let EventResponse { status_code, headers, body, .. } = answer;
    assert_eq!(headers.first("content-type"), Some("application/json"));
    assert_eq!(headers.first("docker-distribution-api-version"), Some("registry/2.0"));
    let body: Value = serde_json::from_slice(&body.unwrap()).unwrap();
    let [error] = body["errors"].as_array().unwrap().as_slice() else { panic!("{body}") };
    (status_code, error["code"].as_str().unwrap().to_owned(), error["message"].as_str().unwrap().to_owned())
}

/// The answer to the viewer, of an event with a response.
pub(crate) fn response(event: &Value) -> EventResponse {
    match ran(&function(), event) {
        Outcome::Respond(response) => response,
        other => panic!("no response: {other:?}"),
    }
}
