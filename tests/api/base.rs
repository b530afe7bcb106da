//! `/v2/`, and what every answer has.

use berth::http::Options;
use http::{HeaderMap, HeaderValue, header};

use crate::{
    client::Body,
    registry::{Registry, Setup},
};

#[tokio::test]
async fn the_base_says_that_the_protocol_is_spoken() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    for target in ["/v2/", "/v2", "http://elsewhere.example/v2/"] {
        let answer = client.get(target).await;
        answer.is(200);
        assert_eq!(answer.body, b"{}");
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0");
    }
    let head = client.head("/v2/").await;
    head.is(200);
    assert_eq!(head.header("content-length"), "2");
}

#[tokio::test]
async fn what_is_no_endpoint_is_not_found() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    for target in ["/", "/v1/", "/v2x", "/v2/repo", "/v2/repo/blobs", "/v2/repo/unknown/thing", "//v2/", "/metrics"] {
        let answer = client.get(target).await;
        answer.refused(404, "NAME_UNKNOWN");
        assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0");
        client.head(target).await.is(404);
    }
}

#[tokio::test]
async fn names_may_hold_the_words_of_routes_and_escapes_are_decoded_once() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("foo/manifests/tags", b"content").await;
    let mut client = registry.client().await;
    client.get(&format!("/v2/foo/manifests/tags/blobs/{digest}")).await.is(200);
    client.get(&format!("/v2/foo%2Fmanifests/tags/blobs/{}", digest.replace(':', "%3A"))).await.is(200);
    client.get(&format!("/v2/foo%252Fmanifests/tags/blobs/{digest}")).await.refused(400, "NAME_INVALID");
}

#[tokio::test]
async fn a_method_that_a_path_does_not_have_is_named_with_those_it_has() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    let digest = format!("sha256:{}", "0".repeat(64));
    let manifest = format!("/v2/repo/manifests/{digest}");
    let upload = "/v2/repo/blobs/uploads/00000000-0000-7000-8000-000000000000".to_owned();
    for (method, target, allow) in [
        ("POST", "/v2/".to_owned(), "GET, HEAD"),
        ("DELETE", "/v2/_catalog".to_owned(), "GET, HEAD"),
        ("PUT", "/v2/repo/tags/list".to_owned(), "GET, HEAD"),
        ("POST", manifest, "GET, HEAD, PUT, DELETE"),
        ("PUT", format!("/v2/repo/blobs/{digest}"), "GET, HEAD, DELETE"),
        ("GET", "/v2/repo/blobs/uploads/".to_owned(), "POST"),
        ("POST", upload, "GET, HEAD, PATCH, PUT, DELETE"),
        ("OPTIONS", format!("/v2/repo/referrers/{digest}"), "GET, HEAD"),
    ] {
        let answer = client.ask(method, &target, &[], Body::None).await;
        answer.refused(405, "UNSUPPORTED");
        assert_eq!(answer.header("allow"), allow, "{method} {target}");
    }
}

#[tokio::test]
async fn deletes_are_unsupported_when_they_are_off_but_an_upload_can_be_cancelled() {
    let http = Options { deletes: false, access_log: false, ..Options::default() };
    let registry = Setup { http, ..Setup::default() }.start().await;
    let blob = format!("/v2/repo/blobs/{}", registry.push_blob("repo", b"content").await);
    let mut client = registry.client().await;
    let answer = client.delete(&blob).await;
    answer.refused(405, "UNSUPPORTED");
    assert_eq!(answer.header("allow"), "GET, HEAD");
    client.delete("/v2/repo/manifests/latest").await.refused(405, "UNSUPPORTED");
    client.get(&blob).await.is(200);

    let opened = client.post("/v2/repo/blobs/uploads/").await;
    client.delete(&opened.header("location")).await.is(204);
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    let first = client.get("/v2/").await.header("x-request-id");
    let second = client.get("/nowhere").await.header("x-request-id");
    assert!(first.len() == 16 && second.len() == 16 && first != second, "{first} {second}");

    let given = client.ask("GET", "/v2/", &[("x-request-id", "Root=1-67891233-abc.d_e")], Body::None).await;
    assert_eq!(given.header("x-request-id"), "Root=1-67891233-abc.d_e");
    for hostile in ["", "a b", "a\"b", "{}", &"x".repeat(129)] {
        let answer = client.ask("GET", "/v2/", &[("x-request-id", hostile)], Body::None).await;
        assert_eq!(answer.header("x-request-id").len(), 16, "{hostile}");
    }
}

#[tokio::test]
async fn configured_headers_are_on_every_answer_that_has_not_its_own() {
    let mut headers = HeaderMap::new();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.append(header::VARY, HeaderValue::from_static("a"));
    headers.append(header::VARY, HeaderValue::from_static("b"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    let http = Options { headers, access_log: false, ..Options::default() };
    let registry = Setup { http, ..Setup::default() }.start().await;
    let digest = registry.push_blob("repo", b"content").await;
    let mut client = registry.client().await;
    for target in ["/v2/", "/nowhere"] {
        let answer = client.get(target).await;
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.all("vary"), ["a", "b"]);
        assert_eq!(answer.header("cache-control"), "no-cache");
    }
    let blob = client.get(&format!("/v2/repo/blobs/{digest}")).await;
    assert_eq!(blob.all("cache-control"), ["max-age=31536000"]);
}

#[tokio::test]
async fn a_prefix_stands_before_every_path() {
    let http = Options { prefix: "/registry".to_owned(), access_log: false, ..Options::default() };
    let registry = Setup { http, ..Setup::default() }.start().await;
    let mut client = registry.client().await;
    client.get("/registry/v2/").await.is(200);
    client.get("/v2/").await.is(404);
    client.get("/registryv2/").await.is(404);
    let opened = client.post("/registry/v2/repo/blobs/uploads/").await;
    let location = opened.header("location");
    assert!(location.starts_with(&format!("http://{}/registry/v2/repo/blobs/uploads/", registry.addr)), "{location}");
    let digest = berth::digest::Digest::canonical(b"content");
    let closed = client.put(&opened.closing(digest), b"content").await;
    client.get(&closed.header("location")).await.is(200);
}
