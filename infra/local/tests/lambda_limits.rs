//! Sizes and times, at the bound and one beyond.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

#[path = "support/client.rs"]
mod client;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use berth_local::lambda::{Door, DoorOptions, Front, InvokeError, PAYLOAD_LIMIT};
use client::{Answer, door, get, probe, put};
use serde_json::json;

async fn http_api() -> Door {
    let function = probe().start().await.unwrap();
    function.door(DoorOptions { front: Front::HttpApi, ..DoorOptions::default() }).unwrap()
}

/// A text of `length` bytes, whose event is larger by a constant (as long as `length` has seven digits).
async fn text(door: &Door, length: usize) -> Answer {
    put(door, "/size", "content-type: text/plain", vec![b'a'; length]).await
}

/// How many bytes an event has besides a text of some megabytes.
async fn overhead(door: &Door) -> usize {
    let answer = text(door, 1_000_000).await.json();
    usize::try_from(answer["event"].as_u64().unwrap()).unwrap() - 1_000_000
}

fn is_refused_as_too_large(answer: &Answer) {
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (413, Some("RequestEntityTooLargeException")));
    assert!(answer.json()["message"].as_str().unwrap().contains("6291556"));
}

#[tokio::test]
async fn the_largest_event_arrives_and_a_byte_more_is_413() {
    let door = door(probe()).await;
    let most = PAYLOAD_LIMIT - overhead(&door).await;
    assert_eq!(text(&door, most).await.json(), json!({ "event": PAYLOAD_LIMIT, "body": most }));
    is_refused_as_too_large(&text(&door, most + 1).await);
    door.function().settled().await;
    assert_eq!(door.function().counters().invocations, 2, "the function has not seen the one that is too large");
}

#[tokio::test]
async fn a_binary_body_takes_a_third_more() {
    let door = door(probe()).await;
    let size = async |length| put(&door, "/size", "content-type: a/b", vec![0; length]).await;
    let overhead = size(3_000_000).await.json()["event"].as_u64().unwrap() - 4_000_000;
    let most = (PAYLOAD_LIMIT - usize::try_from(overhead).unwrap()) / 4 * 3;
    assert_eq!(size(most).await.json()["body"], most);
    is_refused_as_too_large(&size(most + 1).await);
}

