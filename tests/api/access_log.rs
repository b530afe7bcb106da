//! The access log: one line for each request, none when it is off.

use std::{
    io::{self, Write},
    sync::{Arc, LazyLock, Mutex},
};

use berth::http::Options;
use serde_json::Value;

use crate::{
    auth::{basic, users},
    client::Body,
    registry::Setup,
};

/// What all of this process has logged.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Logged {
    /// The lines of a request.
    fn of(&self, request_id: &str) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["target"] == "access" && line["request_id"] == request_id).collect()
    }
}

static LOGGED: LazyLock<Logged> = LazyLock::new(|| {
    let logged = Logged::default();
    let writer = logged.clone();
    tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone()).init();
    logged
});

/// The line of a request, once it is there: it is written when the answer has left, which the client may see first.
async fn line(request_id: &str) -> Value {
    loop {
        if let [line] = LOGGED.of(request_id).as_slice() {
            return line.clone();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn each_request_has_one_line_that_says_what_became_of_it() {
    LazyLock::force(&LOGGED);
    let registry = Setup { http: Options::default(), ..Setup::default() }.start().await;
    let digest = registry.push_blob("repo", &vec![b'x'; 300_000]).await;
    let mut client = registry.client().await;
    let blob = format!("/v2/repo/blobs/{digest}");
    for (id, method, target, status, bytes) in [
        ("log-1", "GET", blob.as_str(), 200, 300_000),
        ("log-2", "HEAD", blob.as_str(), 200, 0),
        ("log-3", "GET", "/v2/repo/manifests/none?secret=1", 404, 140),
        ("log-4", "GET", "/v2/", 200, 2),
    ] {
        let headers = [("x-request-id", id), ("user-agent", "tester/1 \"x\"\t")];
        client.ask(method, target, &headers, Body::None).await.is(status);
        let line = line(id).await;
        assert_eq!(line["method"], method);
        assert_eq!(line["path"], target.split('?').next().unwrap());
        assert_eq!(line["status"], status);
        assert_eq!(line["bytes"], bytes, "{line}");
        assert!(line["ms"].as_f64().unwrap() > 0.0);
        assert_eq!(line["remote"], "127.0.0.1");
        assert_eq!(line["user_agent"], "tester/1 \\\"x\\\"");
        assert!(!line.to_string().contains("secret"), "queries hold upload states");
    }
}

#[tokio::test]
async fn who_asked_is_named_once_that_is_known() {
    LazyLock::force(&LOGGED);
    let registry = Setup { http: Options::default(), access: Arc::new(users()), ..Setup::default() }.start().await;
    let mut client = registry.client().await;
    let (right, wrong) = (basic("alice", "wonderland"), basic("alice", "wonder"));
    for (id, login, status, user) in [("log-alice", &right, 404, "alice"), ("log-mallory", &wrong, 401, "")] {
        let headers = [("x-request-id", id), ("authorization", login)];
        client.ask("GET", "/v2/repo/manifests/none", &headers, Body::None).await.is(status);
        assert_eq!(line(id).await["user"], user);
    }
}

#[tokio::test]
async fn a_download_that_the_client_leaves_is_logged_with_what_it_took() {
    LazyLock::force(&LOGGED);
    let registry = Setup { http: Options::default(), ..Setup::default() }.start().await;
    let size = 64 << 20;
    let digest = registry.push_blob("repo", &vec![b'x'; size]).await;
    let mut client = registry.client().await;
    let headers = [("x-request-id", "log-left")];
    client.send("GET", &format!("/v2/repo/blobs/{digest}"), &headers, Body::None).await;
    drop(client);
    let line = line("log-left").await;
    assert_eq!(line["status"], 200);
}

#[tokio::test]
async fn no_line_when_it_is_off() {
    LazyLock::force(&LOGGED);
    let registry = Setup::default().start().await;
    let mut client = registry.client().await;
    client.ask("GET", "/v2/", &[("x-request-id", "log-off")], Body::None).await.is(200);
    // The next request of the connection is taken when all of this one is done.
    client.get("/v2/").await.is(200);
    assert!(LOGGED.of("log-off").is_empty());
}
