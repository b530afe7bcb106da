//! The edge before a function, a bucket and any other server.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

#[path = "support/client.rs"]
mod client;
#[path = "edge/signed.rs"]
mod signed;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_local::edge::{
    Behavior, ContentSha256, Distribution, EarlyAnswers, Edge, EdgeError, EdgeFunction, EdgeOptions, EventType,
    Forwarding, Handled, Origin, Sees, bucket_policy,
};
use berth_local::lambda::{DoorOptions, HeadLength};
use berth_local::{Emulators, Policy};
use client::{Answer, exchange};
use http::Method;
use s3s::crypto::{Checksum as _, Sha256};
use serde_json::{Value, json};

const ARN: &str = "arn:aws:cloudfront::123456789012:distribution/EDFDVBD6EXAMPLE";

/// Sends what is under /bucket/ to the bucket, answers /answer, fails at /fail; tells of S3's 200 to a PUT by a 303.
const CODE: &str = r#"
import cf from 'cloudfront';
async function handler(event) {
    const request = event.request;
    if (event.response) {
        const response = event.response;
        response.headers['x-saw'] = { value: request.uri };
        if (request.method === 'PUT' && response.statusCode === 200) {
            response.statusCode = 303;
            response.headers.location = { value: '/commit' };
            delete response.headers.etag;
        }
        if ('x-bad' in response.headers) throw new Error('bad');
        if ('x-body' in response.headers) response.body = 'replaced';
        if ('x-length' in response.headers) response.headers['content-length'] = response.headers['x-length'];
        return response;
    }
    if (request.uri === '/fail') throw new Error('on purpose');
    if (request.uri === '/invalid') request.headers.host.value = 'other';
    if (request.uri === '/answer') {
        return { statusCode: 405, headers: { allow: { value: 'GET' } }, body: JSON.stringify({ ip: event.viewer.ip, event: event }) };
    }
    if (request.uri.startsWith('/bucket/')) {
        request.uri = request.uri.slice('/bucket'.length);
        const { sum, hash } = request.querystring;
        request.querystring = {};
        if (sum) request.headers['x-amz-checksum-sha256'] = { value: decodeURIComponent(sum.value) };
        if (hash) request.headers['x-amz-content-sha256'] = { value: hash.value };
        cf.selectRequestOriginById('bucket');
    }
    if (request.uri === '/answer-of-probe') request.uri = '/answer';
    return request;
}"#;

struct Stack {
    emulators: Emulators,
    edge: Edge,
}

fn policy() -> Policy {
    let allowed = json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Sid": "OnlyTls", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
              "Condition": { "Bool": { "aws:SecureTransport": "false" } } },
            { "Sid": "Stages", "Effect": "Allow", "Principal": { "Service": "cloudfront.amazonaws.com" },
              "Action": ["s3:PutObject", "s3:GetObject"], "Resource": "arn:aws:s3:::berth/stage/*",
              "Condition": { "StringEquals": { "aws:SourceArn": ARN } } },
            { "Sid": "Others", "Effect": "Allow", "Principal": { "Service": "cloudfront.amazonaws.com" },
              "Action": "s3:*", "Resource": "*", "Condition": { "StringEquals": { "aws:SourceArn": format!("{ARN}2") } } },
            { "Sid": "Somebody", "Effect": "Allow", "Principal": { "AWS": "123456789012" }, "Action": "s3:*", "Resource": "*" },
        ],
    });
    bucket_policy(&allowed, ARN).unwrap()
}

async fn start(options: EdgeOptions, registry: &str) -> Stack {
    let emulators = Emulators::start().await.unwrap();
    let function = EdgeFunction::load(CODE).unwrap();
    let distribution = Distribution::new(Behavior::to("registry").function(function))
        .origin(Origin::url("registry", registry).unwrap().header("x-berth-origin", "secret"))
        .origin(Origin::bucket("bucket", &emulators, policy()).unwrap());
    let edge = Edge::start(distribution, options).unwrap();
    Stack { emulators, edge }
}

fn send(address: SocketAddr, head: &str, body: &[u8]) -> Answer {
    exchange(address, &format!("{head}\r\nhost: edge.test\r\nconnection: close"), body)
}

