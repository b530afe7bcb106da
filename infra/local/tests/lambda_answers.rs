//! What a client sees of a function's answer.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

#[path = "support/client.rs"]
mod client;

use berth_local::lambda::{Door, DoorOptions, Front, HeadLength, Renaming, ResponseParameters};
use client::{Answer, door, get, probe, put, send};
use serde_json::{Value, json};

/// What comes out when the function answers so.
async fn answered(door: &Door, answer: &Value) -> Answer {
    put(door, "/answer", "", answer.to_string()).await
}

async fn http_api() -> Door {
    let function = probe().start().await.unwrap();
    function.door(DoorOptions::of(Front::HttpApi)).unwrap()
}

#[tokio::test]
async fn status_headers_cookies_and_body_are_the_functions() {
    let answer = json!({
        "statusCode": 201,
        "headers": {
            "Docker-Content-Digest": "sha256:1", "Content-Type": "a/b", "Content-Length": "9", "X-Number": 5,
            "Transfer-Encoding": "chunked", "Connection": "close", "WWW-Authenticate": "Basic",
        },
        "multiValueHeaders": { "x-lost": ["1"] },
        "cookies": ["one=1; HttpOnly", "two=2"],
        "body": "é\n",
    });
    let answer = answered(&door(probe()).await, &answer).await;
    assert_eq!((answer.status, answer.text()), (201, "é\n"));
    assert_eq!(answer.header("docker-content-digest"), Some("sha256:1"));
    assert_eq!(answer.all("content-type"), ["a/b"]);
    assert_eq!(answer.all("content-length"), ["3"]);
    assert_eq!(answer.header("x-number"), Some("5"));
    assert_eq!(answer.all("set-cookie"), ["one=1; HttpOnly", "two=2"]);
    assert_eq!(answer.header("x-amzn-remapped-www-authenticate"), Some("Basic"));
    assert_eq!(answer.header("x-amzn-remapped-content-length"), Some("9"));
    for name in ["transfer-encoding", "connection", "x-lost", "www-authenticate"] {
        assert_eq!(answer.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn a_base64_body_is_decoded() {
    let door = door(probe()).await;
    let answer = answered(&door, &json!({ "statusCode": 200, "body": "AP8=", "isBase64Encoded": true })).await;
    assert_eq!(answer.body, [0, 255]);
    let answer = answered(&door, &json!({ "statusCode": 200, "body": "AP8=", "isBase64Encoded": false })).await;
    assert_eq!(answer.text(), "AP8=");
    let answer = answered(&door, &json!({ "statusCode": 200, "body": "no base64", "isBase64Encoded": true })).await;
    assert_eq!((answer.status, answer.text()), (502, "Internal Server Error"));
}

#[tokio::test]
async fn an_answer_without_a_status_is_json() {
    let (url, api) = (door(probe()).await, http_api().await);
    for answer in [json!({ "message": "hello" }), json!([1, 2]), json!(7), json!({ "body": "x" })] {
        for door in [&url, &api] {
            let seen = answered(door, &answer).await;
            assert_eq!((seen.status, seen.header("content-type")), (200, Some("application/json")));
            assert_eq!(seen.json(), answer);
        }
    }
    assert_eq!(answered(&url, &json!("hello")).await.text(), "\"hello\"");
    assert_eq!(answered(&api, &json!("hello")).await.text(), "hello");
}

#[tokio::test]
async fn an_answer_that_is_none_is_the_functions_fault() {
    let (url, api) = (door(probe()).await, http_api().await);
    for answer in [
        "no json",
        r#"{"statusCode": "soon"}"#,
        r#"{"statusCode": 1000}"#,
        r#"{"statusCode":200,"headers":{"a b":"c"}}"#,
    ] {
        let seen = put(&url, "/answer", "", answer).await;
        assert_eq!((seen.status, seen.text()), (502, "Internal Server Error"), "{answer}");
        let seen = put(&api, "/answer", "", answer).await;
        assert_eq!((seen.status, seen.text()), (500, r#"{"message":"Internal Server Error"}"#), "{answer}");
    }
}

#[tokio::test]
async fn an_answer_may_have_no_body_and_nulls() {
    let door = door(probe()).await;
    for answer in
        [json!({ "statusCode": 202 }), json!({ "statusCode": 202, "body": null, "headers": null, "cookies": null })]
    {
        let seen = answered(&door, &answer).await;
        assert_eq!((seen.status, seen.body.len()), (202, 0));
    }
}

/// The response to a HEAD for which the function says a length of 1234, and returns this body.
async fn head(door: &Door, body: &str) -> Answer {
    let answer =
        json!({ "statusCode": 200, "headers": { "content-length": "1234", "etag": "x" }, "body": body }).to_string();
    let head = format!("HEAD /answer HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}", answer.len());
    send(door, &head, answer).await
}

#[tokio::test]
async fn the_length_in_a_response_to_head_is_that_of_the_returned_body() {
    let function = probe().start().await.unwrap();
    for front in [Front::FunctionUrl, Front::HttpApi] {
        let door = function.door(DoorOptions::of(front)).unwrap();
        for (body, length) in [("body", "4"), ("", "0")] {
            let seen = head(&door, body).await;
            assert_eq!((seen.status, seen.all("content-length"), seen.header("etag")), (200, vec![length], Some("x")));
            assert_eq!(seen.header("x-amzn-remapped-content-length"), Some("1234"));
        }
    }
    let door = function.door(DoorOptions::default()).unwrap();
    for status in [204, 304] {
        let answer = json!({ "statusCode": status }).to_string();
        let head = format!("HEAD /answer HTTP/1.1\r\nhost: a\r\ncontent-length: {}", answer.len());
        assert_eq!(send(&door, &head, answer).await.header("content-length"), None, "{status}");
    }
}

#[tokio::test]
async fn the_length_in_a_response_to_head_may_also_be_missing_or_the_functions() {
    let function = probe().start().await.unwrap();
    let none = DoorOptions { head_length: HeadLength::None, ..DoorOptions::default() };
    let seen = head(&function.door(none).unwrap(), "body").await;
    assert_eq!((seen.status, seen.header("content-length"), seen.header("etag")), (200, None, Some("x")));
    assert_eq!(seen.header("x-amzn-remapped-content-length"), Some("1234"));
    let kept = DoorOptions { head_length: HeadLength::Kept, ..DoorOptions::default() };
    let seen = head(&function.door(kept).unwrap(), "body").await;
    assert_eq!((seen.status, seen.all("content-length"), seen.header("etag")), (200, vec!["1234"], Some("x")));
    assert_eq!(seen.header("x-amzn-remapped-content-length"), None);
}

#[tokio::test]
async fn nothing_follows_an_answer_to_head() {
    use std::io::{Read as _, Write as _};
    let door = door(probe()).await;
    let mut socket = std::net::TcpStream::connect(door.address()).unwrap();
    socket.write_all(b"HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").unwrap();
    let mut all = String::new();
    socket.read_to_string(&mut all).unwrap();
    assert!(all.starts_with("HTTP/1.1 200") && all.ends_with("\r\n\r\n"), "{all}");
}

#[tokio::test]
async fn a_challenge_and_a_range_are_kept_or_renamed() {
    let function = probe().start().await.unwrap();
    let answer = json!({ "statusCode": 401, "headers": { "www-authenticate": "Basic", "range": "0-9" } });
    for front in [Front::FunctionUrl, Front::HttpApi] {
        let seen = answered(&function.door(DoorOptions::of(front)).unwrap(), &answer).await;
        assert_eq!((seen.header("www-authenticate"), seen.header("range")), (None, Some("0-9")));
        assert_eq!(seen.header("x-amzn-remapped-www-authenticate"), Some("Basic"));
        let (challenge, range_header) = (Renaming::Kept, Renaming::Renamed);
        let options = DoorOptions { challenge, range_header, ..DoorOptions::of(front) };
        let seen = answered(&function.door(options).unwrap(), &answer).await;
        assert_eq!((seen.header("www-authenticate"), seen.header("range")), (Some("Basic"), None));
        assert_eq!(seen.header("x-amzn-remapped-range"), Some("0-9"));
    }
}

#[tokio::test]
async fn an_http_api_overwrites_headers_as_its_integration_says() {
    let function = probe().start().await.unwrap();
    let response_parameters = ResponseParameters::parse(&json!({
        "401": { "ResponseParameters": [
            { "Destination": "overwrite:header.www-authenticate", "Source": "$response.header.X-Berth-Challenge" },
        ] },
    }));
    let response_parameters = response_parameters.unwrap();
    let options = |front| DoorOptions { response_parameters: response_parameters.clone(), ..DoorOptions::of(front) };
    let answer = |status: u16| {
        let headers = json!({ "www-authenticate": "Basic", "x-berth-challenge": "Bearer" });
        json!({ "statusCode": status, "headers": headers })
    };
    let api = function.door(options(Front::HttpApi)).unwrap();
    let seen = answered(&api, &answer(401)).await;
    assert_eq!((seen.all("www-authenticate"), seen.header("x-berth-challenge")), (vec!["Bearer"], Some("Bearer")));
    assert_eq!(answered(&api, &answer(403)).await.header("www-authenticate"), None);
    let without = answered(&api, &json!({ "statusCode": 401 })).await;
    assert_eq!(without.header("www-authenticate"), None, "a source that is missing changes nothing");
    let url = function.door(options(Front::FunctionUrl)).unwrap();
    assert_eq!(answered(&url, &answer(401)).await.header("www-authenticate"), None);
}

#[test]
fn a_mapping_that_api_gateway_refuses_is_an_error() {
    let of = |status: &str, destination: &str, source: &str| {
        let parameter = json!({ "Destination": destination, "Source": source });
        ResponseParameters::parse(&json!({ status: { "ResponseParameters": [parameter] } })).map_err(|e| e.to_string())
    };
    of("202", "overwrite:header.range", "$response.header.x-berth-range").unwrap();
    for (status, destination, source, said) in [
        ("202", "overwrite:header.content-length", "$response.header.x", "reserved"),
        ("202", "overwrite:header.X-Amzn-Other", "$response.header.x", "reserved"),
        ("202", "overwrite:header.range", "$response.header.x-amzn-remapped-range", "reserved"),
        ("100", "overwrite:header.range", "$response.header.x", "not within 200 to 599"),
        ("any", "overwrite:header.range", "$response.header.x", "not a status code"),
        ("202", "append:header.range", "$response.header.x", "append:header.range is not emulated"),
        ("202", "overwrite:header.range", "$context.path", "$context.path is not emulated"),
        ("202", "overwrite:header.a b", "$response.header.x", "not a header name"),
    ] {
        let error = of(status, destination, source).unwrap_err();
        assert!(error.contains(said), "{destination} {source}: {error}");
    }
    assert!(ResponseParameters::parse(&json!({ "401": { "overwrite:header.a": "$response.header.b" } })).is_err());
}

#[tokio::test]
async fn a_reported_error_is_a_502_and_the_instance_lives_on() {
    let door = door(probe()).await;
    let before = get(&door, "/who").await.json();
    let seen = get(&door, "/error").await;
    assert_eq!((seen.status, seen.text()), (502, "Internal Server Error"));
    assert_eq!(get(&door, "/who").await.json(), json!({ "pid": before["pid"], "handled": 3 }));
    assert_eq!(door.function().counters().errors, 1);
}
