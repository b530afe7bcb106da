//! Responses of the registry, whose headers the function URL would have renamed.

use serde_json::{Value, json};

use super::event::*;

const CHALLENGE: &str =
    "Bearer realm=\"https://d111111abcdef8.cloudfront.net/token\",service=\"d111111abcdef8.cloudfront.net\"";

fn encoded() -> Value {
    json!({
        "x-berth-status": { "value": "401" }, "x-berth-challenge": { "value": CHALLENGE },
        "cache-control": { "value": "no-store" }, "content-type": { "value": "application/json" },
    })
}

fn names(response: &berth_local::edge::EventResponse) -> Vec<String> {
    let mut names: Vec<_> = response.headers.pairs().map(|(name, _)| name.to_owned()).collect();
    names.sort_unstable();
    names
}

#[test]
fn an_encoded_401_is_a_401_with_its_challenge() {
    for event in [
        request("GET", "/v2/", &[], &[]),
        request("HEAD", "/v2/team/app/manifests/1", &[], &[]),
        request("GET", "/token", &[], &[]),
        request("PATCH", &session(), &[("_state", STATE)], &[("content-length", "1")]),
        closing(10),
    ] {
        let response = response(&answered(event, 300, encoded()));
        assert_eq!((response.status_code, response.status_description.as_deref()), (401, Some("Unauthorized")));
        assert_eq!(response.headers.first("www-authenticate"), Some(CHALLENGE));
        assert_eq!(names(&response), ["cache-control", "content-type", "www-authenticate"]);
    }
}

#[test]
fn only_300_with_401_becomes_another_status() {
    let get = || request("GET", "/v2/", &[], &[]);
    for (status, said) in [(200, "401"), (202, "401"), (307, "401"), (300, "200"), (300, "403"), (300, "")] {
        let mut headers = encoded();
        headers["x-berth-status"]["value"] = said.into();
        let response = response(&answered(get(), status, headers));
        assert_eq!(response.status_code, status, "{status} {said}");
        assert_eq!(response.headers.first("www-authenticate"), None);
    }
    let mut headers = encoded();
    headers.as_object_mut().unwrap().remove("x-berth-challenge");
    assert_eq!(response(&answered(get(), 300, headers)).status_code, 300);
}

#[test]
fn a_range_is_restored() {
    let patch = || request("PATCH", &session(), &[("_state", STATE)], &[("content-length", "1")]);
    for range in [Value::Null, json!({ "value": "0-9" })] {
        let mut headers = json!({ "x-berth-range": { "value": "0-9" }, "x-amzn-remapped-range": { "value": "0-9" } });
        if !range.is_null() {
            headers["range"] = range;
        }
        let response = response(&answered(patch(), 202, headers));
        assert_eq!(response.status_code, 202);
        assert_eq!(response.headers.first("range"), Some("0-9"));
        assert_eq!(response.headers.first("x-berth-range"), None);
    }
}

#[test]
fn the_length_of_head_is_the_registrys() {
    for computed in [json!(null), json!({ "value": "0" }), json!({ "value": "7" })] {
        for (method, expected) in [("HEAD", Some("7")), ("GET", computed["value"].as_str())] {
            let mut headers = json!({ "x-berth-length": { "value": "7" } });
            if !computed.is_null() {
                headers["content-length"] = computed.clone();
            }
            let manifest = request(method, "/v2/team/app/manifests/1", &[], &[]);
            let response = response(&answered(manifest, 200, headers));
            assert_eq!(response.headers.first("content-length"), expected, "{method} {computed}");
            assert_eq!(response.headers.first("x-berth-length"), None);
        }
    }
}

/// A client may send any request header. Where viewer-response sees the request as it came, it sees these.
#[test]
fn request_headers_of_a_client_change_no_response() {
    let sent = [
        ("x-berth-status", "401"),
        ("x-berth-challenge", "Basic realm=\"evil\""),
        ("x-berth-range", "0-1"),
        ("x-berth-length", "1"),
        ("x-berth-commit", "/v2/evil/blobs/uploads/x"),
    ];
    for (method, uri) in [("GET", "/v2/"), ("HEAD", "/v2/"), ("PUT", "/v2/team/app/manifests/1"), ("PUT", "/docker/x")]
    {
        for status in [200, 201, 300] {
            let given = json!({ "etag": { "value": "\"e\"" } });
            let response = response(&answered(request(method, uri, &[], &sent), status, given));
            assert_eq!((response.status_code, names(&response)), (status, vec!["etag".to_owned()]), "{method} {uri}");
        }
    }
}

/// Headers of an object in the bucket are what its writer made them.
#[test]
fn a_response_of_s3_becomes_neither_401_nor_a_redirect_to_anywhere_else() {
    let stored = closing(LAMBDA + 1);
    let sent = forwarded(&stored).request;
    let headers: Vec<_> = sent.headers.pairs().map(|(name, value)| (name, value.value.as_str())).collect();
    let rewritten = request("PUT", &sent.uri, &[], &headers);
    let mut forged = encoded();
    forged["location"] = json!({ "value": "https://evil.example.com/" });
    forged["x-berth-commit"] = json!({ "value": "/v2/evil/blobs/uploads/x" });
    for seen in [stored, rewritten] {
        let kept = response(&answered(seen.clone(), 300, forged.clone()));
        assert_eq!((kept.status_code, kept.headers.first("www-authenticate")), (300, None));
        let committed = response(&answered(seen, 200, forged.clone()));
        assert_eq!((committed.status_code, committed.headers.first("www-authenticate")), (303, None));
        let location = committed.headers.first("location").unwrap();
        assert!(location.starts_with(&format!("{}?_state={STATE}&digest=", session())), "{location}");
    }
}
