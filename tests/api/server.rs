//! The server as such: clients that are slow, rude or early, and how it stops.

use std::time::Duration;

use berth::{digest::Digest, http::Timeouts};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    client::Body,
    registry::{Registry, Setup},
};

const SHORT: Duration = Duration::from_millis(100);
const LONG: Duration = Duration::from_secs(600);

async fn with(timeouts: Timeouts) -> Registry {
    Setup { timeouts, ..Setup::default() }.start().await
}

#[tokio::test]
async fn a_client_that_dawdles_over_its_head_is_let_go() {
    let registry = with(Timeouts { head: SHORT, ..Timeouts::default() }).await;
    for start in ["", "GET /v2/ HTTP/1.1\r\n", "GET /v2/ HTTP/1.1\r\nhost: x\r\nx-slow: "] {
        let mut client = registry.client().await;
        client.write(start.as_bytes()).await;
        let mut rest = Vec::new();
        let _ = client.stream.read_to_end(&mut rest).await;
    }
    // So is one that has been answered and is idle.
    let mut client = registry.client().await;
    client.get("/v2/").await.is(200);
    client.closed().await;
}

#[tokio::test]
async fn a_client_that_stops_in_mid_body_is_let_go_and_nothing_is_kept() {
    let registry = with(Timeouts { body: SHORT, linger: SHORT, ..Timeouts::default() }).await;
    let mut client = registry.client().await;
    let opened = client.post("/v2/repo/blobs/uploads/").await;
    let path = opened.header("location").replace(&format!("http://{}", registry.addr), "");
    let before = registry.holds().await;
    client.write(format!("PATCH {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n01234").as_bytes()).await;
    client.answer(false).await.refused(400, "SIZE_INVALID");
    client.closed().await;
    assert_eq!(registry.holds().await, before);
}

#[tokio::test]
async fn a_tls_hello_is_answered_in_http() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    client.write(b"\x16\x03\x01\x00\xc8\x01\x00\x00\xc4\x03\x03").await;
    client.answer(false).await.is(400);
    client.closed().await;
}

#[tokio::test]
async fn heads_of_any_length_are_not_taken() {
    let registry = Registry::start().await;
    let long = "x".repeat(70 << 10);
    let mut client = registry.client().await;
    client.send("GET", "/v2/", &[("x-long", &long)], Body::None).await;
    client.answer(false).await.is(431);
    let mut client = registry.client().await;
    let many: Vec<_> = (0..200).map(|_| ("x-many", "1")).collect();
    client.send("GET", "/v2/", &many, Body::None).await;
    client.answer(false).await.is(431);
}

#[tokio::test]
async fn a_client_that_sends_all_of_a_refused_body_first_sees_the_answer() {
    let registry = Registry::start().await;
    let body = vec![b'x'; 32 << 20]; // more than sockets hold
    for (method, target, status) in [
        ("PUT", "/v2/repo/manifests/latest", 413),
        ("PATCH", "/v2/repo/blobs/uploads/00000000-0000-7000-8000-000000000000", 404),
        ("POST", "/v2/Bad/blobs/uploads/", 400),
        ("PATCH", "/v2/repo/manifests/latest", 405),
    ] {
        let mut client = registry.client().await;
        client.ask(method, target, &[], Body::Sized(&body)).await.is(status);
        // And the connection goes on.
        client.get("/v2/").await.is(200);
    }
}

#[tokio::test]
async fn a_client_that_waits_to_be_told_is_told_at_once() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    let head =
        "POST /v2/Bad/blobs/uploads/ HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 1000000\r\n\r\n";
    client.write(head.as_bytes()).await;
    client.answer(false).await.refused(400, "NAME_INVALID");

    let opened = registry.client().await.post("/v2/repo/blobs/uploads/").await;
    let path = opened.closing(Digest::canonical(b"content")).replace(&format!("http://{}", registry.addr), "");
    let mut client = registry.client().await;
    let head = format!("PUT {path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 7\r\n\r\n");
    client.write(head.as_bytes()).await;
    client.answer(false).await.is(100);
    client.write(b"content").await;
    client.answer(false).await.is(201);
}

#[tokio::test]
async fn a_change_that_has_begun_is_carried_through_though_the_client_is_gone() {
    let mut registry = Registry::start().await;
    registry.push_blob("repo", b"other").await; // so that the secret of uploads is there
    let digest = Digest::canonical(b"content");
    let held = registry.driver.hold();
    let mut client = registry.client().await;
    client.send("POST", &format!("/v2/repo/blobs/uploads/?digest={digest}"), &[], Body::Sized(b"content")).await;
    held.entered.await.expect("the write begins");
    drop(client);
    // The connection has ended, and whatever it alone kept alive with it.
    let driver = registry.driver.clone();
    registry.stop();
    registry.stopped().await;
    held.release.send(()).expect("the write is still under way");
    held.done.await.expect("the write is carried through");

    let registry = Setup { driver, ..Setup::default() }.start().await;
    let mut client = registry.client().await;
    let target = format!("/v2/repo/blobs/{digest}");
    while client.head(&target).await.status != 200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn stopping_answers_what_is_under_way_and_closes_what_is_idle() {
    let mut registry = with(Timeouts { drain: LONG, head: LONG, ..Timeouts::default() }).await;
    let mut idle = registry.client().await;
    idle.get("/v2/").await.is(200);
    let mut busy = registry.client().await;
    let opened = busy.post("/v2/repo/blobs/uploads/").await;
    let path = opened.closing(Digest::canonical(b"0123456789")).replace(&format!("http://{}", registry.addr), "");
    let head = format!("PUT {path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 10\r\n\r\n");
    busy.write(head.as_bytes()).await;
    busy.answer(false).await.is(100); // it is under way now

    registry.stop();
    idle.closed().await;
    let addr = registry.addr;
    while tokio::net::TcpStream::connect(addr).await.is_ok() {
        tokio::task::yield_now().await;
    }
    busy.write(b"0123456789").await;
    let closed = busy.answer(false).await;
    closed.is(201);
    assert_eq!(closed.header("connection"), "close");
    busy.closed().await;
    registry.stopped().await;
}

#[tokio::test]
async fn stopping_does_not_wait_forever() {
    let mut registry = with(Timeouts { drain: SHORT, ..Timeouts::default() }).await;
    let mut busy = registry.client().await;
    let opened = busy.post("/v2/repo/blobs/uploads/").await;
    let path = opened.header("location").replace(&format!("http://{}", registry.addr), "");
    busy.write(
        format!("PATCH {path} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 10\r\n\r\n").as_bytes(),
    )
    .await;
    busy.answer(false).await.is(100);
    registry.stop();
    registry.stopped().await;
}

#[tokio::test]
async fn answers_come_in_order_to_a_client_that_does_not_wait_for_them() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    let requests = "GET /v2/ HTTP/1.1\r\nhost: x\r\n\r\nGET /nowhere HTTP/1.1\r\nhost: x\r\n\r\nHEAD /v2/ HTTP/1.1\r\nhost: x\r\n\r\n";
    client.write(requests.as_bytes()).await;
    client.answer(false).await.is(200);
    client.answer(false).await.is(404);
    client.answer(true).await.is(200);
    client.stream.get_mut().shutdown().await.unwrap();
    client.closed().await;
}
