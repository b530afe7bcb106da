//! What others write by signed requests, and what is made of it.

use std::time::{Duration, Instant, SystemTime};

use berth::{
    digest::Digest,
    distribution::SignedPut,
    driver::{Copied, DirectStore, DirectWrite, DriverErrorKind, StorageDriver as _, StoredPart},
};
use berth_local::{Fault, Rule};
use bytes::Bytes;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::store::{MIB, Store, bytes, ctx, path, store, store_with};

const PART: usize = 5 * MIB;

/// Sends `content` as `put` says; the status.
pub(crate) async fn send(put: &SignedPut, content: &Bytes) -> u16 {
    let (host, target) = put.url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut request = format!("PUT /{target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in &put.headers {
        request += &format!("{name}: {value}\r\n");
    }
    let mut connection = TcpStream::connect(host).await.unwrap();
    connection.write_all(request.as_bytes()).await.unwrap();
    connection.write_all(b"\r\n").await.unwrap();
    connection.write_all(content).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

fn way(store: &Store) -> &dyn DirectStore {
    store.driver.direct().unwrap()
}

async fn sign(store: &Store, name: &str, write: DirectWrite<'_>) -> SignedPut {
    way(store).sign(&ctx(), &path(name), write, Duration::from_secs(60)).await.unwrap()
}

#[tokio::test]
async fn a_file_is_signed_without_a_request_and_described_when_it_is_there() {
    let store = store().await;
    let content = bytes(100_000);
    let checksum = Digest::canonical(&content);
    let put = sign(&store, "/x", DirectWrite::File { checksum: &checksum, size: 100_000, mark: "alice" }).await;
    assert_eq!(store.asked(), "");
    let names: Vec<_> = put.headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "content-encoding",
            "content-length",
            "content-type",
            "if-none-match",
            "x-amz-checksum-sha256",
            "x-amz-meta-berth-uploader"
        ]
    );
    for name in names {
        assert!(put.url.contains(name), "{name} is signed: {}", put.url);
    }
    assert!(put.expires <= SystemTime::now() + Duration::from_secs(60));
    let missing = way(&store).look(&ctx(), &path("/x")).await.unwrap_err();
    assert!(missing.is_not_found(), "{missing}");
    assert_eq!(send(&put, &content).await, 200);
    assert_eq!(send(&put, &content).await, 412);
    store.asked();
    let found = way(&store).look(&ctx(), &path("/x")).await.unwrap();
    assert_eq!(store.asked(), "1 HeadObject");
    assert_eq!((found.size, found.checksum, found.mark.as_deref()), (100_000, Some(checksum), Some("alice")));
    assert!(found.modified.unwrap() <= SystemTime::now());
    assert!(store.content("/x").await.unwrap() == content);
}

/// An upload of `count` parts of [`PART`] bytes, and its content.
async fn parts(store: &Store, name: &str, count: u32) -> (String, Bytes) {
    let upload = way(store).begin(&ctx(), &path(name)).await.unwrap();
    let content = bytes(PART * count as usize);
    for number in 1..=count {
        let from = PART * (number as usize - 1);
        let put = sign(store, name, DirectWrite::Part { upload: &upload, number, size: PART as u64 }).await;
        assert_eq!(send(&put, &content.slice(from..from + PART)).await, 200);
    }
    (upload, content)
}

