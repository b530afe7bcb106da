//! Answers without an end, of which little is taken.

use berth::{distribution::Repository as _, name::Reference};
use bytes::Bytes;

use crate::{
    client::{Client, says},
    server::{Reply, Server},
};

const GIGABYTE: u64 = 1 << 30;
/// What may lie in the buffers of two sockets, and one manifest.
const LITTLE: u64 = 24 << 20;

fn endless(head: &str) -> Reply {
    Reply::Endless(head.as_bytes().to_vec(), Bytes::from(vec![b'a'; 1 << 20]))
}

/// `1000` and a line, a mebibyte of it, for ever.
fn chunked(status: &str) -> Reply {
    let head = format!("HTTP/1.1 {status} X\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunk = [&b"100000\r\n"[..], &vec![b'a'; 1 << 20], b"\r\n"].concat();
    Reply::Endless(head.into_bytes(), chunk.into())
}

async fn manifest(reply: fn() -> Reply) -> (Server, String) {
    let server = Server::start(move |_| reply()).await;
    let client = Client::of(&server);
    let reference = Reference::Tag("latest".parse().unwrap());
    let result = client.repository().manifests().get(&client.ctx, &reference).await;
    let said = result.as_ref().unwrap_err().to_string();
    says(result, &[]);
    (server, said)
}

#[tokio::test]
async fn a_manifest_of_a_gigabyte_is_refused_by_its_length() {
    let (server, said) = manifest(|| endless(&format!("HTTP/1.1 200 X\r\ncontent-length: {GIGABYTE}\r\n\r\n"))).await;
    assert!(said.contains("more than the 4194304 bytes") && said.contains(&server.addr.to_string()), "{said}");
    assert!(server.written() < LITTLE, "{} bytes", server.written());
}

#[tokio::test]
async fn a_manifest_without_an_end_is_given_up() {
    let (server, said) = manifest(|| chunked("200")).await;
    assert!(said.contains("more than the 4194304 bytes"), "{said}");
    assert!(server.written() < LITTLE, "{} bytes", server.written());
}

#[tokio::test]
async fn an_error_without_an_end_is_an_error() {
    let (server, said) = manifest(|| chunked("500")).await;
    assert!(said.contains("500"), "{said}");
    assert!(server.written() < LITTLE, "{} bytes", server.written());
}

#[tokio::test]
async fn headers_without_an_end_are_given_up() {
    let (server, _) = manifest(|| endless("HTTP/1.1 200 X\r\nx: ")).await;
    // Each of the tries.
    assert!(server.written() < 4 * LITTLE, "{} bytes", server.written());
}

#[tokio::test]
async fn a_blob_longer_than_the_limit_is_not_taken() {
    let server = Server::start(|_| endless(&format!("HTTP/1.1 200 X\r\ncontent-length: {GIGABYTE}\r\n\r\n"))).await;
    let (client, digest) = (Client::of(&server), berth::digest::Digest::canonical(b""));
    let result = client.repository().blobs().get(&client.ctx, &digest, 1 << 20).await;
    says(result, &["1073741824 bytes", "1048576"]);
    assert!(server.written() < LITTLE, "{} bytes", server.written());
}
