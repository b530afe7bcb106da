//! What the gateway keeps on the disk, and how long.

use std::{io::Write as _, net::TcpStream, os::unix::fs::MetadataExt as _};

use berth::digest::Digest;
use bytes::Bytes;
use http::StatusCode;

use crate::{
    house::{House, content},
    old_client::{error, pull, push, send},
    process::{Gateway, Home},
};

/// Bytes of files that the process has open and that have no name, in `folder`; all are its user's alone.
fn held(gateway: &Gateway, folder: &std::path::Path) -> u64 {
    let open = std::fs::read_dir(format!("/proc/{}/fd", gateway.process.id())).unwrap();
    let files = open.map(|entry| entry.unwrap().path()).filter(|link| {
        std::fs::read_link(link)
            .is_ok_and(|file| file.starts_with(folder) && file.to_string_lossy().ends_with("(deleted)"))
    });
    files
        .map(|link| {
            let file = std::fs::metadata(link).unwrap();
            assert_eq!((file.nlink(), file.mode() & 0o777), (0, 0o600));
            file.len()
        })
        .sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_is_kept_where_nobody_sees_it_until_it_is_passed_on() {
    let house = House::new().await;
    let home = Home::of("alice", house.host());
    let gateway = home.start(house.host());
    let (http, blob, folder) = (gateway.http(), content(1, 3_000_000), home.spool().canonicalize().unwrap());
    let (closed, cancelled) = (send(&http, "a/app", &blob).await, send(&http, "a/app", &blob).await);
    assert_eq!((home.spooled(), held(&gateway, &folder)), (0, 6_000_000));
    assert_eq!(http.delete(cancelled.header("location")).await.status, StatusCode::NO_CONTENT);
    assert_eq!(held(&gateway, &folder), 3_000_000);
    let answer = http.put(&closed.closing(&Digest::canonical(&blob)), &[], Bytes::new()).await;
    assert_eq!((answer.status, held(&gateway, &folder)), (StatusCode::CREATED, 0));
}

/// A client that is cut off leaves nothing: what it sent again is not kept twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_breaks_off_is_let_go() {
    let house = House::new().await;
    let home = Home::of("alice", house.host());
    let gateway = home.start(house.host());
    let (http, folder) = (gateway.http(), home.spool().canonicalize().unwrap());
    let opened = http.post("/v2/a/app/blobs/uploads/").await;
    let target = opened.header("location").split_once(&gateway.host).unwrap().1.to_owned();
    let mut stream = TcpStream::connect(&gateway.host).unwrap();
    write!(stream, "PATCH {target} HTTP/1.1\r\nhost: {}\r\ntransfer-encoding: chunked\r\n\r\n100000\r\n", gateway.host)
        .unwrap();
    stream.write_all(&vec![7; 1 << 20]).unwrap();
    while held(&gateway, &folder) < 1 << 20 {
        std::thread::yield_now();
    }
    drop(stream);
    while held(&gateway, &folder) > 0 {
        std::thread::yield_now();
    }
    // The session is as it was.
    let blob = content(1, 1000);
    let digest = Digest::canonical(&blob);
    assert_eq!(http.put(&opened.closing(&digest), &[], blob.clone()).await.status, StatusCode::CREATED);
    assert!(pull(&http, "a/app", &digest).await.body == blob);
}

/// A file may have 3 MB: as far as a program can tell, that is a full disk.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_is_said_and_nothing_appears() {
    let house = House::new().await;
    let home = Home::of("alice", house.host());
    let mut limited = home.command("sh");
    let limit = "trap '' XFSZ; ulimit -f 6000; exec \"$0\" \"$@\"";
    limited.args(["-c", limit]).arg(env!("CARGO_BIN_EXE_berth"));
    limited.args(["gateway", "--to", house.host(), "--addr", "127.0.0.1:0", "--spool"]).arg(home.spool());
    let gateway = Gateway::start(&mut limited);
    let (http, blob) = (gateway.http(), content(1, 9_000_000));
    let opened = http.post("/v2/a/app/blobs/uploads/").await;
    let refused = http.send(http::Method::PATCH, opened.header("location"), &[], blob.clone()).await;
    let (status, _, words) = error(&refused);
    assert_eq!(status, 502, "{refused:?}");
    assert!(words.contains("no room") && words.contains("--spool") && words.contains("File too large"), "{words}");
    assert!(!house.has_blob(&Digest::canonical(&blob)));
    // What fits is taken all the same.
    let small = content(2, 1_000_000);
    assert_eq!(push(&http, "a/app", &small, &Digest::canonical(&small)).await.status, StatusCode::CREATED);
}

#[test]
fn a_folder_that_cannot_be_used_is_said_at_once() {
    let home = Home::new();
    let mut command = home.command(env!("CARGO_BIN_EXE_berth"));
    let output =
        command.args(["gateway", "--to", "r.example", "--addr", "127.0.0.1:0", "--spool", "/nowhere/at/all"]).output();
    let output = output.unwrap();
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(complaint.contains("/nowhere/at/all") && complaint.contains("--spool DIR"), "{complaint}");
}

/// Content goes through in pieces, whatever its size.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_small() {
    let house = House::new().await;
    let home = Home::of("alice", house.host());
    let gateway = home.start(house.host());
    let (http, blob) = (gateway.http(), content(1, 200 << 20));
    assert_eq!(push(&http, "a/app", &blob, &Digest::canonical(&blob)).await.status, StatusCode::CREATED);
    let peak = gateway.peak_resident() >> 20;
    println!("200 MiB through the gateway: {peak} MiB resident");
    assert!(peak < 96, "{peak} MiB");
    gateway.signal("TERM");
    let (code, complaints) = gateway.end();
    assert_eq!((code, complaints.as_str()), (Some(0), ""));
}
