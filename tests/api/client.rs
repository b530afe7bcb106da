//! A client that speaks raw HTTP/1.1.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};

/// A connection to a registry.
pub(crate) struct Client {
    pub(crate) stream: BufReader<TcpStream>,
    pub(crate) host: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// How a body is sent.
#[derive(Clone, Copy)]
pub(crate) enum Body<'a> {
    /// None, and no Content-Length.
    None,
    /// With its Content-Length.
    Sized(&'a [u8]),
    /// In chunked coding, a chunk for each slice.
    Chunked(&'a [&'a [u8]]),
}

impl Client {
    pub(crate) async fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.expect("the server listens");
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream), host: addr.to_string() }
    }

    pub(crate) async fn get(&mut self, target: &str) -> Answer {
        self.ask("GET", target, &[], Body::None).await
    }

    pub(crate) async fn head(&mut self, target: &str) -> Answer {
        self.ask("HEAD", target, &[], Body::None).await
    }

    pub(crate) async fn post(&mut self, target: &str) -> Answer {
        self.ask("POST", target, &[], Body::Sized(b"")).await
    }

    pub(crate) async fn delete(&mut self, target: &str) -> Answer {
        self.ask("DELETE", target, &[], Body::None).await
    }

    pub(crate) async fn put(&mut self, target: &str, body: &[u8]) -> Answer {
        self.ask("PUT", target, &[], Body::Sized(body)).await
    }

    /// Sends a request and reads its answer. A `target` that is a URL of this server is asked by its path.
    pub(crate) async fn ask(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: Body<'_>) -> Answer {
        self.send(method, target, headers, body).await;
        self.answer(method == "HEAD").await
    }

    /// Sends a request.
    pub(crate) async fn send(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: Body<'_>) {
        let target = target.strip_prefix(&format!("http://{}", self.host)).unwrap_or(target);
        let mut head = format!("{method} {target} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("host: {}\r\n", self.host);
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        match body {
            Body::None => head += "\r\n",
            Body::Sized(bytes) => head += &format!("content-length: {}\r\n\r\n", bytes.len()),
            Body::Chunked(_) => head += "transfer-encoding: chunked\r\n\r\n",
        }
        let mut request = head.into_bytes();
        match body {
            Body::None => {}
            Body::Sized(bytes) => request.extend_from_slice(bytes),
            Body::Chunked(chunks) => {
                for chunk in chunks {
                    request.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
                    request.extend_from_slice(chunk);
                    request.extend_from_slice(b"\r\n");
                }
                request.extend_from_slice(b"0\r\n\r\n");
            }
        }
        self.write(&request).await;
    }

    /// Sends bytes as they are.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).await.expect("the server reads");
    }

    /// Reads one answer.
    pub(crate) async fn answer(&mut self, head: bool) -> Answer {
        self.try_answer(head).await.expect("the server answers")
    }

    /// Reads one answer; `None` when the server closes instead.
    pub(crate) async fn try_answer(&mut self, head: bool) -> Option<Answer> {
        let status = self.line().await?;
        let status: u16 = status.split(' ').nth(1)?.parse().ok()?;
        let mut headers = Vec::new();
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.push((name.to_owned(), value.to_owned()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        if head || status == 204 || status == 304 || status < 200 {
            return Some(answer);
        }
        if answer.header("transfer-encoding") == "chunked" {
            loop {
                let size = usize::from_str_radix(&self.line().await?, 16).expect("a chunk's size");
                let mut chunk = vec![0; size];
                self.stream.read_exact(&mut chunk).await.ok()?;
                answer.body.extend(chunk);
                self.line().await?;
                if size == 0 {
                    return Some(answer);
                }
            }
        }
        let length: usize = answer.header("content-length").parse().expect("a Content-Length");
        answer.body = vec![0; length];
        self.stream.read_exact(&mut answer.body).await.ok()?;
        Some(answer)
    }

    /// Waits until the server closes the connection.
    pub(crate) async fn closed(&mut self) {
        let mut rest = Vec::new();
        // A reset is as good as an end.
        let _ = self.stream.read_to_end(&mut rest).await;
        assert_eq!(String::from_utf8_lossy(&rest), "", "nothing more was expected");
    }

    async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        match self.stream.read_line(&mut line).await {
            Ok(length) if length > 0 => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
            _ => None,
        }
    }
}

impl Answer {
    /// The header's values, joined; empty without it.
    pub(crate) fn header(&self, name: &str) -> String {
        self.all(name).join(", ")
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        !self.all(name).is_empty()
    }

    /// Each value of the header.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let named = self.headers.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    /// The codes of the errors in the body.
    pub(crate) fn codes(&self) -> Vec<String> {
        assert_eq!(self.header("content-type"), "application/json", "{self:?}");
        let errors = self.json()["errors"].as_array().expect("errors").clone();
        for error in &errors {
            assert_ne!(error["message"], "", "an error says what happened");
        }
        errors.iter().map(|error| error["code"].as_str().expect("a code").to_owned()).collect()
    }

    /// Asserts status and the only error's code.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) -> &Self {
        assert_eq!((self.status, self.codes()), (status, vec![code.to_owned()]), "{self:?}");
        self
    }

    /// Asserts the status.
    #[track_caller]
    pub(crate) fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{self:?} {}", String::from_utf8_lossy(&self.body));
        self
    }

    /// The upload's URL with `digest` in its query.
    pub(crate) fn closing(&self, digest: impl std::fmt::Display) -> String {
        format!("{}&digest={digest}", self.header("location"))
    }
}
