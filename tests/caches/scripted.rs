//! A DynamoDB that does what the emulator cannot be told to do: it answers by a script.

use std::{
    collections::VecDeque,
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

/// One answer.
pub(crate) enum Answer {
    /// To BatchGetItem: rows for all but the last so many keys, which are left.
    LeaveKeys(usize),
    /// To BatchGetItem: rows for all keys.
    Rows,
    /// To TransactWriteItems: cancelled for these reasons.
    Cancelled(Vec<&'static str>),
    /// An empty object.
    Done,
}

#[derive(Default)]
struct State {
    script: VecDeque<Answer>,
    keys_asked: Vec<usize>,
}

/// Answers until it is dropped.
pub(crate) struct Scripted {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Scripted {
    pub(crate) async fn start(script: impl IntoIterator<Item = Answer>) -> Self {
        let state = Arc::new(Mutex::new(State { script: script.into_iter().collect(), keys_asked: Vec::new() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = state.clone();
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = shared.clone();
                let service = service_fn(move |request| answer(state.clone(), request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, state, task }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many keys each request named.
    pub(crate) fn keys_asked(&self) -> Vec<usize> {
        self.state.lock().unwrap().keys_asked.clone()
    }
}

async fn answer(state: Arc<Mutex<State>>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let body: Value = serde_json::from_slice(&request.into_body().collect().await.unwrap().to_bytes()).unwrap();
    let mut state = state.lock().unwrap();
    let keys = body["RequestItems"]["berth"]["Keys"].as_array().cloned().unwrap_or_default();
    let writes = body["TransactItems"].as_array().map_or(usize::from(body["Item"].is_object()), Vec::len);
    state.keys_asked.push(keys.len() + writes);
    let (status, answer) = match state.script.pop_front().expect("nothing is left to answer") {
        Answer::LeaveKeys(left) => {
            let (read, left) = keys.split_at(keys.len() - left);
            (200, json!({ "Responses": { "berth": rows(read) }, "UnprocessedKeys": { "berth": { "Keys": left } } }))
        }
        Answer::Rows => (200, json!({ "Responses": { "berth": rows(&keys) }, "UnprocessedKeys": {} })),
        Answer::Cancelled(reasons) => {
            let reasons: Vec<_> = reasons.iter().map(|code| json!({ "Code": code })).collect();
            let kind = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException";
            (400, json!({ "__type": kind, "Message": "cancelled", "CancellationReasons": reasons }))
        }
        Answer::Done => (200, json!({})),
    };
    let response = Response::builder().status(status).header("content-type", "application/x-amz-json-1.0");
    Ok(response.body(Full::new(Bytes::from(answer.to_string()))).unwrap())
}

fn rows(keys: &[Value]) -> Vec<Value> {
    let row = |key: &Value| {
        let mut row = key.clone();
        row["size"] = json!({ "N": "8" });
        row["expires"] = json!({ "N": "9000000000" });
        row
    };
    // In an order of its own, as DynamoDB has it.
    keys.iter().rev().map(row).collect()
}
