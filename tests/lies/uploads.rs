//! Uploads to registries that take little, lose answers, or say what is not so.

use std::sync::{Arc, Mutex};

use berth::{
    client::Pushed,
    digest::Digest,
    distribution::{Repository as _, UploadError},
};
use bytes::Bytes;

use crate::{
    client::{Client, says, source},
    server::{Asked, Reply, Server, reply},
};

/// A registry of one upload, which behaves but for what a test makes of it.
#[derive(Default)]
struct Upload {
    stored: Vec<u8>,
    blob: Option<Bytes>,
}

type Shared = Arc<Mutex<Upload>>;

const SESSION: &str = "/v2/app/blobs/uploads/1";

/// What a registry does for `asked`.
fn behave(upload: &Shared, asked: &Asked) -> Reply {
    let mut upload = upload.lock().unwrap();
    let Some(body) = &asked.body else { return reply(413, &[], r#"{"message":"Request Entity Too Large"}"#) };
    let place = |upload: &Upload| format!("0-{}", upload.stored.len().saturating_sub(1));
    match asked.method.as_str() {
        "HEAD" => match &upload.blob {
            Some(blob) => reply(200, &[("content-length", &blob.len().to_string())], ""),
            None => reply(404, &[], ""),
        },
        "POST" => {
            upload.stored.clear();
            reply(202, &[("Location", SESSION), ("Docker-Upload-UUID", "1")], "")
        }
        "GET" => reply(204, &[("Range", &place(&upload))], ""),
        "PATCH" => {
            let range = asked.header("content-range").expect("each piece says its place");
            if range.split('-').next() != Some(upload.stored.len().to_string().as_str()) {
                return reply(416, &[("Range", &place(&upload))], "");
            }
            upload.stored.extend_from_slice(body);
            reply(202, &[("Location", SESSION), ("Range", &place(&upload))], "")
        }
        _ => {
            upload.stored.extend_from_slice(body);
            upload.blob = Some(upload.stored.clone().into());
            reply(201, &[], "")
        }
    }
}

/// A server that takes `takes` bytes at once and behaves, unless `odd` has another reply. Those that are `done` all the
/// same are so before it.
async fn server(takes: u64, odd: impl Fn(&Asked) -> Option<(bool, Reply)> + Send + Sync + 'static) -> (Server, Shared) {
    let upload = Shared::default();
    let shared = upload.clone();
    let server = Server::that_takes(takes, move |asked| match odd(asked) {
        None => behave(&shared, asked),
        Some((done, reply)) => {
            if done {
                behave(&shared, asked);
            }
            reply
        }
    })
    .await;
    (server, upload)
}

fn content() -> Bytes {
    (0..250_000u32).flat_map(u32::to_le_bytes).collect()
}

async fn push(client: &Client, content: &Bytes) -> Result<Pushed, UploadError> {
    let (digest, source) = source(content);
    client.repository().push_blob(&client.ctx, &digest, &source, None).await
}

/// Bytes that pieces and closes carried.
fn sent(server: &Server) -> Vec<u64> {
    let with_body = |asked: &&Asked| matches!(asked.method.as_str(), "PATCH" | "PUT") && asked.length > 0;
    server.asked().iter().filter(with_body).map(|asked| asked.length).collect()
}

#[tokio::test]
async fn a_whole_blob_goes_at_once() {
    let (server, upload) = server(u64::MAX, |_| None).await;
    let client = Client::of(&server);
    assert_eq!(push(&client, &content()).await.unwrap(), Pushed::Sent);
    assert!(upload.lock().unwrap().blob.as_ref() == Some(&content()));
    let methods: Vec<String> = server.asked().into_iter().map(|asked| asked.method).collect();
    // A registry that takes announcements would have answered the first whether the blob is there.
    assert_eq!(methods, ["POST", "HEAD", "PUT"]);
    assert_eq!(push(&client, &content()).await.unwrap(), Pushed::Present);
}

#[tokio::test]
async fn what_is_too_much_goes_in_pieces_and_so_does_the_next() {
    let (server, upload) = server(100_000, |_| None).await;
    let client = Client::with(&server, |options| options.piece = 300_000);
    push(&client, &content()).await.unwrap();
    assert!(upload.lock().unwrap().blob.as_ref() == Some(&content()));
    let first = sent(&server);
    assert_eq!(first[..3], [1_000_000, 300_000, 150_000], "less each time");
    assert!(first[3..].iter().all(|length| *length <= 75_000), "{first:?}");
    assert_eq!(first[3..].iter().sum::<u64>(), 1_000_000);

    upload.lock().unwrap().blob = None;
    push(&client, &content()).await.unwrap();
    assert!(sent(&server)[first.len()..].iter().all(|length| *length <= 75_000), "it was learnt");
}

#[tokio::test]
async fn what_takes_nothing_is_said() {
    let (server, _) = server(0, |_| None).await;
    let client = Client::of(&server);
    says(push(&client, &content()).await, &["413", "Request Entity Too Large"]);
    assert!(server.asked().len() < 20, "{:?}", server.lines());
}

#[tokio::test]
async fn the_least_of_a_piece_is_kept_to() {
    let least = |asked: &Asked| {
        let headers = [("Location", SESSION), ("OCI-Chunk-Min-Length", "400000")];
        asked.is("POST", "").then(|| (true, reply(202, &headers, "")))
    };
    let (server, upload) = server(500_000, least).await;
    let client = Client::with(&server, |options| options.piece = 100_000);
    push(&client, &content()).await.unwrap();
    assert!(upload.lock().unwrap().blob.as_ref() == Some(&content()));
    assert_eq!(sent(&server), [1_000_000, 400_000, 400_000, 200_000]);
}

#[tokio::test]
async fn a_piece_whose_answer_was_lost_is_not_sent_again() {
    let lose = |asked: &Asked| {
        (asked.is("PATCH", "") && asked.number.is_multiple_of(2)).then(|| (true, Reply::Raw(Vec::new())))
    };
    let (server, upload) = server(u64::MAX, lose).await;
    let client = Client::with(&server, |options| {
        options.piece = 100_000;
        options.largest_body = Some(100_000);
    });
    push(&client, &content()).await.unwrap();
    assert!(upload.lock().unwrap().blob.as_ref() == Some(&content()));
    assert_eq!(sent(&server), [100_000; 10]);
    assert!(server.asked().iter().any(|asked| asked.is("GET", SESSION)), "it was asked");
}

#[tokio::test]
async fn a_piece_that_was_lost_is_sent_again() {
    let lose =
        |asked: &Asked| (asked.is("PATCH", "") && asked.number % 4 == 2).then(|| (false, Reply::Raw(Vec::new())));
    let (server, upload) = server(u64::MAX, lose).await;
    let client = Client::with(&server, |options| {
        options.piece = 100_000;
        options.largest_body = Some(100_000);
    });
    push(&client, &content()).await.unwrap();
    assert!(upload.lock().unwrap().blob.as_ref() == Some(&content()));
}

#[tokio::test]
async fn a_close_whose_answer_was_lost_is_found_done() {
    let (server, _) = server(u64::MAX, |asked| asked.is("PUT", "").then(|| (true, Reply::Raw(Vec::new())))).await;
    let client = Client::of(&server);
    push(&client, &content()).await.unwrap();
    assert_eq!(sent(&server), [1_000_000]);
}

/// Some end a session whose client was cut off: another is opened.
#[tokio::test]
async fn a_lost_session_is_begun_anew() {
    let lose = |asked: &Asked| match asked.method.as_str() {
        "PUT" if asked.number < 5 => Some((false, Reply::Raw(Vec::new()))),
        "GET" => Some((false, reply(404, &[], r#"{"errors":[{"code":"BLOB_UPLOAD_UNKNOWN"}]}"#))),
        _ => None,
    };
    let (server, upload) = server(u64::MAX, lose).await;
    let client = Client::of(&server);
    push(&client, &content()).await.unwrap();
    assert!(upload.lock().unwrap().blob.as_ref() == Some(&content()));
    assert_eq!(sent(&server), [1_000_000; 2]);
}

#[tokio::test]
async fn a_303_to_what_was_created_is_a_success() {
    let to = |status: u16| {
        move |asked: &Asked| match asked.method.as_str() {
            "PUT" => Some((true, reply(303, &[("Location", "/done")], ""))),
            "GET" if asked.target == "/done" => Some((false, reply(status, &[], ""))),
            _ => None,
        }
    };
    let (created, _) = server(u64::MAX, to(201)).await;
    push(&Client::of(&created), &content()).await.unwrap();
    assert_eq!(created.lines().last().unwrap(), "GET /done");
    let (failed, _) = server(u64::MAX, to(400)).await;
    says(push(&Client::of(&failed), &content()).await, &["400", "the close of an upload"]);
}

#[tokio::test]
async fn what_is_said_of_a_session_must_be_possible() {
    for range in ["0-999999999", "0-0", "0-99999"] {
        let lie = move |asked: &Asked| {
            let is_second = asked.is("PATCH", "") && asked.header("content-range") == Some("100000-199999");
            is_second.then(|| (true, reply(202, &[("Range", range)], "")))
        };
        let (server, _) = server(u64::MAX, lie).await;
        let client = Client::with(&server, |options| {
            options.piece = 100_000;
            options.largest_body = Some(100_000);
        });
        says(push(&client, &content()).await, &[&server.addr.to_string(), "says that an upload stands at"]);
    }
}

#[tokio::test]
async fn another_digest_than_was_sent_is_found_out() {
    let other = Digest::canonical(b"something else").to_string();
    let said = other.clone();
    let lie =
        move |asked: &Asked| asked.is("PUT", "").then(|| (true, reply(201, &[("Docker-Content-Digest", &said)], "")));
    let (server, _) = server(u64::MAX, lie).await;
    says(push(&Client::of(&server), &content()).await, &[&other]);
}

#[tokio::test]
async fn a_mount_that_is_none_is_found_out() {
    let server = Server::start(|asked| reply(if asked.method == "POST" { 201 } else { 404 }, &[], "")).await;
    let client = Client::of(&server);
    let new = berth::distribution::NewUpload {
        mount: Some((Digest::canonical(b"x"), Some("other".parse().unwrap()))),
        algorithm: None,
        ..berth::distribution::NewUpload::default()
    };
    says(client.repository().blobs().create(&client.ctx, new).await.map(drop), &["says that it mounted"]);
}

/// What is sent is a file that shrinks meanwhile.
#[tokio::test]
async fn a_source_that_ends_early_is_its_own_fault() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content()).unwrap();
    let source: Arc<dyn berth::client::Source> = Arc::new(berth::client::FileSource::part(file.path(), 0, 2_000_000));
    let (server, _) = server(u64::MAX, |_| None).await;
    let client = Client::of(&server);
    let digest = Digest::canonical(&content());
    let result = client.repository().push_blob(&client.ctx, &digest, &source, None).await;
    assert!(matches!(result, Err(UploadError::Interrupted(_))), "{result:?}");
}
