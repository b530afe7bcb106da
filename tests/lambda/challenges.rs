//! The challenge through CloudFront: a function URL renames `WWW-Authenticate`, and viewer-response does not run for 401.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use berth::{api::REMAPPED_CHALLENGE, auth::jws::SigningKey};
use berth_local::{
    edge::{EdgeOptions, Handled, Sees},
    lambda::{DoorOptions, HeadLength, Renaming},
};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::{
    deployed::Deployed,
    stack::{BASIC, OCI_IMAGE, code, manifest, push_blob},
    support::http::Answer,
};

/// Nothing is allowed to anonymous callers, so that the function answers requests without credentials itself.
const CLOSED: [(&str, &str); 1] =
    [("Rules", "allow user:alice to pull, push, delete, catalog on **; allow user:bob to pull on app")];

async fn token(deployed: &Deployed, scope: &str) -> String {
    let headers: &[(&str, &str)] = if scope.is_empty() { &[] } else { &[("authorization", BASIC)] };
    let target = format!("/token?service={}&scope={scope}", deployed.edge.address());
    let answer = deployed.stranger().send(Method::GET, &target, headers, Bytes::new()).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let answer: Value = serde_json::from_slice(&answer.body).unwrap();
    answer["token"].as_str().unwrap().to_owned()
}

/// What a client does without logging in first.
async fn ask(deployed: &Deployed, method: &Method, target: &str, authorization: Option<&str>) -> Answer {
    let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
    deployed.stranger().send(method.clone(), target, &headers, Bytes::new()).await
}

/// Each way to be asked for credentials: what is requested, with which credentials, and how the challenge ends.
async fn cases(deployed: &Deployed) -> Vec<(Method, &'static str, Option<String>, String)> {
    let bearer = async |scope: &str| Some(format!("Bearer {}", token(deployed, scope).await));
    let scope = |scope: &str| format!(",scope=\"{scope}\"");
    let service = format!("service=\"{}\"", deployed.edge.address());
    let insufficient = ",error=\"insufficient_scope\"";
    let wrong = Some("Basic YWxpY2U6d3Jvbmc=".to_owned());
    vec![
        (Method::GET, "/v2/", None, service.clone()),
        (Method::GET, "/v2/app/tags/list", None, scope("repository:app:pull")),
        (Method::HEAD, "/v2/app/manifests/1", None, scope("repository:app:pull")),
        (Method::POST, "/v2/app/blobs/uploads/", None, scope("repository:app:pull,push")),
        (Method::GET, "/v2/", Some("Bearer nonsense".to_owned()), service + ",error=\"invalid_token\""),
        (Method::GET, "/v2/app/tags/list", wrong.clone(), scope("repository:app:pull")),
        (
            Method::PUT,
            "/v2/app/manifests/1",
            bearer("repository:app:pull").await,
            scope("repository:app:pull,push") + insufficient,
        ),
        (
            Method::POST,
            "/v2/app/blobs/uploads/",
            bearer("repository:other:pull,push").await,
            scope("repository:app:pull,push") + insufficient,
        ),
        (Method::GET, "/token", wrong, "charset=\"UTF-8\"".to_owned()),
        (Method::GET, "/token", Some("Bearer x".to_owned()), "charset=\"UTF-8\"".to_owned()),
    ]
}

