//! Blobs that are not what they are called, or break off.

use berth::{
    digest::Digest,
    distribution::{Reading, Repository as _},
};
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;

use crate::{
    client::{Client, RETRIES, says},
    server::{Asked, Reply, Server, reply},
};

fn content() -> Bytes {
    (0..100_000u32).flat_map(u32::to_le_bytes).collect()
}

/// What is read until it ends or fails.
async fn read(reading: Reading) -> (Bytes, std::io::Result<()>) {
    let mut bytes = BytesMut::new();
    let result = reading.stream.try_for_each(|chunk| {
        std::future::ready({
            bytes.extend_from_slice(&chunk);
            Ok(())
        })
    });
    let result = result.await;
    (bytes.freeze(), result)
}

/// The first byte that is asked for.
fn first(asked: &Asked) -> usize {
    let range = asked.header("range").and_then(|range| range.strip_prefix("bytes="));
    range.and_then(|range| range.split('-').next()).map_or(0, |first| first.parse().unwrap())
}

/// An answer that has `content` from `from`, but for what comes after `bytes` more of it, and then ends.
fn broken(content: &Bytes, from: usize, bytes: usize) -> Reply {
    let (left, size) = (content.len() - from, content.len());
    let status = if from > 0 { "206 X" } else { "200 X" };
    let range = format!("content-range: bytes {from}-{}/{size}\r\n", size - 1);
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {left}\r\n{range}\r\n");
    Reply::Raw([head.as_bytes(), &content[from..(from + bytes).min(size)]].concat())
}

#[tokio::test]
async fn content_with_another_digest_is_never_taken_for_whole() {
    let server = Server::start(|_| reply(200, &[], "something else")).await;
    let (client, digest) = (Client::of(&server), Digest::canonical(b"what was pushed"));
    let repository = client.repository();
    let reading = repository.blobs().open(&client.ctx, &digest, 0, None).await.unwrap();
    let (bytes, result) = read(reading).await;
    assert_eq!(bytes, "something else");
    says(result, &[&server.addr.to_string(), &digest.to_string(), "must not be used"]);
    says(repository.blobs().get(&client.ctx, &digest, 100).await, &[&digest.to_string()]);
    // Another digest in a header is believed even less.
    let other = Digest::canonical(b"something else").to_string();
    let header = other.clone();
    let server = Server::start(move |_| reply(200, &[("Docker-Content-Digest", &header)], "x")).await;
    let client = Client::of(&server);
    says(client.repository().blobs().stat(&client.ctx, &digest).await, &[&other, &digest.to_string()]);
    says(client.repository().blobs().open(&client.ctx, &digest, 0, None).await.map(drop), &[&other]);
}

#[tokio::test]
async fn a_broken_download_goes_on_where_it_broke() {
    let (whole, digest) = (content(), Digest::canonical(&content()));
    let served = whole.clone();
    // Each connection carries 60,000 bytes.
    let server = Server::start(move |asked| broken(&served, first(asked), 60_000)).await;
    let client = Client::with(&server, |options| options.retry.retries = 10);
    let reading = client.repository().blobs().open(&client.ctx, &digest, 0, None).await.unwrap();
    assert_eq!(reading.size, 400_000);
    let (bytes, result) = read(reading).await;
    result.unwrap();
    assert!(bytes == whole);
    let firsts: Vec<usize> = server.asked().iter().map(first).collect();
    assert_eq!(firsts, [0, 60_000, 120_000, 180_000, 240_000, 300_000, 360_000]);
    assert_eq!(client.pauses.lock().unwrap().len(), 6);
}

#[tokio::test]
async fn a_server_that_knows_no_ranges_is_read_all_the_same() {
    let (whole, digest) = (content(), Digest::canonical(&content()));
    let served = whole.clone();
    let server = Server::start(move |asked| match asked.number {
        0 => broken(&served, 0, 150_000),
        _ => reply(200, &[], served.clone()),
    })
    .await;
    let client = Client::of(&server);
    let reading = client.repository().blobs().open(&client.ctx, &digest, 0, None).await.unwrap();
    let (bytes, result) = read(reading).await;
    result.unwrap();
    assert!(bytes == whole);
    let reading = client.repository().blobs().open(&client.ctx, &digest, 399_000, Some(500)).await.unwrap();
    assert!(read(reading).await.0 == whole.slice(399_000..399_500));
}

#[tokio::test]
async fn a_short_body_is_given_up_after_some_tries() {
    let (whole, digest) = (content(), Digest::canonical(&content()));
    let server = Server::start(move |asked| broken(&whole, first(asked), usize::from(asked.number == 0) * 5_000)).await;
    let client = Client::of(&server);
    let reading = client.repository().blobs().open(&client.ctx, &digest, 0, None).await.unwrap();
    let (bytes, result) = read(reading).await;
    assert_eq!(bytes.len(), 5_000);
    says(result, &[&server.addr.to_string(), "byte 5000 of 400000", "try again"]);
    assert_eq!(server.asked().len(), 1 + RETRIES as usize);
}

#[tokio::test]
async fn a_part_that_nobody_asked_for_is_refused() {
    let server = Server::start(|_| reply(206, &[("Content-Range", "bytes 200-299/400000")], vec![0; 100])).await;
    let (client, digest) = (Client::of(&server), Digest::canonical(b""));
    let result = client.repository().blobs().open(&client.ctx, &digest, 100, Some(50)).await;
    says(result.map(drop), &["from byte 100", "200-299"]);
}
