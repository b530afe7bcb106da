//! What the registry says reaches the client in its own words.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
};

use berth::digest::Digest;
use bytes::Bytes;
use http::StatusCode;

use crate::{
    house::{House, content},
    old_client::{error, send},
    process::Home,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals() {
    let house = House::new().await;
    let home = Home::of("alice", house.host());
    let gateway = home.start(house.host());
    let http = gateway.http();
    // Of what she may not read, and not write.
    let (status, code, words) = error(&http.get("/v2/b/app/tags/list").await);
    assert_eq!((status, code.as_str()), (403, "DENIED"));
    assert!(words.contains(house.host()) && words.contains("may not pull from b/app"), "{words}");
    let blob = content(1, 100_000);
    let sent = send(&http, "b/app", &blob).await;
    let (status, code, words) = error(&http.put(&sent.closing(&Digest::canonical(&blob)), &[], Bytes::new()).await);
    assert_eq!((status, code.as_str()), (403, "DENIED"));
    assert!(words.contains("may not push to b/app"), "{words}");
    // Of what is not there.
    let (status, code, _) = error(&http.get("/v2/a/nothing/tags/list").await);
    assert_eq!((status, code.as_str()), (404, "NAME_UNKNOWN"));
    let (status, code, _) = error(&http.get("/v2/a/nothing/manifests/v1").await);
    assert_eq!((status, code.as_str()), (404, "MANIFEST_UNKNOWN"));

    // A password that is none.
    let stranger = Home::of("mallory", house.host());
    let gateway = stranger.start(house.host());
    let (status, code, words) = error(&gateway.http().get("/v2/a/app/tags/list").await);
    assert_eq!((status, code.as_str()), (403, "DENIED"));
    assert!(words.contains(house.host()) && words.contains("401"), "{words}");
}

/// A registry that answers everything with `answer`.
fn says(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 64 << 10];
            let _ = stream.read(&mut asked);
            let _ = write!(stream, "{answer}");
        }
    });
    host
}

/// Status line and the rest of what `host` answers.
fn raw(host: &str, target: &str) -> (String, String) {
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (line, rest) = answer.split_once("\r\n").unwrap();
    (line.to_owned(), rest.to_owned())
}

#[test]
fn failures() {
    let body = r#"{"errors":[{"code":"UNKNOWN","message":"the disk is on fire"}]}"#;
    let answer = format!("HTTP/1.1 500 X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let registry = says(answer.leak());
    let home = Home::new();
    let gateway = home.start(&registry);
    let (line, rest) = raw(&gateway.host, "/v2/app/tags/list");
    // Docker and podman show of this no more than the first line.
    assert!(line.starts_with("HTTP/1.1 502 Bad Gateway: ") && line.contains("the disk is on fire"), "{line}");
    assert!(rest.contains(&registry) && rest.contains("the disk is on fire"), "{rest}");

    let body = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"project app is not found"}]}"#;
    let answer = format!("HTTP/1.1 404 X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let gateway = home.start(&says(answer.leak()));
    let (line, rest) = raw(&gateway.host, "/v2/app/tags/list");
    assert!(line.starts_with("HTTP/1.1 404 ") && rest.contains("NAME_UNKNOWN"), "{line} {rest}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_registry_does_not_take() {
    let body = r#"{"errors":[{"code":"NAME_UNKNOWN","message":"project app is not found"}]}"#;
    let answer = format!("HTTP/1.1 404 X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}", body.len());
    let home = Home::new();
    let gateway = home.start(&says(answer.leak()));
    let (http, blob) = (gateway.http(), content(1, 1000));
    let sent = send(&http, "app", &blob).await;
    let refused = http.put(&sent.closing(&Digest::canonical(&blob)), &[], Bytes::new()).await;
    let (status, _, words) = error(&refused);
    assert_eq!(status, 400, "{refused:?}");
    assert!(words.contains("404") && words.contains("project app is not found"), "{words}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_there() {
    let host = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let home = Home::new();
    let gateway = home.start(&host);
    let answer = gateway.http().get("/v2/app/tags/list").await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert!(error(&answer).2.contains(&format!("{host} cannot be reached")), "{answer:?}");
}
