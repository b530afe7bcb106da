//! Whoever has no upload of their own writes nothing to the bucket, and whoever has one writes to its stage alone.

use berth::api::ticket;
use berth_local::edge::Outcome;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::event::*;

fn with_ticket(ticket: &str) -> Value {
    let mut event = closing(LAMBDA + 1);
    event["request"]["querystring"]["_edge"]["value"] = ticket.into();
    event
}

#[test]
fn a_ticket_of_anybody_else_opens_nothing() {
    let name = NAME.parse().unwrap();
    let (key, until) = ("a-key-of-the-edge", NOW + 1000);
    let other = ticket(key, &"team/other".parse().unwrap(), ID, until);
    let another = ticket(key, &name, "0193a1b2-c3d4-7e5f-8a6b-9c0d1e2f3a4c", until);
    let (_, mac) = good().split_once('.').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    for (what, ticket) in [
        ("another key", ticket("not-a-key", &name, ID, until)),
        ("both keys as one", ticket(KEYS, &name, ID, until)),
        ("an empty key", ticket("", &name, ID, until)),
        ("another repository", other),
        ("another upload", another),
        ("too late", ticket(key, &name, ID, NOW - 1)),
        ("prolonged", format!("{}.{mac}", until + 1)),
        ("without a time", format!(".{mac}")),
        ("a time that is none", format!("1e12.{mac}")),
        ("without a mac", format!("{until}.")),
        ("a shorter mac", format!("{until}.{}", &mac[..42])),
        ("a longer mac", format!("{until}.{mac}A")),
        ("not a ticket", "true".to_owned()),
        ("encoded", good().replace('.', "%2E")),
    ] {
        let (status, code, _) = refused(&with_ticket(&ticket));
        assert_eq!((status, code.as_str()), (404, "BLOB_UPLOAD_INVALID"), "{what}");
    }
}

#[test]
fn without_a_ticket_what_is_large_goes_nowhere() {
    for ticket in [Value::Null, json!({ "value": "" })] {
        let mut event = closing(LAMBDA + 1);
        event["request"]["querystring"]["_edge"] = ticket.clone();
        if ticket.is_null() {
            event["request"]["querystring"].as_object_mut().unwrap().remove("_edge");
        }
        let (status, code, message) = refused(&event);
        assert!(
            matches!((status, code.as_str()), (413, "SIZE_INVALID") | (404, "BLOB_UPLOAD_INVALID")),
            "{status} {code}"
        );
        assert!(status == 404 || message.contains("berth push"), "{message}");
    }
}

#[test]
fn a_path_that_leaves_the_stage_is_none() {
    let id = ID;
    for uri in [
        format!("/v2/team/../app/blobs/uploads/{id}"),
        format!("/v2/../../blobs/uploads/{id}"),
        format!("/v2/team//app/blobs/uploads/{id}"),
        format!("/v2/team%2fapp/blobs/uploads/{id}"),
        format!("/v2/team/app/blobs/uploads/{id}/"),
        format!("/v2/team/app/blobs/uploads/../{id}"),
        format!("/v2/team/app/blobs/uploads/{id}%2f..%2f..%2fdata"),
        format!("/v2/team/app/blobs/uploads/{id}/../../../../../blobs/sha256/ab/x/data"),
        format!("/v2/team/app/blobs/uploads/{}", id.to_uppercase()),
        "/v2/team/app/blobs/uploads/0193a1b2".to_owned(),
        format!("/V2/team/app/blobs/uploads/{id}"),
        format!("//v2/team/app/blobs/uploads/{id}"),
        format!("/v2/{}/blobs/uploads/{id}", "a".repeat(300)),
        "/docker/registry/v2/blobs/sha256/ab/x/data".to_owned(),
    ] {
        let mut event = closing(LAMBDA + 1);
        event["request"]["uri"] = uri.clone().into();
        // Signed for it as it stands there, in case anybody could have that.
        if let Some(name) = uri.strip_prefix("/v2/").and_then(|rest| rest.strip_suffix(&format!("/blobs/uploads/{id}")))
        {
            event["request"]["querystring"]["_edge"]["value"] = signed_as_it_stands(name).into();
        }
        let (status, ..) = refused(&event);
        assert!(status == 413 || status == 404, "{uri}: {status}");
    }
}