fn get(edge: &Edge, path: &str) -> Answer {
    send(edge.address(), &format!("GET {path} HTTP/1.1"), b"")
}

fn put(edge: &Edge, path: &str, headers: &str, body: &[u8]) -> Answer {
    send(edge.address(), &format!("PUT {path} HTTP/1.1\r\ncontent-length: {}{headers}", body.len()), body)
}

fn sum(body: &[u8]) -> String {
    STANDARD.encode(Sha256::checksum(body)).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// A server that gives each connection's one request these bytes for an answer; what it got, in the end.
fn origin(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let mut heads = Vec::new();
        for answer in answers {
            let (mut socket, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(socket.try_clone().unwrap());
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
            }
            heads.push(head);
            socket.write_all(answer.as_bytes()).unwrap();
        }
        heads
    });
    (url, served)
}

fn answer(head: &str) -> String {
    format!("HTTP/1.1 {head}\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok")
}

/// Where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_behind_it_sees_what_cloudfront_sends_on() {
    let door = client::door(client::probe()).await;
    let Stack { edge, .. } = start(EdgeOptions::default(), &door.url()).await;
    let head = "POST /v2/a%2Fb?x=1%2F2&y&x=3 HTTP/1.1\r\nauthorization: Basic a\r\ncookie: a=1; b=2\r\nx-berth-origin: forged\r\n\
                x-forwarded-for: 10.0.0.1\r\nx-forwarded-proto: gopher\r\nx-edge-a: 1\r\nte: trailers\r\n\
                x-own: one\r\nx-own: two\r\nuser-agent: docker/1\r\ncontent-type: text/plain\r\ncontent-length: 5";
    let answer = send(edge.address(), head, b"hello");
    assert_eq!(answer.status, 200);
    let event = answer.json();
    assert_eq!((&event["rawPath"], &event["rawQueryString"]), (&json!("/v2/a%2Fb"), &json!("x=1%2F2&y&x=3")));
    assert_eq!((&event["body"], &event["cookies"]), (&json!("hello"), &json!(["a=1", "b=2"])));
    let headers = &event["headers"];
    for (name, value) in [
        ("authorization", "Basic a"),
        ("x-berth-origin", "secret"),
        ("x-own", "one,two"),
        ("user-agent", "docker/1"),
        ("content-length", "5"),
        ("x-forwarded-for", "10.0.0.1,127.0.0.1, 127.0.0.1"), // the door adds whom it sees
        ("via", "1.1 d111111abcdef8.cloudfront.net (CloudFront)"),
    ] {
        assert_eq!(headers[name], value, "{name}");
    }
    assert_eq!(headers["host"], door.address().to_string());
    assert_eq!(headers["x-amz-cf-id"], answer.header("x-amz-cf-id").unwrap());
    for gone in ["x-edge-a", "te"] {
        assert_eq!(headers[gone], Value::Null, "{gone}");
    }
    assert_eq!(headers["x-forwarded-proto"], "http", "the door's own");
    assert_eq!(answer.header("x-saw"), Some("/v2/a%2Fb"));
    assert_eq!(answer.header("x-cache"), Some("Miss from cloudfront"));
    assert!(answer.header("x-amzn-requestid").is_some(), "what functions do not see stays");
    let seen = edge.requests();
    assert_eq!(
        (seen[0].handled, seen[0].status, seen[0].request_bytes, seen[0].function_runs),
        (Handled::Origin, Some(200), 5, 2)
    );
    assert_eq!((seen[0].method.as_str(), seen[0].uri.as_str()), ("POST", "/v2/a%2Fb?x=1%2F2&y&x=3"));
    assert_eq!(edge.counts(), [("registry".to_owned(), 1)].into());
    edge.reset();
    assert!(edge.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn any_http_server_may_be_an_origin_and_its_answer_passes() {
    let (url, served) = origin(vec![
        answer(
            "201 Created\r\nset-cookie: a=1; Path=/; Secure\r\nset-cookie: b=2\r\nx-two: 1\r\nx-two: 2\r\ntrailer: x\r\nvia: 1.0 o",
        ),
        answer("200 OK\r\nx-body: 1\r\nvia: 1.0 o"),
        answer("200 OK\r\nx-bad: 1"),
        "HTTP/1.1 404 Not Found\r\nx-bad: 1\r\nconnection: close\r\ncontent-length: 4\r\n\r\nnone".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 77\r\nconnection: close\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
    ]);
    let Stack { edge, .. } = start(EdgeOptions::default(), &url).await;
    let one = get(&edge, "/one");
    assert_eq!((one.status, one.text()), (201, "ok"));
    assert_eq!(one.all("set-cookie"), ["a=1; Path=/; Secure", "b=2"]);
    assert_eq!((one.all("x-two"), one.header("trailer")), (vec!["1", "2"], None));
    assert_eq!(one.all("via"), ["1.0 o", "1.1 d111111abcdef8.cloudfront.net (CloudFront)"]);
    let replaced = get(&edge, "/two");
    assert_eq!((replaced.text(), replaced.header("content-length")), ("replaced", Some("8")));
    let failed = get(&edge, "/three");
    assert_eq!((failed.status, failed.header("x-cache")), (503, Some("FunctionExecutionError from cloudfront")));
    // Not run from 400 on: it would have failed.
    let missing = get(&edge, "/four");
    assert_eq!((missing.status, missing.text(), missing.header("x-saw")), (404, "none", None));
    let head = send(edge.address(), "HEAD /five HTTP/1.1", b"");
    assert_eq!((head.status, head.header("content-length")), (200, Some("77")));
    assert_eq!(get(&edge, "/six").status, 502);
    let heads = served.join().unwrap();
    assert!(heads[0].starts_with("GET /one HTTP/1.1\r\n"), "{}", heads[0]);
    let runs: Vec<_> = edge.requests().iter().map(|request| request.function_runs).collect();
    assert_eq!(runs, [2, 2, 2, 1, 2, 1]);
    let last = edge.requests().pop().unwrap();
    assert!(last.reason.unwrap().starts_with("origin registry: "), "why is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_answers_and_fails_by_itself() {
    let Stack { edge, .. } = start(EdgeOptions::default(), &nobody()).await;
    let answered = get(&edge, "/answer?a=b");
    assert_eq!((answered.status, answered.header("allow")), (405, Some("GET")));
    assert_eq!(answered.header("x-cache"), Some("FunctionGeneratedResponse from cloudfront"));
    let event = &answered.json()["event"];
    assert_eq!(event["version"], "1.0");
    assert_eq!(event["context"]["eventType"], "viewer-request");
    assert_eq!(event["context"]["distributionId"], "EDFDVBD6EXAMPLE");
    assert_eq!(event["context"]["requestId"], answered.header("x-amz-cf-id").unwrap());
    assert_eq!(event["viewer"], json!({ "ip": "127.0.0.1" }));
    assert_eq!(event["request"]["querystring"], json!({ "a": { "value": "b" } }));
    assert_eq!(event["request"]["headers"], json!({ "host": { "value": "edge.test" } }), "without Connection");
    let failed = get(&edge, "/fail");
    assert_eq!((failed.status, failed.header("content-type")), (503, Some("text/html")));
    assert!(failed.text().contains("503 ERROR") && !failed.text().contains("on purpose"));
    let invalid = get(&edge, "/invalid");
    assert_eq!((invalid.status, invalid.header("x-cache")), (502, Some("FunctionValidationError from cloudfront")));
    let unreachable = get(&edge, "/");
    assert_eq!((unreachable.status, unreachable.header("server")), (502, Some("CloudFront")));
    let reasons: Vec<_> = edge.requests().into_iter().map(|request| request.reason.unwrap_or_default()).collect();
    assert!(reasons[1].contains("Error: on purpose") && reasons[2].contains("read-only"), "{reasons:?}");
    assert_eq!(edge.counts(), [("answered".to_owned(), 1), ("failed".to_owned(), 3)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bucket_gets_signed_requests_and_is_held_to_its_policy() {
    let Stack { emulators, edge } = start(EdgeOptions::default(), &nobody()).await;
    let stored =
        put(&edge, "/bucket/stage/a%20b?x=1", "\r\nauthorization: Basic bWU6cGFzcw==\r\ncontent-type: a/b", b"hello");
    assert_eq!((stored.status, stored.header("location"), stored.header("etag")), (303, Some("/commit"), None));
    assert_eq!(stored.header("x-saw"), Some("/stage/a%20b"));
    let object = &emulators.s3().objects()["stage/a b"];
    assert_eq!((object.length, object.content_type.as_deref()), (5, Some("a/b")));
    assert_eq!(emulators.s3().read("stage/a b").unwrap(), "hello");
    let recorded = &emulators.s3().requests()[0];
    assert_eq!(
        (recorded.identity.as_deref(), &recorded.allowed_by[..]),
        (Some("cloudfront.amazonaws.com"), &["Stages".to_owned()][..])
    );
    assert_eq!(get(&edge, "/bucket/stage/a%20b").text(), "hello");
    let denied = put(&edge, "/bucket/elsewhere", "", b"hello");
    assert_eq!(denied.status, 403);
    assert!(denied.text().contains("<Code>AccessDenied</Code>"), "{}", denied.text());
    // S3 has no PATCH.
    let patched = send(edge.address(), "PATCH /bucket/stage/a HTTP/1.1\r\ncontent-length: 1", b"a");
    assert!((400..600).contains(&patched.status), "{patched:?}");
    assert_eq!(emulators.s3().objects().len(), 1);
    assert_eq!(edge.requests()[0].sent.as_deref(), Some("/berth/stage/a%20b"));
    assert_eq!(edge.requests()[2].origin_status, Some(403));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_added_checksum_is_not_signed_and_so_refused() {
    let Stack { emulators, edge } = start(EdgeOptions::default(), &nobody()).await;
    let unsigned = put(&edge, &format!("/bucket/stage/a?sum={}", sum(b"hello")), "", b"hello");
    assert_eq!(unsigned.status, 403);
    assert!(unsigned.text().contains("headers present in the request which were not signed"), "{}", unsigned.text());
    assert_eq!(put(&edge, "/bucket/stage/a", "", b"hello").status, 303);
    assert_eq!(emulators.s3().objects().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_hash_that_a_function_sets_is_signed_and_verified() {
    let Stack { emulators, edge } = start(EdgeOptions::default(), &nobody()).await;
    // The second size is not kept in memory by the bucket.
    for (key, length) in [("a", 5), ("b", 300 << 10)] {
        let (right, wrong) = (vec![7; length], vec![8; length]);
        let hash = hex::encode(Sha256::checksum(&right));
        let refused = put(&edge, &format!("/bucket/stage/{key}?hash={hash}"), "", &wrong);
        assert_eq!(refused.status, 400);
        assert!(refused.text().contains("<Code>XAmzContentSHA256Mismatch</Code>"), "{}", refused.text());
        assert!(!emulators.s3().objects().contains_key(&format!("stage/{key}")), "nothing is stored");
        assert_eq!(put(&edge, &format!("/bucket/stage/{key}?hash={hash}"), "", &right).status, 303);
        assert_eq!(put(&edge, &format!("/bucket/stage/{key}?hash=UNSIGNED-PAYLOAD"), "", &wrong).status, 303);
    }
    let options = EdgeOptions { content_sha256: ContentSha256::Ignored, ..EdgeOptions::default() };
    let Stack { emulators: _emulators, edge } = start(options, &nobody()).await;
    let hash = hex::encode(Sha256::checksum(b"right"));
    assert_eq!(put(&edge, &format!("/bucket/stage/a?hash={hash}"), "", b"wrong").status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_function_sees_either_request_or_does_not_run() {
    let options = EdgeOptions { response_sees: Sees::Original, ..EdgeOptions::default() };
    let Stack { emulators: _emulators, edge } = start(options, &nobody()).await;
    assert_eq!(put(&edge, "/bucket/stage/a", "", b"hello").header("x-saw"), Some("/bucket/stage/a"));
    let options = EdgeOptions { response_runs: false, ..EdgeOptions::default() };
    let Stack { emulators: _emulators, edge } = start(options, &nobody()).await;
    let stored = put(&edge, "/bucket/stage/a", "", b"hello");
    assert_eq!((stored.status, stored.header("x-saw")), (200, None));
    assert_eq!(edge.requests()[0].function_runs, 1, "viewer-request alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_to_head_has_the_length_of_the_origin_or_of_the_function() {
    let none = DoorOptions { head_length: HeadLength::None, ..DoorOptions::default() };
    for (options, body, changed, length) in [
        (DoorOptions::default(), "body", None, Some("4")),
        (DoorOptions::default(), "", None, Some("0")),
        (DoorOptions::default(), "body", Some("77"), Some("77")),
        (none.clone(), "body", None, None),
        (none, "body", Some("77"), Some("77")),
    ] {
        let door = client::probe().start().await.unwrap().door(options).unwrap();
        let Stack { emulators: _emulators, edge } = start(EdgeOptions::default(), &door.url()).await;
        let mut headers = json!({ "content-length": "1234" });
        headers.as_object_mut().unwrap().extend(changed.map(|length| ("x-length".to_owned(), json!(length))));
        let answer = json!({ "statusCode": 200, "headers": headers, "body": body }).to_string();
        let seen = send(
            edge.address(),
            &format!("HEAD /answer-of-probe HTTP/1.1\r\ncontent-length: {}", answer.len()),
            answer.as_bytes(),
        );
        assert_eq!((seen.status, seen.header("content-length")), (200, length));
    }
}

/// Sends a request of `length` bytes in pieces, and reads while it does.
fn stream(address: SocketAddr, head: &str, length: usize) -> (Answer, bool) {
    let mut socket = TcpStream::connect(address).unwrap();
    let reader = socket.try_clone().unwrap();
    let answered = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let mut buffer = [0; 4096];
        let mut reader = reader;
        let whole = loop {
            match reader.read(&mut buffer) {
                Ok(0) => break true,
                Ok(n) => bytes.extend_from_slice(&buffer[..n]),
                Err(_) => break false,
            }
        };
        (bytes, whole)
    });
    socket
        .write_all(
            format!("{head}\r\nhost: edge.test\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n").as_bytes(),
        )
        .unwrap();
    let piece = vec![7; 1 << 20];
    let mut sent = 0;
    let mut broken = false;
    while sent < length {
        let piece = &piece[..piece.len().min(length - sent)];
        if socket.write_all(piece).is_err() {
            broken = true;
            break;
        }
        sent += piece.len();
    }
    let (bytes, _) = answered.join().unwrap();
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap());
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    (Answer { status, headers, body: body.as_bytes().to_vec() }, broken)
}

/// Bytes of this process in memory at most so far.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_streams_to_the_bucket() {
    let Stack { emulators, edge } = start(EdgeOptions::default(), &nobody()).await;
    assert_eq!(put(&edge, "/bucket/stage/a", "", b"hello").status, 303);
    let before = peak();
    let length = 256 << 20;
    let address = edge.address();
    let (answer, _) =
        tokio::task::spawn_blocking(move || stream(address, "PUT /bucket/stage/large HTTP/1.1", length)).await.unwrap();
    assert_eq!(answer.status, 303, "{answer:?}");
    assert_eq!(emulators.s3().objects()["stage/large"].length, length as u64);
    assert_eq!(edge.requests()[1].request_bytes, length as u64);
    let more = peak() - before;
    assert!(more < length / 2, "{more} bytes more in memory");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_early_answer_reads_on_or_closes() {
    for (early, length) in [(EarlyAnswers::ReadOn, 48 << 20), (EarlyAnswers::Close, 48 << 20)] {
        let options = EdgeOptions { early_answers: early, ..EdgeOptions::default() };
        let Stack { edge, .. } = start(options, &nobody()).await;
        let address = edge.address();
        let (answer, broken) =
            tokio::task::spawn_blocking(move || stream(address, "PATCH /answer HTTP/1.1", length)).await.unwrap();
        let read = || edge.requests()[0].request_bytes;
        match early {
            EarlyAnswers::ReadOn => {
                assert_eq!((answer.status, broken), (405, false));
                // What is read on is counted beside the answer.
                let begun = Instant::now();
                while read() < length as u64 {
                    assert!(begun.elapsed() < Duration::from_secs(10), "{} of {length} bytes are read", read());
                    tokio::task::yield_now().await;
                }
            }
            EarlyAnswers::Close => {
                assert!(broken, "the connection stays open");
                assert!(read() < 1 << 20, "{}", read());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_100_continue_is_not_asked_for_a_body_that_nobody_reads() {
    let Stack { edge, .. } = start(EdgeOptions::default(), &nobody()).await;
    let answer = send(edge.address(), "PUT /answer HTTP/1.1\r\nexpect: 100-continue\r\ncontent-length: 9", b"");
    assert_eq!(answer.status, 405);
    assert_eq!(edge.requests()[0].request_bytes, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_origin_is_504() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let origin = Origin::url("registry", &url).unwrap().timeout(Duration::from_millis(200));
    let edge = Edge::start(Distribution::new(Behavior::to("registry")).origin(origin), EdgeOptions::default()).unwrap();
    let overdue = get(&edge, "/");
    assert_eq!((overdue.status, overdue.header("x-cache")), (504, Some("Error from cloudfront")));
}

#[tokio::test(flavor = "multi_thread")]
async fn behaviors_go_by_the_first_pattern_that_matches() {
    let (url, served) = origin(vec![answer("200 OK"), answer("200 OK"), answer("200 OK")]);
    let (other, others) = origin(vec![answer("200 OK")]);
    let plain = |origin: &str| Behavior::to(origin).methods([Method::GET, Method::HEAD]);
    let tag =
        EdgeFunction::load("function handler(e) { e.request.headers['x-tag'] = { value: 'yes' }; return e.request; }")
            .unwrap();
    let distribution = Distribution::new(plain("one").on(EventType::ViewerRequest, tag).forwarding(Forwarding::All))
        .behavior(plain("other").path("/blobs/?/*").forwarding(Forwarding::Nothing))
        .behavior(Behavior::to("one").path("blobs/*"))
        .origin(Origin::url("one", &url).unwrap())
        .origin(Origin::url("other", &format!("{other}/under")).unwrap());
    let edge = Edge::start(distribution, EdgeOptions::default()).unwrap();
    send(
        edge.address(),
        "GET /blobs/a/b?x=1 HTTP/1.1\r\nrange: bytes=0-1\r\ncookie: a=b\r\nauthorization: secret",
        b"",
    );
    get(&edge, "/blobs/ab");
    get(&edge, "/?x=1");
    assert_eq!(send(edge.address(), "DELETE /blobs/ab HTTP/1.1", b"").status, 200);
    for refused in [
        "DELETE / HTTP/1.1",
        "PUT /blobs/a/b HTTP/1.1\r\ncontent-length: 0",
        "GET /blobs/ab HTTP/1.1\r\ncontent-length: 1",
    ] {
        let answer = send(edge.address(), refused, b"a");
        assert_eq!((answer.status, answer.header("server")), (403, Some("CloudFront")), "{refused}");
    }
    let to_other = others.join().unwrap()[0].to_ascii_lowercase();
    assert!(to_other.starts_with("get /under/blobs/a/b http/1.1"), "{to_other}");
    assert!(to_other.contains("range: bytes=0-1") && to_other.contains("user-agent: amazon cloudfront"), "{to_other}");
    assert!(!to_other.contains("cookie") && !to_other.contains("authorization"), "{to_other}");
    let heads = served.join().unwrap();
    assert!(heads[1].starts_with("GET /?x=1 HTTP/1.1") && heads[1].contains("x-tag: yes"), "{}", heads[1]);
    assert!(heads[1].contains("host: edge.test") && !heads[0].contains("x-tag"), "{}", heads[0]);
    let unknown = Edge::start(Distribution::new(plain("nowhere")), EdgeOptions::default());
    assert!(matches!(unknown, Err(EdgeError::Origin(id)) if id == "nowhere"));
    assert!(matches!(Origin::url("a", "https://a"), Err(EdgeError::Url(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn long_requests_are_refused() {
    let Stack { edge, .. } = start(EdgeOptions::default(), &nobody()).await;
    assert_eq!(get(&edge, &format!("/answer?{}", "a".repeat(8160))).status, 405);
    assert_eq!(get(&edge, &format!("/answer?{}", "a".repeat(8180))).status, 413);
    let long = format!("GET /answer HTTP/1.1\r\nx-long: {}", "a".repeat(21_000));
    assert_eq!(send(edge.address(), &long, b"").status, 413);
}