#[tokio::test]
async fn parts_are_listed_joined_and_over() {
    let store = store().await;
    let (upload, content) = parts(&store, "/x", 3).await;
    let list = async |after, most| way(&store).parts(&ctx(), &path("/x"), &upload, after, most).await;
    let all = list(0, 1000).await.unwrap();
    let numbers = |parts: &[StoredPart]| parts.iter().map(|part| part.number).collect::<Vec<_>>();
    assert_eq!(numbers(&all), [1, 2, 3]);
    assert!(all.iter().all(|part| part.size == PART as u64));
    assert_eq!(numbers(&list(1, 1).await.unwrap()), [2]);
    assert_eq!(numbers(&list(3, 1000).await.unwrap()), [0; 0]);

    way(&store).join(&ctx(), &path("/x"), &upload, &all).await.unwrap();
    assert!(store.content("/x").await.unwrap() == content);
    let found = way(&store).look(&ctx(), &path("/x")).await.unwrap();
    assert_eq!((found.size, found.checksum, found.mark), (3 * PART as u64, None, None));
    // All that is left to say of it is that it is over.
    let over = [
        list(0, 1000).await.map(|_| ()),
        way(&store).join(&ctx(), &path("/x"), &upload, &all).await,
        way(&store).abort(&ctx(), &path("/x"), &upload).await,
    ];
    let over: Vec<_> = over.into_iter().map(|result| result.err().map(|error| error.kind)).collect();
    assert_eq!(over, [Some(DriverErrorKind::NotFound), Some(DriverErrorKind::NotFound), None]);
    let (upload, _) = parts(&store, "/y", 1).await;
    way(&store).abort(&ctx(), &path("/y"), &upload).await.unwrap();
    assert_eq!(store.emulator.uploads(), 0);
}

/// Copies `/from` to `/to` in the shortest steps; what each left.
async fn copy(store: &Store, size: u64, mut upload: Option<String>) -> Vec<u64> {
    let mut steps = Vec::new();
    loop {
        let (from, to) = (path("/from"), path("/to"));
        let step = way(store).copy(&ctx(), (&from, size), &to, upload.as_deref(), Some(Instant::now())).await;
        match step.unwrap() {
            Copied::Whole => return steps,
            Copied::Partly { upload: left, bytes } => {
                upload = left;
                steps.push(bytes);
            }
        }
        assert!(steps.len() < 20, "{steps:?}");
    }
}

/// A store whose copies have small parts, and `/from` in it.
async fn to_copy(size: usize) -> (Store, Bytes) {
    let store = store_with(|config| config.sizes.copied_part = 0).await;
    let content = bytes(size);
    store.put("/from", content.clone(), Default::default()).await.unwrap();
    store.asked();
    (store, content)
}

#[tokio::test]
async fn a_copy_goes_on_where_another_left_it() {
    let (store, content) = to_copy(61 * MIB).await;
    let size = content.len() as u64;
    let steps = copy(&store, size, None).await;
    assert!(steps.len() >= 2 && steps.is_sorted() && steps.last() == Some(&size), "{steps:?}");
    assert!(store.content("/to").await.unwrap() == content);
    let asked = store.asked();
    assert!(asked.contains("7 UploadPartCopy"), "no part twice: {asked}");
    assert_eq!(store.emulator.uploads(), 0);
    // Where something is already, it is left as it is.
    copy(&store, size, None).await;
    assert_eq!(store.emulator.uploads(), 0);
    // By an upload that nobody knows any more.
    store.driver.delete(&ctx(), &[path("/to")]).await.unwrap();
    assert_eq!(copy(&store, size, Some("gone".to_owned())).await.first(), Some(&0));
    assert!(store.content("/to").await.unwrap() == content);
    assert_eq!(copy(&store, size, Some("gone".to_owned())).await, [0; 0]);
}

