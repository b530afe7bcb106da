//! What the function answers itself, so that no client is left with an answer of AWS's that it cannot read.

use serde_json::json;

use super::event::*;

#[test]
fn a_patch_that_lambda_could_not_take_is_told_what_to_do() {
    let long = request("PATCH", &session(), &[("_state", STATE)], &[("content-length", "4194305")]);
    let (status, code, message) = refused(&long);
    assert_eq!((status, code.as_str()), (405, "UNSUPPORTED"));
    for way in ["berth gateway", "berth push", "containerd image store"] {
        assert!(message.contains(way), "{message}");
    }
    // A client shows this in one line of its own.
    assert!(message.len() < 250, "{}", message.len());
}

/// Small blobs of Docker's classic store, podman, cosign and others; Lambda refuses what is too large.
#[test]
fn a_patch_of_unknown_length_goes_to_the_registry() {
    // HTTP/2 has no transfer coding: neither header.
    for headers in [&[("transfer-encoding", "chunked")][..], &[]] {
        let sent = forwarded(&request("PATCH", &session(), &[("_state", STATE)], headers));
        assert_eq!((sent.origin, sent.request.uri), (None, session()));
    }
}

#[test]
fn a_chunk_that_lambda_takes_goes_there() {
    for size in ["0", "1", "4194304"] {
        let event =
            request("PATCH", &session(), &[("_state", STATE)], &[("content-length", size), ("content-range", "5-9")]);
        let sent = forwarded(&event);
        assert_eq!((sent.origin.as_deref(), sent.query.as_deref()), (None, None));
        assert_eq!(sent.request.headers.first("content-range"), Some("5-9"));
    }
}

#[test]
fn a_layer_above_the_limit_is_told_of_berth_push() {
    let (status, code, message) = refused(&closing(LARGEST + 1));
    assert_eq!((status, code.as_str()), (413, "SIZE_INVALID"));
    assert!(message.contains("5000000000") && message.contains("berth push"), "{message}");
    assert_eq!(forwarded(&closing(LARGEST)).origin.as_deref(), Some("bucket"));
}

#[test]
fn any_other_body_that_is_too_long_is_refused_in_the_registrys_form() {
    for (method, uri) in [
        ("PUT", "/v2/team/app/manifests/1"),
        ("POST", "/v2/team/app/blobs/uploads/"),
        ("POST", "/token"),
        ("PUT", "/"),
        ("DELETE", "/v2/team/app/manifests/1"),
        ("GET", "/v2/"),
    ] {
        let (status, code, message) = refused(&request(method, uri, &[], &[("content-length", "4194305")]));
        assert_eq!((status, code.as_str()), (413, "SIZE_INVALID"), "{method} {uri}");
        assert_eq!(message.contains("berth push"), uri.ends_with("uploads/"), "{message}");
        // How long this is, nobody knows: Lambda's own door takes it, or refuses it.
        assert_eq!(forwarded(&request(method, uri, &[], &[("transfer-encoding", "chunked")])).origin, None);
    }
}

/// A session that holds bytes already has no ticket, but a client may hold on to its first URL.
#[test]
fn a_closing_put_that_is_not_from_the_first_byte_is_refused() {
    let size = LAMBDA + 1;
    for (range, taken) in [
        (format!("0-{}", size - 1), true),
        (format!("bytes 0-{}/*", size - 1), true),
        (format!("1-{size}"), false),
        ("0-5".to_owned(), false),
        (format!("5-{}", size + 4), false),
    ] {
        let mut event = closing(size);
        event["request"]["headers"]["content-range"] = json!({ "value": range });
        if taken {
            assert_eq!(forwarded(&event).origin.as_deref(), Some("bucket"), "{range}");
        } else {
            let (status, code, _) = refused(&event);
            assert_eq!((status, code.as_str()), (416, "RANGE_INVALID"), "{range}");
        }
    }
}

#[test]
fn everything_else_goes_on_as_it_came() {
    for (method, uri) in [
        ("GET", "/v2/"),
        ("HEAD", "/v2/team/app/manifests/1"),
        ("GET", "/v2/team/app/blobs/x"),
        ("POST", "/v2/team/app/blobs/uploads/"),
        ("DELETE", "/v2/team/app/manifests/1"),
        ("GET", "/token"),
        ("PUT", "/v2/team/app/manifests/1"),
        ("OPTIONS", "/"),
        ("GET", "/v2/team/app/blobs/uploads/0193a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4b"),
    ] {
        let headers = [
            ("authorization", "Basic x"),
            ("accept", "*/*"),
            ("x-forwarded-host", "evil.example.com"),
            ("x-berth-origin", "a secret"),
            ("x-berth-status", "401"),
            ("x-berth-commit", "/v2/"),
            ("content-length", "7"),
        ];
        let sent = forwarded(&request(method, uri, &[("scope", "repository%3Aa%3Apull")], &headers));
        assert_eq!((sent.origin.as_deref(), sent.query.as_deref()), (None, None), "{method} {uri}");
        assert_eq!(sent.request.uri, uri);
        assert_eq!(sent.request.headers.first("authorization"), Some("Basic x"));
        // Only what CloudFront was asked by counts.
        assert_eq!(sent.request.headers.first("x-forwarded-host"), Some(HOST));
        // These are for CloudFront and the registry alone.
        assert!(sent.request.headers.pairs().all(|(name, _)| !name.starts_with("x-berth-")), "{method} {uri}");
    }
}
