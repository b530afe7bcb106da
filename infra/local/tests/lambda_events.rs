//! What a function sees of a request.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

#[path = "support/client.rs"]
mod client;

use berth_local::lambda::{Bodies, ChunkedRequests, DoorOptions, Front, RepeatedAuthorization, Scheme, TrailingSlash};
use client::{door, get, probe, put, send};
use serde_json::{Value, json};

#[tokio::test]
async fn an_event_has_the_documented_shape() {
    let door = door(probe()).await;
    let head = "POST /v2/a%2Fb/?x=1&y=a%20b&x=2&z HTTP/1.1\r\nHost: abc.lambda-url.test:5000\r\nUser-Agent: docker/1\r\n\
                Cookie: one=1; two=2\r\nCookie: three=3\r\nAccept: a/b\r\nAccept: c/d;q=1, e/f\r\nX-Forwarded-For: 10.0.0.1\r\n\
                X-Forwarded-Proto: gopher\r\nConnection: close, X-Gone\r\nX-Gone: 1\r\nKeep-Alive: 5\r\n\
                Content-Type: text/plain\r\nContent-Length: 5";
    let answer = send(&door, head, "hello").await;
    assert_eq!(answer.status, 200);
    let mut event = answer.json();
    let context = event["requestContext"].take();
    assert!(event["headers"]["x-amzn-trace-id"].take().as_str().unwrap().starts_with("Root=1-"));
    let port = door.address().port().to_string();
    let expected = json!({
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/v2/a%2Fb/",
        "rawQueryString": "x=1&y=a%20b&x=2&z",
        "cookies": ["one=1", "two=2", "three=3"],
        "headers": {
            "accept": "a/b,c/d;q=1, e/f",
            "content-length": "5",
            "content-type": "text/plain",
            "host": "abc.lambda-url.test:5000",
            "user-agent": "docker/1",
            "x-amzn-trace-id": null,
            "x-forwarded-for": "10.0.0.1, 127.0.0.1",
            "x-forwarded-port": port,
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": { "x": "1,2", "y": "a b", "z": "" },
        "requestContext": null,
        "body": "hello",
        "isBase64Encoded": false,
    });
    assert_eq!(event, expected);
    let http = json!({
        "method": "POST", "path": "/v2/a%2Fb", "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1", "userAgent": "docker/1",
    });
    assert_eq!(context["http"], http);
    assert_eq!((&context["domainName"], &context["domainPrefix"]), (&json!("abc.lambda-url.test:5000"), &json!("abc")));
    for (name, value) in [("routeKey", "$default"), ("stage", "$default"), ("accountId", "123456789012")] {
        assert_eq!(context[name], value);
    }
    assert_eq!(context["requestId"], answer.header("x-amzn-requestid").unwrap());
    let (time, epoch) = (context["time"].as_str().unwrap(), context["timeEpoch"].as_u64().unwrap());
    assert_eq!((time.len(), &time[2..3], &time[20..]), (26, "/", " +0000"), "{time}");
    assert!(epoch.abs_diff(now()) < 60_000);
    assert_eq!(time[18..20].parse::<u64>().unwrap(), epoch / 1000 % 60, "both are the same second");
}

fn now() -> u64 {
    std::time::UNIX_EPOCH.elapsed().unwrap().as_millis().try_into().unwrap()
}

#[tokio::test]
async fn what_a_request_lacks_its_event_lacks() {
    let event = get(&door(probe()).await, "/").await.json();
    for name in ["body", "cookies", "queryStringParameters"] {
        assert_eq!(event.get(name), None, "{name}");
    }
    assert_eq!((&event["rawQueryString"], &event["isBase64Encoded"]), (&json!(""), &json!(false)));
}

#[tokio::test]
async fn a_body_is_base64_unless_its_type_is_text() {
    let door = door(probe()).await;
    let binary = json!(["AP9h", true]);
    for (content_type, body, expected) in [
        ("content-type: application/octet-stream", &b"\x00\xffa"[..], binary.clone()),
        ("", b"\x00\xffa", binary.clone()),
        ("content-type: text/plain", b"\x00\xffa", binary),
        ("content-type: application/octet-stream", b"ab", json!(["YWI=", true])),
        ("content-type: Text/Plain; charset=utf-8", "\"é\"\n\u{1}".as_bytes(), json!(["\"é\"\n\u{1}", false])),
        ("content-type: application/json", b"{}", json!(["{}", false])),
        ("content-type: application/vnd.oci.image.manifest.v1+json", b"{}", json!(["{}", false])),
    ] {
        let event = put(&door, "/", content_type, body).await.json();
        assert_eq!(json!([event["body"], event["isBase64Encoded"]]), expected, "{content_type}");
    }
}

#[tokio::test]
async fn every_body_is_base64_when_told() {
    let function = probe().start().await.unwrap();
    let door = function.door(DoorOptions { bodies: Bodies::AllInBase64, ..DoorOptions::default() }).unwrap();
    let event = put(&door, "/", "content-type: application/json", "{}").await.json();
    assert_eq!((&event["body"], &event["isBase64Encoded"]), (&json!("e30="), &json!(true)));
    let event = get(&door, "/").await.json();
    assert_eq!((event.get("body"), &event["isBase64Encoded"]), (None, &json!(false)));
}

#[tokio::test]
async fn a_chunked_body_arrives_with_its_length() {
    let head = "PUT / HTTP/1.1\r\nhost: a\r\ncontent-type: text/plain\r\ntransfer-encoding: chunked";
    let event = send(&door(probe()).await, head, "5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n").await.json();
    assert_eq!(event["body"], "hello, world");
    assert_eq!(event["headers"]["content-length"], "12");
    assert_eq!(event["headers"].get("transfer-encoding"), None);
}

#[tokio::test]
async fn a_function_url_drops_a_trailing_slash_of_the_context_alone() {
    let function = probe().start().await.unwrap();
    let path = |event: &Value| [event["rawPath"].clone(), event["requestContext"]["http"]["path"].clone()];
    let url = function.door(DoorOptions::default()).unwrap();
    for (sent, seen) in [("/v2/", "/v2"), ("/v2//", "/v2/"), ("/", "/"), ("/v2", "/v2")] {
        assert_eq!(path(&get(&url, sent).await.json()), [sent, seen]);
    }
    let kept = DoorOptions { trailing_slash: TrailingSlash::Kept, ..DoorOptions::default() };
    for options in [kept, DoorOptions::of(Front::HttpApi)] {
        let door = function.door(options).unwrap();
        assert_eq!(path(&get(&door, "/v2/").await.json()), ["/v2/", "/v2/"]);
    }
}

#[tokio::test]
async fn two_authorizations_are_refused_by_a_function_url() {
    let function = probe().start().await.unwrap();
    let head = "GET / HTTP/1.1\r\nhost: a\r\nauthorization: Basic a\r\nauthorization: Bearer b";
    let url = function.door(DoorOptions::default()).unwrap();
    assert_eq!(send(&url, head, "").await.status, 400);
    assert_eq!(function.counters().invocations, 0);
    let one = get(&url, "/").await;
    assert_eq!(one.status, 200);
    let joined = DoorOptions { authorizations: RepeatedAuthorization::Joined, ..DoorOptions::default() };
    for options in [joined, DoorOptions::of(Front::HttpApi)] {
        let event = send(&function.door(options).unwrap(), head, "").await.json();
        assert_eq!(event["headers"]["authorization"], "Basic a,Bearer b");
    }
}

#[tokio::test]
async fn a_chunked_request_may_be_refused_by_a_function_url() {
    let function = probe().start().await.unwrap();
    let head = "PATCH / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked";
    let refused = |front| DoorOptions { chunked_requests: ChunkedRequests::Refused, ..DoorOptions::of(front) };
    let url = function.door(refused(Front::FunctionUrl)).unwrap();
    assert_eq!(send(&url, head, "5\r\nhello\r\n0\r\n\r\n").await.status, 411);
    assert_eq!(function.counters().invocations, 0);
    assert_eq!(put(&url, "/", "", "hello").await.status, 200, "with a length");
    let api = function.door(refused(Front::HttpApi)).unwrap();
    assert_eq!(send(&api, head, "5\r\nhello\r\n0\r\n\r\n").await.status, 200);
}

#[tokio::test]
async fn the_scheme_is_the_one_that_is_told() {
    let function = probe().start().await.unwrap();
    let door = function.door(DoorOptions { scheme: Scheme::Https, ..DoorOptions::default() }).unwrap();
    assert_eq!(get(&door, "/").await.json()["headers"]["x-forwarded-proto"], "https");
}

#[tokio::test]
async fn an_http_api_sends_the_same_event() {
    let function = probe().start().await.unwrap();
    let url = function.door(DoorOptions::default()).unwrap();
    let api = function.door(DoorOptions::of(Front::HttpApi)).unwrap();
    let mut events = [put(&url, "/x?a=b", "", "abc").await.json(), put(&api, "/x?a=b", "", "abc").await.json()];
    for event in &mut events {
        event["headers"]["x-forwarded-port"] = Value::Null;
        event["headers"]["x-amzn-trace-id"] = Value::Null;
        for name in ["requestId", "time", "timeEpoch"] {
            assert_ne!(event["requestContext"][name].take(), Value::Null);
        }
    }
    assert_eq!(events[0], events[1]);
}

#[tokio::test]
async fn an_invocation_names_its_request_its_deadline_and_its_function() {
    let function =
        probe().name("images").region("eu-west-1").timeout(std::time::Duration::from_secs(20)).start().await.unwrap();
    let door = function.door(DoorOptions::default()).unwrap();
    let answer = get(&door, "/headers").await;
    let head = answer.json();
    let head = head.as_str().unwrap();
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    assert_eq!(header("lambda-runtime-aws-request-id: "), answer.header("x-amzn-requestid").unwrap());
    assert_eq!(
        header("lambda-runtime-invoked-function-arn: "),
        "arn:aws:lambda:eu-west-1:123456789012:function:images"
    );
    assert!(header("lambda-runtime-trace-id: ").starts_with("Root=1-"));
    let left = header("lambda-runtime-deadline-ms: ").parse::<u64>().unwrap().saturating_sub(now());
    assert!((1..=20_000).contains(&left), "{left}");
}
