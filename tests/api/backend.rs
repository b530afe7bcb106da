//! What a client hears when storage fails: what it can do about it, and nothing of what lies behind.

use std::time::Duration;

use berth::{driver::DriverErrorKind, http::Options};

use crate::{
    client::Body,
    image::push_image,
    registry::{Registry, Setup},
};

#[tokio::test]
async fn each_kind_of_failure_has_its_answer() {
    let registry = Registry::start().await;
    push_image(&registry, "repo", "latest", b"layer").await;
    let digest = crate::image::digest(b"layer");
    let mut client = registry.client().await;
    let opened = client.post("/v2/repo/blobs/uploads/").await;
    let upload = opened.header("location");
    for (kind, status, code, retry) in [
        (DriverErrorKind::Throttled, 429, "TOOMANYREQUESTS", true),
        (DriverErrorKind::Timeout, 503, "UNAVAILABLE", true),
        (DriverErrorKind::Denied, 500, "UNKNOWN", false),
        (DriverErrorKind::Failed, 500, "UNKNOWN", false),
    ] {
        registry.driver.fail(Some(kind));
        for (method, target, body) in [
            ("GET", "/v2/_catalog".to_owned(), Body::None),
            ("GET", "/v2/repo/tags/list".to_owned(), Body::None),
            ("GET", "/v2/repo/manifests/latest".to_owned(), Body::None),
            ("DELETE", "/v2/repo/manifests/latest".to_owned(), Body::None),
            ("GET", format!("/v2/repo/blobs/{digest}"), Body::None),
            ("DELETE", format!("/v2/repo/blobs/{digest}"), Body::None),
            ("GET", format!("/v2/repo/referrers/{digest}"), Body::None),
            ("POST", format!("/v2/repo/blobs/uploads/?mount={digest}"), Body::None),
            ("PATCH", upload.clone(), Body::Sized(b"content")),
        ] {
            let answer = client.ask(method, &target, &[], body).await;
            answer.refused(status, code);
            assert_eq!(answer.has("retry-after"), retry, "{method} {target}");
            let message = answer.json()["errors"][0]["message"].as_str().unwrap().to_owned();
            assert!(message.contains(&answer.header("x-request-id")), "{message}");
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(!body.contains("doctored") && !body.contains("/docker/"), "{body}");
        }
    }
    registry.driver.fail(None);
    client.get("/v2/repo/manifests/latest").await.is(200);
}

#[tokio::test]
async fn a_request_whose_time_is_up_is_told_to_come_again() {
    let http = Options { request_timeout: Some(Duration::ZERO), access_log: false, ..Options::default() };
    let registry = Setup { http, ..Setup::default() }.start().await;
    let mut client = registry.client().await;
    client.get("/v2/").await.is(200);
    let answer = client.get("/v2/repo/manifests/latest").await;
    assert_eq!(answer.refused(503, "UNAVAILABLE").header("retry-after"), "1");
}