/// A ticket for a name that no repository can have.
fn signed_as_it_stands(name: &str) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use hmac::{KeyInit as _, Mac as _};
    let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(b"a-key-of-the-edge").unwrap();
    mac.update(format!("berth-edge-1\n{name}\n{ID}\n{}", NOW + 1000).as_bytes());
    format!("{}.{}", NOW + 1000, URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[test]
fn a_digest_is_one_or_nothing_is_sent() {
    for digest in [
        "",
        "sha256",
        "sha256:",
        "sha256:ab",
        "md5:0123",
        "sha384:00",
        "sha256%3A..%2F..%2Fdata",
        "sha256:../../../data",
        &format!("sha256:{}", "AB".repeat(32)),
        &format!("sha512:{}", sha256()),
        &format!("sha256:{}/..", sha256()),
        &format!("sha256:{}%2f", sha256()),
        &format!("sha256%253A{}", sha256()),
    ] {
        let mut event = closing(LAMBDA + 1);
        event["request"]["querystring"]["digest"]["value"] = digest.into();
        let (status, code, _) = refused(&event);
        assert_eq!((status, code.as_str()), (400, "DIGEST_INVALID"), "{digest}");
    }
    let mut event = closing(LAMBDA + 1);
    event["request"]["querystring"].as_object_mut().unwrap().remove("digest");
    assert_eq!(refused(&event).0, 400);
}

#[test]
fn a_state_that_would_be_something_else_in_a_url_is_refused() {
    for state in ["", "a&commit=x", "a#b", "a%26b", "a b", "a\r\nb", "../x"] {
        let mut event = closing(LAMBDA + 1);
        event["request"]["querystring"]["_state"]["value"] = state.into();
        assert_eq!(refused(&event).0, 404, "{state:?}");
    }
}

/// S3 obeys these: with the first a PUT is a copy of any object.
#[test]
fn nothing_that_s3_obeys_comes_from_outside() {
    let headers = [
        ("x-amz-copy-source", "/bucket/docker/registry/v2/repositories/secret/x"),
        ("x-amz-acl", "public-read"),
        ("x-amz-tagging", "a=b"),
        ("x-amz-meta-berth-uploader", "me"),
        ("x-amz-storage-class", "GLACIER"),
        ("x-amz-checksum-sha256", "AAAA"),
        ("x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
        ("x-amz-website-redirect-location", "https://example.com"),
        ("x-amz-object-lock-mode", "COMPLIANCE"),
        ("content-encoding", "gzip"),
        ("cache-control", "private"),
        ("content-disposition", "attachment"),
        ("if-none-match", "*"),
        ("authorization", "AWS4-HMAC-SHA256 .."),
        ("x-berth-commit", "https://example.com/"),
        ("expires", "0"),
        ("content-md5", "AAAA"),
        ("range", "bytes=0-1"),
    ];
    let mut event = closing(LAMBDA + 1);
    for (name, value) in headers {
        event["request"]["headers"][name] = json!({ "value": value });
    }
    for parameter in [
        "acl",
        "uploads",
        "uploadId",
        "partNumber",
        "tagging",
        "versionId",
        "x-amz-acl",
        "X-Amz-Security-Token",
        "retention",
    ] {
        event["request"]["querystring"][parameter] = json!({ "value": "x" });
    }
    event["request"]["cookies"]["a"] = json!({ "value": "b" });
    let sent = forwarded(&event);
    assert_eq!(sent, forwarded(&closing(LAMBDA + 1)));
    assert!(sent.request.headers.first("x-berth-commit").unwrap().starts_with("/v2/team/app/"));
}

#[test]
fn a_forged_place_of_the_commit_leads_nowhere_else() {
    let event = request(
        "PUT",
        "/v2/team/app/manifests/1",
        &[],
        &[("content-length", "9"), ("x-berth-commit", "//example.com")],
    );
    assert_eq!(response(&answered(event.clone(), 200, json!({}))).status_code, 200);
    // And the registry never sees it.
    assert_eq!(forwarded(&event).request.headers.first("x-berth-commit"), None);
}

#[test]
fn without_keys_nothing_is_let_in() {
    let known = code(&Parameters::default());
    for function in [loaded(&known), loaded(&known).keys([("others", "x")])] {
        let (status, code, _) = refused_by(&function, &closing(LAMBDA + 1));
        assert_eq!((status, code.as_str()), (503, "UNAVAILABLE"));
        // What needs none goes on.
        assert!(matches!(ran(&function, &closing(1)), Outcome::Forward(_)));
    }
    // No key is no key to be guessed.
    let function = loaded(&known).keys([("upload-keys", "")]);
    assert_eq!(refused_by(&function, &with_ticket(&ticket("a", &NAME.parse().unwrap(), ID, NOW + 1))).0, 404);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Whatever is asked, the function answers or sends on, and to the bucket only what it should, where it should.
    #[test]
    fn nothing_else_reaches_the_bucket(
        method in prop::sample::select(vec!["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]),
        uri in prop_oneof![
            Just(session()), "/v2/[a-z./%-]{0,30}/blobs/uploads/[0-9a-f-]{0,40}", "/[ -~&&[^\"\\\\#?]]{0,60}",
        ],
        state in prop_oneof![Just(STATE.to_owned()), "[ -~&&[^\"\\\\]]{0,20}"],
        edge in prop_oneof![Just(good()), "[0-9]{0,13}\\.[A-Za-z0-9_-]{0,50}", "[ -~&&[^\"\\\\]]{0,60}"],
        digest in prop_oneof![Just(format!("sha256:{}", sha256())), "sha(256|512)(:|%3A)[0-9a-f]{0,130}", "[ -~&&[^\"\\\\]]{0,80}"],
        length in prop_oneof![Just(None), (0u64..10_000_000_000).prop_map(|size| Some(size.to_string())), Just(Some("-1".to_owned()))],
    ) {
        let mut headers = vec![("authorization", "Bearer t")];
        headers.extend(length.as_deref().map(|length| ("content-length", length)));
        let event = request(method, &uri, &[("_state", &state), ("_edge", &edge), ("digest", &digest)], &headers);
        if let Outcome::Forward(sent) = ran(&function(), &event) {
            let size: i64 = length.as_deref().unwrap_or("0").parse().unwrap();
            if sent.origin.as_deref() == Some("bucket") {
                prop_assert_eq!((method, uri, edge), ("PUT", session(), good()));
                prop_assert!(size > LAMBDA as i64 && size <= LARGEST as i64);
                let stage = format!("/docker/registry/v2/repositories/{NAME}/_uploads/{ID}/edge/sha");
                prop_assert!(sent.request.uri.starts_with(&stage) && !sent.request.uri.contains(".."));
            } else {
                prop_assert!(size <= LAMBDA as i64, "{} bytes to the function", size);
            }
        }
    }
}