#[tokio::test]
async fn a_copy_of_nothing_and_a_copy_that_others_disturb() {
    let (store, content) = to_copy(MIB).await;
    let size = content.len() as u64;
    let conflict = Fault::Error { status: 409, code: "ConditionalRequestConflict".to_owned() };
    store.emulator.inject(Rule::new(conflict).operation("CompleteMultipartUpload").times(1));
    assert_eq!(copy(&store, size, None).await, [size, 0, size], "all of it again");
    assert!(store.content("/to").await.unwrap() == content);
    for lost in ["CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload"] {
        store.driver.delete(&ctx(), &[path("/to")]).await.unwrap();
        store.emulator.inject(Rule::new(Fault::LoseAnswer).operation(lost).times(1));
        copy(&store, size, None).await;
        assert!(store.content("/to").await.unwrap() == content, "{lost}");
    }
    store.driver.delete(&ctx(), &[path("/from"), path("/to")]).await.unwrap();
    let none = way(&store).copy(&ctx(), (&path("/from"), size), &path("/to"), None, None).await.unwrap_err();
    assert!(none.is_not_found() && none.path == path("/from"), "{none}");
    assert_eq!(store.emulator.uploads(), 1, "that of the lost answer: nobody knows it");
    assert!(store.content("/to").await.unwrap_err().is_not_found());
}

/// Copies `/from`, which has `tag`, to `/to` at once.
async fn at_once(store: &Store, size: u64, tag: Option<&str>) -> Result<Option<Digest>, DriverErrorKind> {
    let (from, to) = (path("/from"), path("/to"));
    let until = Instant::now() + Duration::from_secs(60);
    let copied = way(store).copy_at_once(&ctx(), (&from, size), tag, &to, until).await;
    copied.map_err(|error| error.kind)
}

#[tokio::test]
async fn a_copy_at_once_says_what_was_copied_and_nothing_else_goes_with_it() {
    let store = store().await;
    let content = bytes(MIB);
    let (checksum, size) = (Digest::canonical(&content), MIB as u64);
    let put = sign(&store, "/from", DirectWrite::File { checksum: &checksum, size, mark: "alice" }).await;
    assert_eq!(send(&put, &content).await, 200);
    let found = way(&store).look(&ctx(), &path("/from")).await.unwrap();
    store.asked();
    assert_eq!(at_once(&store, size, found.tag.as_deref()).await, Ok(Some(checksum)));
    assert_eq!(store.asked(), "1 CopyObject");
    assert!(store.content("/to").await.unwrap() == content);
    let copy = way(&store).look(&ctx(), &path("/to")).await.unwrap();
    assert_eq!((copy.checksum, copy.mark, copy.size), (Some(checksum), None, size));

    // What is there stays, and what was not asked for is not copied.
    assert_eq!(at_once(&store, size, None).await, Err(DriverErrorKind::Precondition));
    store.driver.delete(&ctx(), &[path("/to")]).await.unwrap();
    let other = Some("\"0123456789abcdef0123456789abcdef\"");
    assert_eq!(at_once(&store, size, other).await, Err(DriverErrorKind::Precondition));
    store.driver.delete(&ctx(), &[path("/from")]).await.unwrap();
    assert_eq!(at_once(&store, size, None).await, Err(DriverErrorKind::NotFound));
    assert!(store.content("/to").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_copy_at_once_that_takes_too_long_or_is_too_large_says_so() {
    let (store, content) = to_copy(MIB).await;
    let size = content.len() as u64;
    let (from, to) = (path("/from"), path("/to"));
    assert_eq!(at_once(&store, 5_000_000_001, None).await, Err(DriverErrorKind::TooLarge));
    assert_eq!(store.asked(), "");
    store.emulator.inject(Rule::new(Fault::Hang).operation("CopyObject"));
    let until = Instant::now() + Duration::from_millis(200);
    let late = way(&store).copy_at_once(&ctx(), (&from, size), None, &to, until).await.unwrap_err();
    assert_eq!(late.kind, DriverErrorKind::Timeout, "{late}");
    assert!(Instant::now() < until + Duration::from_secs(5));
    assert_eq!(store.asked(), "1 CopyObject", "there was no time for another");
    store.emulator.clear_faults();
    // An attempt whose answer was lost has made it: the next one finds it there.
    store.emulator.inject(Rule::new(Fault::LoseAnswer).operation("CopyObject").times(1));
    assert_eq!(at_once(&store, size, None).await, Err(DriverErrorKind::Precondition));
    assert!(store.content("/to").await.unwrap() == content);
}