#[tokio::test]
async fn an_http_api_has_a_limit_of_its_own() {
    let door = http_api().await;
    let most = PAYLOAD_LIMIT - overhead(&door).await;
    assert_eq!(text(&door, most).await.status, 200);
    for length in [most + 1, 10 << 20, (10 << 20) + 1] {
        let answer = text(&door, length).await;
        assert_eq!((answer.status, answer.text()), (413, r#"{"message":"Request Entity Too Large"}"#), "{length}");
    }
}

#[tokio::test]
async fn a_client_that_is_still_sending_hears_413() {
    // No length is announced, so the door cannot know before the limit is passed; the client goes on to the end.
    let door = door(probe()).await;
    let mut body = b"2000000\r\n".to_vec(); // 32 MiB in hexadecimal
    body.resize(body.len() + (32 << 20), 0);
    body.extend_from_slice(b"\r\n0\r\n\r\n");
    let head = "PUT / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked";
    is_refused_as_too_large(&client::send(&door, head, body).await);
}

#[tokio::test]
async fn a_client_that_asks_first_sends_nothing() {
    let door = door(probe()).await;
    let mut socket = TcpStream::connect(door.address()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket
        .write_all(b"PUT / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 100000000\r\n\r\n")
        .unwrap();
    let mut answer = [0; 12];
    socket.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 413");
}

#[tokio::test]
async fn the_largest_answer_arrives_and_a_byte_more_does_not() {
    let (url, api) = (door(probe()).await, http_api().await);
    for (door, status) in [(&url, 502), (&api, 500)] {
        let before = get(door, "/who").await.json();
        let answer = get(door, &format!("/large?a={PAYLOAD_LIMIT}")).await;
        assert_eq!((answer.status, answer.body.len()), (200, PAYLOAD_LIMIT - r#"{"statusCode":200,"body":""}"#.len()));
        assert_eq!(get(door, &format!("/large?a={}", PAYLOAD_LIMIT + 1)).await.status, status);
        let line = door.function().log(|line| line.text.starts_with("posted 413")).await;
        assert!(line.text.contains(r#""errorType":"RequestEntityTooLarge""#), "{line:?}");
        assert_eq!(get(door, "/who").await.json()["pid"], before["pid"], "the instance lives on");
    }
}

#[tokio::test]
async fn limits_can_be_others() {
    let door = door(probe().event_limit(2_000).answer_limit(1_000)).await;
    let most = 2_000 - (usize::try_from(text(&door, 1_000).await.json()["event"].as_u64().unwrap()).unwrap() - 1_000);
    assert_eq!((text(&door, most).await.status, text(&door, most + 1).await.status), (200, 413));
    assert_eq!((get(&door, "/large?a=1000").await.status, get(&door, "/large?a=1001").await.status), (200, 502));
}

#[tokio::test]
async fn a_direct_invocation_has_the_same_limits() {
    let function = probe().start().await.unwrap();
    let event = |size: usize| {
        let event = r#"{"rawPath":"/size","pad":""}"#;
        format!("{}{}\"}}", &event[..event.len() - 2], "a".repeat(size - event.len()))
    };
    assert!(function.invoke(event(PAYLOAD_LIMIT)).await.is_ok());
    let refused = function.invoke(event(PAYLOAD_LIMIT + 1)).await.unwrap_err();
    assert_eq!(refused, InvokeError::TooLarge { size: PAYLOAD_LIMIT + 1, limit: PAYLOAD_LIMIT });
    let event = json!({ "rawPath": "/large", "a": (PAYLOAD_LIMIT + 1).to_string() });
    let InvokeError::Function { kind, payload } = function.invoke(event.to_string()).await.unwrap_err() else {
        panic!()
    };
    assert_eq!(kind, "Function.ResponseSizeTooLarge");
    assert!(payload.contains("(6291556 bytes)"));
}

#[tokio::test]
async fn an_instance_that_takes_too_long_is_killed() {
    let timeout = Duration::from_millis(300);
    let url = door(probe().timeout(timeout)).await;
    let api = probe().timeout(timeout).start().await.unwrap();
    let api = api.door(DoorOptions { front: Front::HttpApi, ..DoorOptions::default() }).unwrap();
    for (door, status) in [(&url, 502), (&api, 500)] {
        let before = get(door, "/who").await.json();
        assert_eq!(get(door, "/wait?a=/never").await.status, status);
        let after = get(door, "/who").await.json();
        assert_ne!(before["pid"], after["pid"]);
        assert_eq!(after["handled"], 1);
        let counters = door.function().counters();
        assert_eq!((counters.timeouts, counters.errors, counters.starts), (1, 1, 2));
        assert!(counters.billed_ms >= 300, "{counters:?}");
    }
    let error = url.function().invoke(r#"{"rawPath":"/wait","a":"/never"}"#).await.unwrap_err();
    assert_eq!(error, InvokeError::TimedOut(timeout));
}

#[tokio::test]
async fn each_event_has_the_whole_time() {
    let timeout = Duration::from_secs(1);
    let function = probe().timeout(timeout).start().await.unwrap();
    let begun = Instant::now();
    while begun.elapsed() < timeout * 3 / 2 {
        function.invoke("{}").await.unwrap();
    }
    assert_eq!((function.counters().starts, function.counters().timeouts), (1, 0));
}

#[tokio::test]
async fn an_http_api_waits_for_so_long_and_the_function_goes_on() {
    let function = probe().start().await.unwrap();
    let integration_timeout = Duration::from_millis(200);
    let options = DoorOptions { front: Front::HttpApi, integration_timeout, ..DoorOptions::default() };
    let door = function.door(options).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("go");
    let answer = get(&door, &format!("/wait?a={}", file.display())).await;
    assert_eq!((answer.status, answer.text()), (503, r#"{"message":"Service Unavailable"}"#));
    std::fs::write(file, "").unwrap();
    function.log(|line| line.text.starts_with("posted 202")).await;
    assert_eq!(function.counters().errors, 0);
}
