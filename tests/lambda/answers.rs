//! Answers come through Lambda as they are, whatever they are made of.

use berth::digest::Digest;
use berth_local::lambda::{Bodies, DoorOptions, Front};
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::json;

use crate::{
    image::noise,
    stack::{OCI_IMAGE, Stack, code, logged_in, manifest, push_blob},
};

/// Every door that AWS may turn out to have.
fn doors() -> Vec<DoorOptions> {
    let fronts = [Front::FunctionUrl, Front::HttpApi];
    let bodies = [Bodies::default(), Bodies::AllInBase64];
    let each = |front| bodies.map(|bodies| DoorOptions { front, bodies, ..DoorOptions::default() });
    fronts.into_iter().flat_map(each).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_come_through_whole() {
    // Through the function, and not from S3 by a redirect.
    let stack = Stack::start(|function| function.env("REGISTRY_STORAGE_REDIRECT_DISABLE", "true")).await;
    for (number, options) in doors().into_iter().enumerate() {
        let door = stack.function.door(options.clone()).unwrap();
        let http = logged_in(&door);
        let every_byte: Vec<u8> = (0..=255).collect();
        for blob in [every_byte.into(), noise(number as u64, 3_000_000), Bytes::new(), Bytes::from("{\"text\": \"é\"}")]
        {
            let digest = push_blob(&http, "app", &blob).await;
            let pulled = http.get(&format!("/v2/app/blobs/{digest}")).await;
            assert_eq!(pulled.status, StatusCode::OK, "{options:?}");
            assert!(pulled.body == blob, "{options:?}: {} bytes that differ", blob.len());
            let head = http.head(&format!("/v2/app/blobs/{digest}")).await;
            // The door computes a length from the body, which a HEAD of a blob has none of. CloudFront restores this one.
            assert_eq!(head.header("x-berth-length"), blob.len().to_string(), "{options:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn manifests_of_any_size_and_letters_come_through() {
    let stack = Stack::start(|function| function).await;
    for options in doors() {
        let door = stack.function.door(options.clone()).unwrap();
        let http = logged_in(&door);
        let config = Bytes::from("{}");
        push_blob(&http, "app", &config).await;
        let small = manifest(&config, &[]);
        let text = String::from_utf8(small.to_vec()).unwrap();
        // All the bytes that there may be; and quotes, which in JSON are twice as long, so that an answer of them must travel
        // in base64. (A request of them does as Lambda's door wants it, and might not come in.)
        let room = (4 << 20) - text.len() - 40;
        let notes = ["日本語 \\\"\\\\ \\u0000 é".to_owned(), "x".repeat(room), "\\\"".repeat(900_000)];
        for (number, note) in notes.iter().enumerate() {
            let text = text.replacen('{', &format!("{{\"annotations\":{{\"note\":\"{note}\"}},"), 1);
            let put = http.put(&format!("/v2/app/manifests/n{number}"), &[OCI_IMAGE], text.clone().into()).await;
            assert_eq!(put.status, StatusCode::CREATED, "{options:?} {put:?}");
            let got = http.get(&format!("/v2/app/manifests/n{number}")).await;
            assert_eq!(got.status, StatusCode::OK, "{options:?}");
            assert!(got.body == text, "{options:?}: {} bytes came back of {}", got.body.len(), text.len());
            assert_eq!(got.header("content-type"), OCI_IMAGE.1);
            let head = http.head(&format!("/v2/app/manifests/n{number}")).await;
            assert_eq!(head.header("content-length"), text.len().to_string(), "{options:?}");
        }
    }
}

/// The door computes the length of a response to HEAD from the body that the function returned.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn head_has_the_length_of_get() {
    let stack = Stack::start(|function| function).await;
    for options in doors() {
        let door = stack.function.door(options.clone()).unwrap();
        let http = logged_in(&door);
        let config = Bytes::from("{}");
        push_blob(&http, "app", &config).await;
        let put = http.put("/v2/app/manifests/1", &[OCI_IMAGE], manifest(&config, &[])).await;
        assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
        let referrers = format!("/v2/app/referrers/{}", Digest::canonical(&config));
        let missing = format!("/v2/app/blobs/{}", Digest::canonical(b"missing"));
        for target in ["/v2/app/manifests/1", "/v2/app/tags/list", "/v2/", "/v2/_catalog", &referrers] {
            let (got, head) = (http.get(target).await, http.head(target).await);
            assert_eq!((got.status, head.status), (StatusCode::OK, StatusCode::OK), "{target}");
            assert_eq!(head.header("content-length"), got.body.len().to_string(), "{target} {options:?}");
            assert_eq!(head.body, "");
        }
        assert_eq!(http.head(&missing).await.status, StatusCode::NOT_FOUND);
        let blob = http.head(&format!("/v2/app/blobs/{}", Digest::canonical(&config))).await;
        assert_eq!(blob.status, StatusCode::TEMPORARY_REDIRECT);
    }
}

/// `requestContext.http.path` loses it; `rawPath` does not.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slash_at_the_end_of_the_path_arrives() {
    let stack = Stack::start(|function| function).await;
    let http = stack.http();
    let opened = http.post("/v2/app/blobs/uploads/").await;
    assert_eq!(opened.status, StatusCode::ACCEPTED, "{opened:?}");
    assert_eq!(http.get("/v2/").await.status, StatusCode::OK);
    stack.function.settled().await;
    let line = stack.function.log(|line| line.text.contains("\"POST\"") && line.text.contains("uploads")).await;
    let line: serde_json::Value = serde_json::from_str(&line.text).expect("lines are JSON");
    assert_eq!(line["path"], json!("/v2/app/blobs/uploads/"), "{line}");
}

/// A front end may rename `Range` too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_range_of_a_session_is_repeated() {
    let stack = Stack::start(|function| function).await;
    let http = stack.http();
    let opened = http.post("/v2/app/blobs/uploads/").await;
    let location = opened.header("location");
    let appended = http.send(Method::PATCH, location, &[], Bytes::from("0123456789")).await;
    let refused = http.send(Method::PATCH, location, &[("content-range", "5-9")], Bytes::from("56789")).await;
    let status = http.get(appended.header("location")).await;
    for (answer, expected) in [(appended, 202), (refused, 416), (status, 204)] {
        assert_eq!((answer.status.as_u16(), answer.header("x-berth-range")), (expected, "0-9"), "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lambda_cannot_carry_is_said() {
    let stack = Stack::start(|function| function.env("REGISTRY_STORAGE_REDIRECT_DISABLE", "true")).await;
    let http = stack.http();
    let blob = noise(1, 5_000_000);
    let digest = Digest::canonical(&blob);

    // Too large to be sent at once: Lambda's own door says so, and the function never hears of it.
    let opened = http.post("/v2/app/blobs/uploads/").await;
    let refused = http.put(&opened.closing(&digest), &[], blob.clone()).await;
    assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);

    // In two pieces it goes in; back it comes in ranges only.
    let first = http.send(Method::PATCH, opened.header("location"), &[], blob.slice(..3_000_000)).await;
    let second = http.send(Method::PATCH, first.header("location"), &[], blob.slice(3_000_000..)).await;
    assert_eq!(http.put(&second.closing(&digest), &[], Bytes::new()).await.status, StatusCode::CREATED);
    let target = format!("/v2/app/blobs/{digest}");
    let whole = http.get(&target).await;
    assert_eq!((whole.status, code(&whole).as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "UNSUPPORTED"));
    let part = http.send(Method::GET, &target, &[("range", "bytes=1000000-4999999")], Bytes::new()).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert!(part.body == blob.slice(1_000_000..));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_in_without_a_password() {
    let stack = Stack::start(|function| function).await;
    let asked = stack.stranger().get("/v2/").await;
    assert_eq!((asked.status, code(&asked).as_str()), (StatusCode::UNAUTHORIZED, "UNAUTHORIZED"));
    // A function URL renames it; Berth's own clients read the other two.
    assert_eq!(asked.header("www-authenticate"), "");
    for name in ["x-amzn-remapped-www-authenticate", "x-berth-challenge"] {
        assert!(asked.header(name).starts_with("Bearer realm=\"http://127.0.0.1:"), "{asked:?}");
    }
    assert_eq!(asked.header("x-berth-status"), "");
    assert_eq!(asked.header("docker-distribution-api-version"), "registry/2.0");
    assert_eq!(stack.emulators.requests(), [], "AWS was asked nothing for it");
    assert_eq!(stack.http().get("/v2/").await.body, "{}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_logged_is_there_when_the_instance_is_gone() {
    let stack = Stack::start(|function| function).await;
    let id = "the-id-of-the-client";
    let headers = [("x-request-id", id)];
    let answer = stack.http().send(Method::GET, "/v2/app/manifests/none", &headers, Bytes::new()).await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    stack.function.kill_all();
    let line = stack.function.log(|line| line.text.contains(id)).await;
    let line: serde_json::Value = serde_json::from_str(&line.text).expect("lines are JSON");
    assert_eq!((&line["status"], &line["user"], &line["request_id"]), (&json!(404), &json!("alice"), &json!(id)));
}
