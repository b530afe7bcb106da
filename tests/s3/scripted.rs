//! Answers that come before the content was read, as S3 gives them and the emulator does not: by a server that plays
//! a script.

use std::{sync::Arc, time::Duration};

use berth::{
    aws::{Account, Keys, http_client},
    digest::Digest,
    driver::{
        DriverErrorKind, PutOptions, StorageDriver as _,
        s3::{S3Config, S3Driver},
    },
};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Mutex,
};

use crate::store::{MIB, announced, broken, bytes, ctx, path};

/// What the server does with one connection.
#[derive(Clone, Copy)]
enum Turn {
    /// Answers after so many bytes of the body.
    Answer { after: usize, status: &'static str, code: &'static str },
    /// Closes after so many bytes of the body.
    Close { after: usize },
}

use Turn::{Answer, Close};

const EXISTS: Turn = Answer { after: 0, status: "412 Precondition Failed", code: "PreconditionFailed" };
const OK: Turn = Answer { after: usize::MAX, status: "200 OK", code: "" };

async fn driver(script: &[Turn]) -> (S3Driver, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (script, log) = (script.to_vec(), requests.clone());
    tokio::spawn(async move {
        for turn in script {
            let (connection, _) = listener.accept().await.unwrap();
            play(turn, connection, &log).await;
        }
    });
    let keys = Keys { access: "access".to_owned(), secret: "secret".to_owned() };
    let account = Account { region: None, endpoint: Some(format!("http://{address}")), keys: Some(keys) };
    let config = S3Config { account, force_path_style: true, ..S3Config::new("bucket") };
    (S3Driver::new(config, &http_client()).await, requests)
}

async fn play(turn: Turn, mut connection: TcpStream, log: &Mutex<Vec<String>>) {
    let mut seen = Vec::new();
    let head = loop {
        connection.read_buf(&mut seen).await.unwrap();
        if let Some(end) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
    };
    let text = String::from_utf8_lossy(&seen[..head]).to_ascii_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    log.lock().await.push(text);
    let (Answer { after, .. } | Close { after }) = turn;
    let mut body = seen.len() - head;
    while body < length.min(after) {
        body += connection.read_buf(&mut Vec::with_capacity(MIB)).await.unwrap();
    }
    if let Answer { status, code, .. } = turn {
        let xml = if code.is_empty() { String::new() } else { format!("<Error><Code>{code}</Code></Error>") };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{xml}", xml.len());
        connection.write_all(answer.as_bytes()).await.unwrap();
        // As a server does that must not reset the connection before its answer was read.
        connection.shutdown().await.unwrap();
        while connection.read(&mut vec![0; MIB]).await.is_ok_and(|read| read > 0) {}
    }
}

fn checked(content: &[u8]) -> PutOptions {
    PutOptions { create_only: true, checksum: Some(Digest::canonical(content)) }
}

async fn put(
    script: &[Turn],
    content: berth::distribution::Content,
    options: PutOptions,
) -> (Result<u64, DriverErrorKind>, Vec<String>) {
    let (driver, requests) = driver(script).await;
    let (ctx, path) = (ctx(), path("/x"));
    let put = driver.put(&ctx, &path, content, options);
    let result = tokio::time::timeout(Duration::from_secs(30), put).await.unwrap();
    (result.map_err(|error| error.kind), requests.lock().await.clone())
}

#[tokio::test]
async fn a_refusal_before_the_content_was_read_waits_for_what_the_content_is() {
    let content = bytes(20 * MIB);
    let (result, _) = put(&[EXISTS], announced(&content), checked(&content)).await;
    assert_eq!(result, Err(DriverErrorKind::Precondition));
    let (result, _) = put(&[EXISTS], announced(&content), checked(b"other")).await;
    assert_eq!(result, Err(DriverErrorKind::Checksum));
    let (result, _) = put(&[EXISTS], broken(&content, Some(21 * MIB as u64)), checked(&content)).await;
    assert_eq!(result, Err(DriverErrorKind::Content));
}

#[tokio::test]
async fn a_refusal_that_is_lost_with_its_connection_is_asked_for() {
    let content = bytes(20 * MIB);
    // Nine of the twenty are no longer at hand when the connection breaks.
    let script = [Close { after: 9 * MIB }, OK];
    let (result, requests) = put(&script, announced(&content), checked(&content)).await;
    assert_eq!(result, Err(DriverErrorKind::Precondition));
    assert!(requests[1].starts_with("head /bucket/x "), "{}", requests[1]);
    let (result, _) = put(&script, announced(&content), checked(b"other")).await;
    assert_eq!(result, Err(DriverErrorKind::Checksum));
    let missing = Answer { after: 0, status: "404 Not Found", code: "" };
    let (result, _) = put(&[Close { after: 9 * MIB }, missing], announced(&content), checked(&content)).await;
    assert_eq!(result, Err(DriverErrorKind::Failed));
}

#[tokio::test]
async fn a_stream_is_sent_again_while_its_beginning_is_at_hand() {
    let content = bytes(9 * MIB);
    let slow = Answer { after: 0, status: "503 Slow Down", code: "SlowDown" };
    for first in [slow, Close { after: 0 }, Close { after: MIB }] {
        let (result, requests) = put(&[first, first, OK], announced(&content), checked(&content)).await;
        assert_eq!((result, requests.len()), (Ok(content.len() as u64), 3));
    }
}

#[tokio::test]
async fn a_stream_carries_its_checksum_and_condition_and_no_framing() {
    let content = bytes(9 * MIB);
    let (_, requests) = put(&[OK], announced(&content), checked(&content)).await;
    let head = &requests[0];
    assert!(head.contains("\r\nif-none-match: *\r\n"), "{head}");
    assert!(head.contains(&format!("\r\ncontent-length: {}\r\n", content.len())), "{head}");
    assert!(head.contains("\r\nx-amz-checksum-sha256: ") && head.contains("x-amz-checksum-sha256;"), "{head}");
    assert!(!head.contains("aws-chunked") && !head.contains("transfer-encoding"), "{head}");
}

#[tokio::test]
async fn a_bucket_in_another_region_is_named_with_its_region() {
    let moved = "301 Moved Permanently\r\nx-amz-bucket-region: eu-north-1";
    let (driver, _) = driver(&[Answer { after: 0, status: moved, code: "" }]).await;
    let error = driver.stat(&ctx(), &path("/x")).await.unwrap_err();
    assert_eq!(error.kind, DriverErrorKind::Failed);
    assert!(error.message.contains("'bucket' is in region eu-north-1"), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_none_of_s3s_is_tried_again() {
    let page = Answer { after: 0, status: "502 Bad Gateway\r\nContent-Type: text/html", code: "" };
    let (driver, requests) = driver(&[page, OK]).await;
    driver.put(&ctx(), &path("/x"), Bytes::from("x").into(), PutOptions::default()).await.unwrap();
    assert_eq!(requests.lock().await.len(), 2);
}
