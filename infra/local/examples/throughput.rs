//! How fast the S3 emulator takes and gives bytes: `cargo run --profile fast --example throughput`.
//!
//! Each number includes the client's own work on the same cores, so it is a lower bound.

#![allow(clippy::unwrap_used)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::presigning::PresignedRequest;
use s3s::crypto::{Checksum as _, Sha256};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const SIZE: usize = 1 << 30;

#[tokio::main]
async fn main() {
    let begun = Instant::now();
    let stack = support::start().await;
    println!("start: {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    let block = support::noise(1 << 20);
    let begun = Instant::now();
    let mut hash = Sha256::new();
    (0..SIZE >> 20).for_each(|_| hash.update(&block));
    println!("SHA-256 alone: {:.0} MB/s", SIZE as f64 / 1e6 / begun.elapsed().as_secs_f64());
    let sum = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash.finalize());
    let put = stack.s3.put_object().bucket(&stack.bucket).key("plain").presigned(support::presigning()).await.unwrap();
    rate("PUT", send(&stack, "PUT", &put, &block)).await;
    let put = stack.s3.put_object().bucket(&stack.bucket).key("hashed").checksum_sha256(sum);
    let put = put.presigned(support::presigning()).await.unwrap();
    rate("PUT with SHA-256", send(&stack, "PUT", &put, &block)).await;
    let get = stack.s3.get_object().bucket(&stack.bucket).key("plain").presigned(support::presigning()).await.unwrap();
    rate("GET", send(&stack, "GET", &get, &block)).await;
    let begun = Instant::now();
    for i in 0..2000 {
        stack.put(&format!("small/{i}"), "x").await;
    }
    println!("small PUT, one at a time: {:.0} µs", begun.elapsed().as_secs_f64() / 2000.0 * 1e6);
    let key = || AttributeValue::S("k".to_owned());
    let begun = Instant::now();
    for _ in 0..2000 {
        stack.dynamodb.get_item().table_name(&stack.table).key("pk", key()).key("sk", key()).send().await.unwrap();
    }
    println!("GetItem, one at a time: {:.0} µs", begun.elapsed().as_secs_f64() / 2000.0 * 1e6);
}

async fn rate(name: &str, transfer: impl Future<Output = ()>) {
    let (begun, used) = (Instant::now(), processor_seconds());
    transfer.await;
    let rate = SIZE as f64 / 1e6 / begun.elapsed().as_secs_f64();
    println!("{name}: {rate:.0} MB/s, {:.2} processor seconds", processor_seconds() - used);
}

/// What client and server together have computed so far ("proc_pid_stat(5)": fields 14 and 15, in hundredths).
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    fields.skip(11).take(2).map(|ticks| ticks.parse::<f64>().unwrap()).sum::<f64>() / 100.0
}

/// The request by hand: a client that costs as little as one can.
async fn send(stack: &support::Stack, method: &str, request: &PresignedRequest, block: &[u8]) {
    let mut socket = TcpStream::connect(stack.emulators.s3().address()).await.unwrap();
    let path = request.uri().strip_prefix(&stack.emulators.s3().endpoint()).unwrap();
    let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", stack.emulators.s3().address());
    for (name, value) in request.headers() {
        head += &format!("{name}: {value}\r\n");
    }
    let length = if method == "PUT" { SIZE } else { 0 };
    socket.write_all(format!("{head}content-length: {length}\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    for _ in 0..length / block.len() {
        socket.write_all(block).await.unwrap();
    }
    let (mut buffer, mut total, mut head) = (vec![0; 1 << 20], 0, None);
    loop {
        let read = socket.read(&mut buffer).await.unwrap();
        head.get_or_insert_with(|| String::from_utf8_lossy(&buffer[..read.min(12)]).into_owned());
        total += read;
        if read == 0 {
            break;
        }
    }
    assert_eq!(head.as_deref(), Some("HTTP/1.1 200"));
    assert!(method == "PUT" || total > SIZE);
}
