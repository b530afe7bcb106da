//! Registries that offer to have blobs sent elsewhere, and mean something else by it.

use std::sync::Arc;

use berth::{client::Source, digest::Digest};
use bytes::Bytes;

use crate::{
    client::{Client, RETRIES, says, source},
    server::{Asked, Reply, Server, reply},
};

const SESSION: &str = "/v2/app/blobs/uploads/1";

fn content() -> Bytes {
    Bytes::from(vec![7; 100_000])
}

/// An offer of a request, with parts of it as a test wants.
fn put(url: &str, headers: &str) -> String {
    let digest = Digest::canonical(&content());
    format!(
        r#"{{"kind":"put","digest":"{digest}","size":100000,"put":{{"method":"PUT","url":"{url}","headers":{headers},"expires":"2040-01-01T00:00:00Z"}}}}"#
    )
}

fn parts(size: u64, part: u64, count: u64) -> String {
    let digest = Digest::canonical(&content());
    format!(r#"{{"kind":"parts","digest":"{digest}","size":{size},"partSize":{part},"parts":{count}}}"#)
}

/// 202, with an offer.
fn offer(kind: &str, body: impl Into<Bytes>) -> Reply {
    let headers = [("Location", SESSION), ("Docker-Upload-UUID", "1"), ("Berth-Direct-Upload", kind)];
    reply(202, &headers, body)
}

/// A registry that has nothing, and answers announcements and what follows by `tell`.
async fn server(tell: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |asked| if asked.method == "HEAD" { reply(404, &[], "") } else { tell(asked) }).await
}

async fn push(server: &Server) -> Result<berth::client::Pushed, berth::distribution::UploadError> {
    let client = Client::of(server);
    let (digest, source): (Digest, Arc<dyn Source>) = source(&content());
    client.repository().push_blob(&client.ctx, &digest, &source, None).await
}

