//! A client for tests: HTTP as it is, without the good manners of a registry's client.

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
        Self { base: format!("http://{host}"), login: None, client }
    }

    /// With `login` as the Authorization of every request to that host.
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
            request = request.header("authorization", login);
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
