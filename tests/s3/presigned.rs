//! Presigned URLs, used as any HTTP client uses them.

use std::time::Duration;

use berth::driver::{PresignedMethod, PutOptions, StorageDriver as _};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::store::{ctx, path, store};

/// The status and the text of the answer to `method` on `url`.
async fn ask(method: &str, url: &str) -> (String, String) {
    let (host, target) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut connection = TcpStream::connect(host).await.unwrap();
    let request = format!("{method} /{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().to_owned();
    (status, answer)
}

#[tokio::test]
async fn a_url_is_signed_without_a_request_and_allows_what_it_says() {
    let store = store().await;
    store.put("/x", Bytes::from("the content"), PutOptions::default()).await.unwrap();
    store.asked();
    let sign = async |method| {
        let signed = store.driver.presign(&ctx(), &path("/x"), method, Duration::from_secs(60)).await;
        signed.unwrap().unwrap()
    };
    let (get, head) = (sign(PresignedMethod::Get).await, sign(PresignedMethod::Head).await);
    assert!(store.emulator.requests().is_empty());
    assert!(get.contains("X-Amz-Expires=60"), "{get}");

    let (status, answer) = ask("GET", &get).await;
    assert_eq!(status, "200", "{answer}");
    assert!(answer.ends_with("\r\n\r\nthe content"), "{answer}");
    let (status, answer) = ask("HEAD", &head).await;
    assert_eq!(status, "200", "{answer}");
    assert!(answer.to_ascii_lowercase().contains("content-length: 11\r\n"), "{answer}");

    for (method, url) in [
        ("GET", get.replace("/x?", "/y?")),
        ("GET", format!("{get}&more=1")),
        ("GET", get.replace("X-Amz-Expires=60", "X-Amz-Expires=6000")),
        ("HEAD", get.clone()),
        ("PUT", get.clone()),
        ("DELETE", head.clone()),
    ] {
        assert_eq!(ask(method, &url).await.0, "403", "{method} {url}");
    }
    assert_eq!(store.content("/x").await.unwrap(), "the content");
}
