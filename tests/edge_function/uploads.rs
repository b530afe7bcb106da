//! The closing PUT of an upload, on its way to the bucket; and S3's answer, on its way back.

use serde_json::json;

use super::event::*;

const STAGE: &str = "docker/registry/v2/repositories/team/app/_uploads/0193a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b/edge";

#[test]
fn what_is_large_goes_to_the_stage_in_the_bucket() {
    let sent = forwarded(&closing(LAMBDA + 1));
    assert_eq!(sent.origin.as_deref(), Some("bucket"));
    assert_eq!(sent.request.uri, format!("/{STAGE}/sha256/{}", sha256()));
    assert_eq!(sent.query.as_deref(), Some(""));
    let mut names: Vec<_> = sent.request.headers.pairs().map(|(name, _)| name).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-length", "host", "x-amz-content-sha256", "x-berth-commit"]);
}

#[test]
fn below_a_root_directory_too() {
    let function = function_of(&Parameters { root: "team/registry/", ..Parameters::default() });
    let berth_local::edge::Outcome::Forward(sent) = ran(&function, &closing(LARGEST)) else { panic!("not sent on") };
    assert_eq!(sent.request.uri, format!("/team/registry/{STAGE}/sha256/{}", sha256()));
    // Its response leads to the commit, too.
    let headers: Vec<_> = sent.request.headers.pairs().map(|(name, value)| (name, value.value.as_str())).collect();
    let stored = answered(request("PUT", &sent.request.uri, &[], &headers), 200, json!({}));
    let berth_local::edge::Outcome::Respond(response) = ran(&function, &stored) else { panic!("no response") };
    assert_eq!(response.status_code, 303);
}

/// Where CloudFront adds `CDN-Loop`, a function may not remove it.
#[test]
fn what_a_function_may_not_change_stays() {
    let mut event = closing(LAMBDA + 1);
    for name in ["cdn-loop", "via", "transfer-encoding"] {
        event["request"]["headers"][name] = json!({ "value": "other.example" });
    }
    let sent = forwarded(&event);
    for name in ["cdn-loop", "via", "transfer-encoding"] {
        assert_eq!(sent.request.headers.first(name), Some("other.example"));
    }
}

#[test]
fn what_is_small_or_nothing_goes_to_the_registry() {
    for size in [0, 1, LAMBDA] {
        let sent = forwarded(&closing(size));
        assert_eq!(sent.origin, None, "{size}");
        assert_eq!(sent.request.uri, session());
        assert_eq!(sent.query, None);
        assert_eq!(sent.request.headers.first("authorization"), Some("Bearer t"));
        assert_eq!(sent.request.headers.first("x-forwarded-host"), Some("d111111abcdef8.cloudfront.net"));
    }
}

#[test]
fn sha512_has_a_stage_too() {
    let mut event = closing(LAMBDA + 1);
    let hex = "0f".repeat(64);
    event["request"]["querystring"]["digest"]["value"] = format!("sha512:{hex}").into();
    assert_eq!(forwarded(&event).request.uri, format!("/{STAGE}/sha512/{hex}"));
    assert!(
        forwarded(&event).request.headers.first("x-berth-commit").unwrap().contains(&format!("digest=sha512:{hex}&"))
    );
}

/// S3 refuses a body of another SHA-256 (`XAmzContentSHA256Mismatch`).
#[test]
fn s3_is_told_the_sha256_of_the_content() {
    let mut event = closing(LAMBDA + 1);
    event["request"]["headers"]["x-amz-content-sha256"] = json!({ "value": "0".repeat(64) });
    assert_eq!(forwarded(&event).request.headers.first("x-amz-content-sha256"), Some(sha256().as_str()));
    // Of another algorithm, S3 has no such header.
    event["request"]["querystring"]["digest"]["value"] = format!("sha512:{}", "0f".repeat(64)).into();
    assert_eq!(forwarded(&event).request.headers.first("x-amz-content-sha256"), Some("UNSIGNED-PAYLOAD"));
}

#[test]
fn either_key_opens() {
    let name = NAME.parse().unwrap();
    let mut event = closing(LAMBDA + 1);
    event["request"]["querystring"]["_edge"]["value"] = berth::api::ticket("the-key-before", &name, ID, NOW + 1).into();
    assert_eq!(forwarded(&event).origin.as_deref(), Some("bucket"));
}

/// The same as in the registry's own test of tickets.
#[test]
fn the_ticket_is_what_the_registry_makes() {
    let known = "1800000000.zRzydwREfDgN2idma9qvtUS4xLfsIRe6g3T-TwieinQ";
    let mut event = closing(LAMBDA + 1);
    event["request"]["querystring"]["_edge"]["value"] = known.into();
    assert_eq!(forwarded(&event).origin.as_deref(), Some("bucket"));
}

#[test]
fn the_answer_of_s3_leads_to_the_commit() {
    let commit = format!("{}?_state={STATE}&digest=sha256:{}&size=4194305&commit=edge", session(), sha256());
    let headers =
        json!({ "etag": { "value": "\"e\"" }, "server": { "value": "AmazonS3" }, "content-length": { "value": "0" } });
    // AWS does not say whether the request is the viewer's or the one that was sent on.
    let viewers = closing(LAMBDA + 1);
    let sent = forwarded(&viewers).request;
    let rewritten = {
        let headers: Vec<_> = sent.headers.pairs().map(|(name, value)| (name, value.value.as_str())).collect();
        request("PUT", &sent.uri, &[], &headers)
    };
    for (seen, saw) in [(viewers, "viewer"), (rewritten, "origin")] {
        let response = response(&answered(seen, 200, headers.clone()));
        assert_eq!(response.status_code, 303, "{saw}");
        assert_eq!(response.headers.first("location"), Some(commit.as_str()));
        assert_eq!(response.headers.first("x-berth-saw"), Some(saw));
        assert_eq!(response.headers.first("cache-control"), Some("no-store"));
        assert_eq!(response.headers.first("etag"), None);
    }
}

#[test]
fn every_other_answer_stays_as_it_is() {
    let location = json!({ "location": { "value": "/v2/team/app/blobs/sha256:x" }, "etag": { "value": "\"e\"" } });
    let patch = request("PATCH", &session(), &[("_state", STATE)], &[("content-length", "1")]);
    let get = request("GET", "/v2/team/app/blobs/x", &[], &[("x-berth-commit", "/v2/elsewhere")]);
    let manifest = request("PUT", "/v2/team/app/manifests/1", &[], &[("content-length", "100")]);
    for (event, status) in [
        (closing(10), 201),
        (closing(10), 202),
        (patch, 202),
        (get.clone(), 200),
        (get, 307),
        (manifest, 201),
        (closing(LAMBDA + 1), 204),
    ] {
        let response = response(&answered(event, status, location.clone()));
        assert_eq!(response.status_code, status);
        assert_eq!(response.headers.first("location"), Some("/v2/team/app/blobs/sha256:x"));
        assert_eq!(response.headers.first("etag"), Some("\"e\""));
    }
}