fn challenged(deployed: &Deployed, answer: &Answer, target: &str, end: &str) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{target}: {answer:?}");
    let challenge = answer.header("www-authenticate");
    let start = match target {
        "/token" => format!("Basic realm=\"{}\"", deployed.edge.url()),
        _ => format!("Bearer realm=\"{}/token\",", deployed.edge.url()),
    };
    assert!(challenge.starts_with(&start) && challenge.ends_with(end), "{target}: {challenge}");
    assert_eq!(answer.header("cache-control"), "no-store");
    for name in answer.headers.keys().map(|name| name.as_str()) {
        assert!(!name.starts_with("x-berth-") && name != REMAPPED_CHALLENGE, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_challenge_reaches_the_client() {
    for (response_sees, parameters) in [(Sees::Rewritten, &CLOSED[..]), (Sees::Original, &[])] {
        let options = EdgeOptions { response_sees, ..EdgeOptions::default() };
        let deployed = Deployed::start(options, parameters).await;
        for (method, target, authorization, end) in cases(&deployed).await {
            let answer = ask(&deployed, &method, target, authorization.as_deref()).await;
            challenged(&deployed, &answer, target, &end);
            if method != Method::HEAD {
                assert_eq!(code(&answer), "UNAUTHORIZED");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_without_credentials_invokes_nothing() {
    let deployed = Deployed::start(EdgeOptions::default(), &CLOSED).await;
    let before = deployed.registry.counters().invocations;
    for (method, target) in
        [(Method::GET, "/v2/"), (Method::HEAD, "/v2/app/manifests/1"), (Method::POST, "/v2/app/blobs/uploads/")]
    {
        assert_eq!(ask(&deployed, &method, target, None).await.status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(deployed.registry.counters().invocations, before);
    assert!(deployed.edge.requests().iter().all(|request| request.handled == Handled::Answered));
}

/// Signed by the registry's own key, and over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_token_is_asked_to_be_renewed() {
    let deployed = Deployed::start(EdgeOptions::default(), &CLOSED).await;
    let given = token(&deployed, "repository:app:pull").await;
    let expired = expired(&deployed, &given);
    let answer = ask(&deployed, &Method::GET, "/v2/app/tags/list", Some(&format!("Bearer {expired}"))).await;
    challenged(&deployed, &answer, "/v2/", ",scope=\"repository:app:pull\",error=\"invalid_token\"");
    assert!(String::from_utf8_lossy(&answer.body).contains("expired"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn anonymous_callers_pull_what_they_may_and_are_asked_to_log_in_to_push() {
    let deployed = Deployed::start(EdgeOptions::default(), &[]).await;
    let http = deployed.http();
    let config = Bytes::from("{}");
    push_blob(&http, "public/app", &config).await;
    let pushed = http.put("/v2/public/app/manifests/1", &[OCI_IMAGE], manifest(&config, &[])).await;
    assert_eq!(pushed.status, StatusCode::CREATED);
    let pulled = ask(&deployed, &Method::GET, "/v2/public/app/manifests/1", None).await;
    assert_eq!(pulled.status, StatusCode::OK, "{pulled:?}");
    let uploads = "/v2/public/app/blobs/uploads/";
    let anonymous = format!("Bearer {}", token(&deployed, "").await);
    for (authorization, end) in [(None, ""), (Some(anonymous.as_str()), ",error=\"insufficient_scope\"")] {
        let answer = ask(&deployed, &Method::POST, uploads, authorization).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?}");
        let challenge = answer.header("www-authenticate");
        assert!(challenge.contains(&format!(",scope=\"repository:public/app:pull,push\"{end}")), "{challenge}");
    }
}

/// The registry's log has what the registry decided.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_has_the_401() {
    let deployed = Deployed::start(EdgeOptions::default(), &CLOSED).await;
    let headers = [("x-request-id", "asked-without-a-token"), ("authorization", "Bearer nonsense")];
    let answer = deployed.stranger().send(Method::GET, "/v2/", &headers, Bytes::new()).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    let line = deployed.registry.log(|line| line.text.contains("asked-without-a-token")).await;
    let line: Value = serde_json::from_str(&line.text).unwrap();
    assert_eq!(line["status"], json!(401));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_viewer_response_no_client_sees_a_success() {
    let options = EdgeOptions { response_runs: false, ..EdgeOptions::default() };
    let deployed = Deployed::start(options, &[]).await;
    for (method, target, authorization, _) in cases(&deployed).await {
        let answer = ask(&deployed, &method, target, authorization.as_deref()).await;
        assert_eq!((answer.status, answer.header("location")), (StatusCode::MULTIPLE_CHOICES, ""), "{answer:?}");
        // Berth's own clients read these.
        assert_eq!(answer.header("x-berth-status"), "401");
        assert!(answer.header("x-berth-challenge").contains(" realm="), "{answer:?}");
    }
}

/// Whatever the function URL does: the range of a session and the length of HEAD are those of the registry.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ranges_and_lengths_reach_the_client() {
    for (range_header, head_length) in [
        (Renaming::Kept, HeadLength::Computed),
        (Renaming::Renamed, HeadLength::None),
        (Renaming::Renamed, HeadLength::Kept),
    ] {
        let door = DoorOptions { range_header, head_length, ..DoorOptions::default() };
        let deployed = Deployed::at(EdgeOptions::default(), door, &[]).await;
        let http = deployed.http();
        let opened = deployed.open("app").await;
        assert_eq!(opened.header("range"), "0-0");
        let appended = http.send(Method::PATCH, opened.header("location"), &[], Bytes::from("0123456789")).await;
        assert_eq!((appended.status, appended.header("range")), (StatusCode::ACCEPTED, "0-9"), "{appended:?}");
        let status = http.get(appended.header("location")).await;
        assert_eq!((status.status, status.header("range")), (StatusCode::NO_CONTENT, "0-9"), "{status:?}");

        let config = Bytes::from("{}");
        push_blob(&http, "app", &config).await;
        let image = manifest(&config, &[]);
        assert_eq!(http.put("/v2/app/manifests/1", &[OCI_IMAGE], image.clone()).await.status, StatusCode::CREATED);
        let referrers = format!("/v2/app/referrers/sha256:{}", "0".repeat(64));
        for target in ["/v2/app/manifests/1", "/v2/app/tags/list", "/v2/", "/v2/_catalog", &referrers] {
            let got = http.get(target).await;
            let head = http.head(target).await;
            assert_eq!((got.status, head.status), (StatusCode::OK, StatusCode::OK), "{target}");
            assert_eq!(head.header("content-length"), got.body.len().to_string(), "{target} {head_length:?}");
        }
    }
}

/// A client's own headers of these names do nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn headers_of_a_client_are_not_believed() {
    for response_sees in [Sees::Rewritten, Sees::Original] {
        let deployed = Deployed::start(EdgeOptions { response_sees, ..EdgeOptions::default() }, &[]).await;
        let bearer = format!("Bearer {}", token(&deployed, "repository:app:pull,push").await);
        let headers = [
            ("authorization", bearer.as_str()),
            ("x-berth-origin", "a-secret-that-is-none"),
            ("x-berth-status", "401"),
            ("x-berth-challenge", "Basic realm=\"evil\""),
            ("x-berth-commit", "/v2/evil"),
            ("x-berth-range", "0-99"),
            ("x-berth-length", "1"),
        ];
        let http = deployed.stranger();
        let base = http.send(Method::GET, "/v2/", &headers, Bytes::new()).await;
        assert_eq!((base.status, base.body), (StatusCode::OK, Bytes::from("{}")));
        let opened = http.send(Method::POST, "/v2/app/blobs/uploads/", &headers, Bytes::new()).await;
        assert_eq!((opened.status, opened.header("range")), (StatusCode::ACCEPTED, "0-0"));
    }
}

/// A token with the claims of `given`, whose time was over an hour ago.
fn expired(deployed: &Deployed, given: &str) -> String {
    let part = |index: usize| -> Value {
        let part = URL_SAFE_NO_PAD.decode(given.split('.').nth(index).unwrap()).unwrap();
        serde_json::from_slice(&part).unwrap()
    };
    let stored = deployed.emulators.s3().read("berth/keys/signing/current").unwrap();
    let stored: Value = serde_json::from_slice(&stored).unwrap();
    let pkcs8 = STANDARD.decode(stored["keys"][0]["pkcs8"].as_str().unwrap()).unwrap();
    let (header, mut claims) = (part(0), part(1));
    for time in ["iat", "nbf", "exp"] {
        if let Some(at) = claims[time].as_u64() {
            claims[time] = (at - 7200).into();
        }
    }
    SigningKey::read(&pkcs8).unwrap().sign(header["typ"].as_str().unwrap(), &claims).unwrap()
}
