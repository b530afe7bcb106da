//! Several processes on one folder, and how one begins and ends: the real binary, started as a user starts it.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

#[path = "support/mod.rs"]
mod support;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Command,
};

use berth::digest::Digest;
use bytes::Bytes;
use http::{Method, StatusCode};
use support::{http::Http, process::Served};

fn yaml(folder: &tempfile::TempDir) -> String {
    format!("version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}/data}}}}\n", folder.path().display())
}

fn two(folder: &tempfile::TempDir) -> ([Served; 2], [Http; 2]) {
    let served = [(); 2].map(|()| Served::start(folder.path(), &yaml(folder)));
    let http = [Http::new(&served[0].host), Http::new(&served[1].host)];
    (served, http)
}

async fn push_blob(http: &Http, blob: &[u8]) -> Digest {
    let digest = Digest::canonical(blob);
    let path = format!("/v2/shared/blobs/uploads/?digest={digest}");
    let answer = http.send(Method::POST, &path, &[], Bytes::copy_from_slice(blob)).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    digest
}

/// A manifest whose annotation tells it from others.
fn manifest(config: &Digest, size: usize, note: &str) -> Bytes {
    Bytes::from(format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{config}","size":{size}}},"layers":[],"annotations":{{"note":"{note}"}}}}"#
    ))
}

async fn put(http: &Http, tag: &str, manifest: &Bytes) {
    let headers = [("content-type", "application/vnd.oci.image.manifest.v1+json")];
    let answer = http.put(&format!("/v2/shared/manifests/{tag}"), &headers, manifest.clone()).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
}

#[tokio::test]
async fn a_tag_moved_by_another_process_is_seen_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_served, [one, other]) = two(&folder);
    let config = push_blob(&one, b"{}").await;
    for note in ["first", "second", "third"] {
        let manifest = manifest(&config, 2, note);
        put(&one, "latest", &manifest).await;
        assert_eq!(other.get("/v2/shared/manifests/latest").await.body, manifest);
    }
    assert_eq!(other.delete("/v2/shared/manifests/latest").await.status, StatusCode::ACCEPTED);
    assert_eq!(one.get("/v2/shared/manifests/latest").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_upload_goes_on_in_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let (served, [one, other]) = two(&folder);
    let content = Bytes::from_static(b"begun here, continued there, closed by a third");
    let digest = Digest::canonical(&content);
    let path = |location: &str| location[location.find("/v2/").unwrap()..].to_owned();

    let opened = one.post("/v2/shared/blobs/uploads/").await;
    let sent = one.send(Method::PATCH, &path(opened.header("location")), &[], content.slice(..10)).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED);
    drop(served);

    let third = Served::start(folder.path(), &yaml(&folder));
    let other = {
        drop(other);
        Http::new(&third.host)
    };
    let status = other.get(&path(opened.header("location"))).await;
    assert_eq!((status.status, status.header("range")), (StatusCode::NO_CONTENT, "0-9"));
    let range = [("content-range", "10-45")];
    let sent = other.send(Method::PATCH, &path(status.header("location")), &range, content.slice(10..)).await;
    assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
    let closed = other.put(&path(&sent.closing(&digest)), &[], Bytes::new()).await;
    assert_eq!(closed.status, StatusCode::CREATED, "{closed:?}");
    assert_eq!(other.get(&format!("/v2/shared/blobs/{digest}")).await.body, content);
}

#[tokio::test]
async fn two_processes_push_the_same_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_served, [one, other]) = two(&folder);
    for round in 0..10 {
        let blob = format!(r#"{{"round":{round}}}"#);
        let (here, there) = tokio::join!(push_blob(&one, blob.as_bytes()), push_blob(&other, blob.as_bytes()));
        assert_eq!(here, there);
        let (first, second) = (
            manifest(&here, blob.len(), &format!("{round} one")),
            manifest(&here, blob.len(), &format!("{round} other")),
        );
        tokio::join!(put(&one, "contested", &first), put(&other, "contested", &second));
        let seen = [one.get("/v2/shared/manifests/contested").await, other.get("/v2/shared/manifests/contested").await];
        assert_eq!(seen[0].body, seen[1].body, "both see the same winner");
        assert!([first, second].contains(&seen[0].body), "the winner is whole");
    }
    let tags = one.get("/v2/shared/tags/list").await;
    assert_eq!(tags.body, Bytes::from_static(br#"{"name":"shared","tags":["contested"]}"#));
}

#[tokio::test]
async fn a_request_under_way_is_finished_before_the_process_stops() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), &yaml(&folder));
    let content = b"sent in two parts, with a signal between them";
    let digest = Digest::canonical(content);
    let mut stream = TcpStream::connect(&served.host).unwrap();
    write!(
        stream,
        "POST /v2/shared/blobs/uploads/?digest={digest} HTTP/1.1\r\nHost: {}\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        served.host,
        content.len()
    )
    .unwrap();
    // The server has taken the request up once it says that it wants the body.
    let mut wanted = [0; 25];
    stream.read_exact(&mut wanted).unwrap();
    assert!(wanted.starts_with(b"HTTP/1.1 100"));
    stream.write_all(&content[..7]).unwrap();
    served.terminate();
    // No new connection is taken from here on, which is how it shows that the signal has come.
    while TcpStream::connect(&served.host).is_ok() {
        std::thread::yield_now();
    }
    stream.write_all(&content[7..]).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(served.wait(), Some(0));

    let again = Served::start(folder.path(), &yaml(&folder));
    let blob = Http::new(&again.host).get(&format!("/v2/shared/blobs/{digest}")).await;
    assert_eq!(&blob.body[..], content);
}

#[test]
fn a_configuration_that_is_wrong_is_one_line_and_exit_code_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.yml");
    std::fs::write(&file, "version: 0.1\nstorage: {filesystem: {rootdir: /tmp}}\n").unwrap();
    let refused = Command::new(env!("CARGO_BIN_EXE_berth")).args(["serve", "--config"]).arg(&file).output().unwrap();
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("storage.filesystem.rootdir") && said.contains("rootdirectory"), "{said}");
}