#[tokio::test]
async fn a_target_that_is_none_is_not_gone_to() {
    for (kind, body, parts) in [
        ("put", put("file:///etc/passwd", "{}"), ["file:///etc/passwd", "no HTTP"]),
        ("put", put("gopher://s3.example/", "{}"), ["gopher", "no HTTP"]),
        ("put", put("https://me:secret@s3.example/", "{}"), ["s3.example", "password"]),
        ("put", put("/v2/app/blobs/uploads/1", "{}"), ["wants content at", "relative"]),
        ("put", put("http://s3.example/", r#"{"authorization":"Bearer x"}"#), ["authorization", "not its to say"]),
        ("put", put("http://s3.example/", r#"{"host":"internal"}"#), ["host", "not its to say"]),
        (
            "put",
            put("http://s3.example/", r#"{"transfer-encoding":"chunked"}"#),
            ["transfer-encoding", "not its to say"],
        ),
        ("put", put("http://s3.example/", r#"{"content-length":"7"}"#), ["\"7\" bytes", "100000"]),
        ("put", put("http://s3.example/", r#"{"x-a":"b\r\nhost: c"}"#), ["x-a", "cannot stand"]),
        ("put", "{}".to_owned(), ["offers a direct upload", "does not say how"]),
        ("put", "x".repeat(100), ["offers a direct upload", "does not say how"]),
        ("put", "[".repeat(50_000), ["offers a direct upload", "does not say how"]),
        ("put", " ".repeat(10 << 20), ["more than the", "bytes"]),
        ("parts", put("http://s3.example/", "{}"), ["\"parts\"", "\"put\""]),
        ("put", put("http://s3.example/", "{}").replace("100000", "7"), ["was told of a blob", "another"]),
        ("put", put("http://s3.example/", "{}").replace(r#""PUT""#, r#""DELETE""#), ["DELETE", "allowed: PUT"]),
        ("parts", parts(100_000, 1, 100_000), ["divides", "10000 parts at most"]),
        ("parts", parts(100_000, 0, 0), ["divides", "10000 parts at most"]),
        ("parts", parts(u64::MAX, u64::MAX, 1), ["was told of a blob", "another"]),
        ("parts", parts(100_000, 50_000, 3), ["divides", "another number"]),
    ] {
        let server = server(move |_| offer(kind, body.clone())).await;
        says(push(&server).await, &[&server.addr.to_string(), parts[0], parts[1]]);
        assert_eq!(server.lines(), ["POST /v2/app/blobs/uploads/"]);
    }
}

/// What a later version offers that this client does not know leaves the session as good as any.
#[tokio::test]
async fn an_unknown_offer_is_passed_over() {
    let server = server(|asked| match asked.method.as_str() {
        "POST" => offer("torrent", "{}"),
        _ => reply(201, &[], ""),
    })
    .await;
    push(&server).await.unwrap();
    assert_eq!(server.asked().last().unwrap().body, Some(content()));
}

/// Storage of its own for a registry that behaves.
async fn with_storage(storage: &Server) -> Server {
    let url = format!("http://{}/key?X-Amz-Signature=secret", storage.addr);
    server(move |asked| match asked.method.as_str() {
        "POST" => offer("put", put(&url, r#"{"x-amz-checksum-sha256":"a","content-length":"100000"}"#)),
        _ => reply(201, &[], ""),
    })
    .await
}

#[tokio::test]
async fn storage_gets_what_was_signed_and_no_credentials() {
    let storage = Server::start(|_| reply(200, &[], "")).await;
    // Also where storage and registry have one address, and the registry wants a login.
    let mine = Arc::new(std::sync::OnceLock::new());
    let address = mine.clone();
    let registry = Server::start(move |asked| match asked.method.as_str() {
        _ if asked.target.starts_with("/key") => reply(200, &[], ""),
        _ if asked.header("authorization").is_none() => reply(401, &[("WWW-Authenticate", "Basic realm=\"here\"")], ""),
        "HEAD" => reply(404, &[], ""),
        "POST" => offer("put", put(&format!("http://{}/key", address.get().unwrap()), r#"{"x-amz-meta-a":"b"}"#)),
        _ => reply(201, &[], ""),
    })
    .await;
    mine.set(registry.addr).unwrap();
    let client = Client::with(&registry, |options| options.credentials = Arc::new(crate::client::alice()));
    let (digest, source) = source(&content());
    client.repository().push_blob(&client.ctx, &digest, &source, None).await.unwrap();
    push(&with_storage(&storage).await).await.unwrap();

    let sent = |server: &Server| server.asked().into_iter().find(|asked| asked.target.starts_with("/key")).unwrap();
    for (asked, header) in [(sent(&storage), "x-amz-checksum-sha256"), (sent(&registry), "x-amz-meta-a")] {
        assert_eq!(asked.header("authorization"), None);
        assert_eq!(asked.header("transfer-encoding"), None);
        assert_eq!(asked.header("content-length"), Some("100000"));
        assert!(asked.header(header).is_some(), "{asked:?}");
        assert_eq!(asked.body, Some(content()));
    }
}

#[tokio::test]
async fn storage_may_send_content_on_for_a_while_but_not_anywhere() {
    let elsewhere = Server::start(|_| reply(200, &[], "")).await;
    let there = format!("http://{}/there", elsewhere.addr);
    let storage = Server::start(move |_| reply(307, &[("Location", &there)], "")).await;
    push(&with_storage(&storage).await).await.unwrap();
    assert_eq!(elsewhere.lines(), ["PUT /there"]);
    assert_eq!(elsewhere.asked()[0].body, Some(content()));
    assert_eq!(elsewhere.asked()[0].header("authorization"), None);

    for (status, location, part) in [
        (307, "file:///etc/passwd", "no HTTP"),
        (302, "http://s3.example/", "302"),
        (303, "/there", "303"),
        (307, "/key", "307"),
    ] {
        let storage = Server::start(move |_| reply(status, &[("Location", location)], "")).await;
        says(push(&with_storage(&storage).await).await, &[&storage.addr.to_string(), part]);
        assert!(storage.asked().len() <= 4, "{:?}", storage.lines());
    }
}

#[tokio::test]
async fn storage_that_fails_is_asked_so_often_and_no_signature_is_told() {
    for (status, body, part) in [
        (
            500,
            "<Error><Code>InternalError</Code><Message>We encountered\u{7} an error</Message></Error>",
            "InternalError",
        ),
        (503, "", "503"),
        (409, "", "409"),
    ] {
        let storage = Server::start(move |_| reply(status, &[], body)).await;
        let refused = push(&with_storage(&storage).await).await;
        assert!(!refused.as_ref().unwrap_err().to_string().contains("secret"));
        says(refused, &[&storage.addr.to_string(), part]);
        assert_eq!(storage.asked().len() as u32, 1 + RETRIES);
    }
}

#[tokio::test]
async fn a_registry_that_never_finds_what_was_sent_is_given_up() {
    let storage = Server::start(|_| reply(200, &[], "")).await;
    let url = format!("http://{}/key", storage.addr);
    for problem in ["missing", "superseded"] {
        let url = url.clone();
        let registry = server(move |asked| match asked.method.as_str() {
            "POST" => offer("put", put(&url, "{}")),
            _ => {
                let error = format!(r#"{{"errors":[{{"code":"BLOB_UPLOAD_INVALID","message":"{problem}","detail":{{"direct":"{problem}"}}}}]}}"#);
                reply(400, &[], error)
            }
        })
        .await;
        let before = storage.asked().len();
        push(&registry).await.unwrap_err();
        let sent = storage.asked().len() - before;
        assert!((2..=4).contains(&sent), "{problem}: sent {sent} times");
    }
}

#[tokio::test]
async fn a_registry_that_wants_to_be_asked_for_ever_is_not() {
    let storage = Server::start(|_| reply(200, &[], "")).await;
    let url = format!("http://{}/key", storage.addr);
    let registry = server(move |asked| match asked.method.as_str() {
        "POST" => offer("put", put(&url, "{}")),
        _ => offer("commit", r#"{"kind":"commit","size":100000,"verified":5,"copied":0}"#),
    })
    .await;
    says(push(&registry).await, &[&registry.addr.to_string(), "again and again", "5 bytes"]);
    assert!(registry.asked().len() < 40, "{}", registry.asked().len());
}

#[tokio::test]
async fn parts_that_are_not_those_asked_for_are_not_sent() {
    let one = |number: u32, size: u64, more: &str| {
        format!(r#"{{"partSize":50000,"parts":[{{"number":{number},"size":{size}{more}}}]}}"#)
    };
    let there = r#","etag":"\"a\"""#;
    let bad = r#","put":{"method":"PUT","url":"file:///x","headers":{},"expires":"2040-01-01T00:00:00Z"}"#;
    for (page, part) in [
        ("{}".to_owned(), "something else"),
        (" ".repeat(5 << 20), "more than the"),
        (one(2, 50_000, there), "others"),
        (one(1, 49_999, there), "others"),
        (one(1, 50_000, ""), "whether one is there"),
        (one(1, 50_000, bad), "no HTTP"),
        (one(1, 50_000, there).replace("50000,\"parts", "60000,\"parts"), "otherwise than before"),
        (r#"{"partSize":50000,"parts":[]}"#.to_owned(), "names none"),
    ] {
        let registry = server(move |asked| match asked.method.as_str() {
            "POST" => offer("parts", parts(100_000, 50_000, 2)),
            "GET" => reply(200, &[], page.clone()),
            _ => reply(500, &[], ""),
        })
        .await;
        says(push(&registry).await, &[&registry.addr.to_string(), part]);
        assert_eq!(registry.asked().len(), 2, "{:?}", registry.lines());
    }
}

/// A challenge to an announcement may ask for more than the repository; the next announcement asks for that at once.
#[tokio::test]
async fn what_announcements_are_asked_for_is_asked_for_by_the_next() {
    let address = Arc::new(std::sync::OnceLock::new());
    let mine = address.clone();
    let registry = Server::start(move |asked| {
        let host: &std::net::SocketAddr = mine.get().unwrap();
        let token = asked.header("authorization").unwrap_or_default();
        let wants = |scope: &str| {
            let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"here\",scope=\"{scope}\"");
            reply(401, &[("WWW-Authenticate", &challenge)], "")
        };
        match asked.method.as_str() {
            // A token is what it was asked for.
            "GET" => reply(
                200,
                &[],
                format!(r#"{{"token":"{}","expires_in":300}}"#, asked.target.replace(['/', '?', '&'], ".")),
            ),
            _ if token.is_empty() => wants("repository:app:pull"),
            "HEAD" => reply(404, &[], ""),
            "POST" if asked.header("berth-blob-digest").is_some() && !token.contains("registry%3Ablob%3Apull") => {
                wants("repository:app:pull,push registry:blob:pull")
            }
            "POST" => reply(202, &[("Location", SESSION)], ""),
            _ => reply(201, &[], ""),
        }
    })
    .await;
    address.set(registry.addr).unwrap();
    let client = Client::with(&registry, |options| options.credentials = Arc::new(crate::client::alice()));
    // The first of all has no token yet.
    for (repository, refusals) in [("app", 2), ("other", 0)] {
        let before = registry.asked().len();
        let (digest, source) = source(&content());
        client
            .registry
            .remote(&repository.parse().unwrap())
            .push_blob(&client.ctx, &digest, &source, None)
            .await
            .unwrap();
        let posts = registry.asked()[before..].iter().filter(|asked| asked.method == "POST").count();
        assert_eq!(posts - 1, refusals, "{repository}: {:?}", &registry.lines()[before..]);
    }
}
