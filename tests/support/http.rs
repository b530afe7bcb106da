//! A client for tests: HTTP as it is, without the good manners of a registry's client.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use hyper::body::Frame;
use hyper_util::{client::legacy::Client, client::legacy::connect::HttpConnector, rt::TokioExecutor};

type Body = BoxBody<Bytes, std::io::Error>;

/// Sends requests to one host.
#[derive(Clone)]
pub(crate) struct Http {
    base: String,
    login: Option<String>,
    /// Tokens that were got for the login, by what they are for.
    tokens: Arc<Mutex<HashMap<String, String>>>,
    client: Client<HttpConnector, Body>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// A header's text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("headers are text"))
    }

    /// The upload URL, with the closing digest added to its query.
    pub(crate) fn closing(&self, digest: &impl std::fmt::Display) -> String {
        let location = self.header("location");
        let mark = if location.contains('?') { '&' } else { '?' };
        format!("{location}{mark}digest={digest}")
    }
}

impl Http {
    /// To `host`, as in `127.0.0.1:5000`.
    pub(crate) fn new(host: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        Self { base: format!("http://{host}"), login: None, tokens: Arc::default(), client }
    }

    /// Logs in by `login`, an Authorization: gets a token for it, as clients do, before the first request to each
    /// repository of that host.
    pub(crate) fn with_login(self, login: String) -> Self {
        Self { login: Some(login), ..self }
    }

    /// Sends a request to `target`, a path or a whole URL.
    pub(crate) async fn send(&self, method: Method, target: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
        let body = Full::new(body).map_err(|never| match never {}).boxed();
        self.send_body(method, target, headers, body).await
    }

    /// Sends `chunks` without saying how long they are together (chunked coding).
    pub(crate) async fn send_chunked(
        &self,
        method: Method,
        target: &str,
        headers: &[(&str, &str)],
        chunks: Vec<Bytes>,
    ) -> Answer {
        let frames = futures_util::stream::iter(chunks.into_iter().map(|chunk| Ok(Frame::data(chunk))));
        self.send_body(method, target, headers, BoxBody::new(StreamBody::new(frames))).await
    }

    /// Sends a body of any kind, and reads the answer to its end.
    pub(crate) async fn send_body(&self, method: Method, target: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        let uri = if target.starts_with('/') { format!("{}{target}", self.base) } else { target.to_owned() };
        let mut request = Request::builder().method(method);
        if let Some(login) = self.login.as_ref().filter(|_| uri.starts_with(&self.base)) {
            let announces = headers.iter().any(|(name, _)| *name == "berth-blob-digest");
            match self.token(login, &uri, announces).await {
                Ok(token) => request = request.header("authorization", format!("Bearer {token}")),
                Err(refused) => return refused,
            }
        }
        request = request.uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = self.client.request(request.body(body).expect("a well-formed request")).await;
        let (parts, body) = answer.expect("the server answers").into_parts();
        let body = body.collect().await.expect("the answer is whole").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// A token for what is done at `uri`.
    async fn token(&self, login: &str, uri: &str, announces: bool) -> Result<String, Answer> {
        let mut scopes = scopes(&uri[self.base.len()..]);
        if announces {
            scopes += "&scope=registry:blob:pull";
        }
        if let Some(token) = self.tokens.lock().unwrap().get(&scopes) {
            return Ok(token.clone());
        }
        let stranger = Self { login: None, ..self.clone() };
        let target = format!("/token?service={}{scopes}", self.base.trim_start_matches("http://"));
        let headers = [("authorization", login)];
        let answer = Box::pin(stranger.send(Method::GET, &target, &headers, Bytes::new())).await;
        if answer.status != StatusCode::OK {
            return Err(answer);
        }
        let answer: serde_json::Value = serde_json::from_slice(&answer.body).expect("a token in JSON");
        let token = answer["token"].as_str().expect("a token").to_owned();
        self.tokens.lock().unwrap().insert(scopes, token.clone());
        Ok(token)
    }

    pub(crate) async fn get(&self, target: &str) -> Answer {
        self.send(Method::GET, target, &[], Bytes::new()).await
    }

    pub(crate) async fn head(&self, target: &str) -> Answer {
        self.send(Method::HEAD, target, &[], Bytes::new()).await
    }

    pub(crate) async fn post(&self, target: &str) -> Answer {
        self.send(Method::POST, target, &[], Bytes::new()).await
    }

    pub(crate) async fn put(&self, target: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
        self.send(Method::PUT, target, headers, body).await
    }

    pub(crate) async fn delete(&self, target: &str) -> Answer {
        self.send(Method::DELETE, target, &[], Bytes::new()).await
    }
}

/// The scopes that a client asks for at `target`, as a query.
fn scopes(target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let Some(rest) = path.strip_prefix("/v2/").filter(|rest| !rest.is_empty()) else { return String::new() };
    if rest == "_catalog" {
        return "&scope=registry:catalog:*".to_owned();
    }
    let words = ["/manifests/", "/blobs/", "/tags/", "/referrers/"];
    let end = words.iter().filter_map(|word| rest.rfind(word)).min().expect("a route of a repository");
    let mut scopes = format!("&scope=repository:{}:pull,push,delete", &rest[..end]);
    if let Some(from) = query.split('&').find_map(|pair| pair.strip_prefix("from=")) {
        scopes += &format!("&scope=repository:{from}:pull");
    }
    scopes
}
