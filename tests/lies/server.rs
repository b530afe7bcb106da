//! A server that answers as a test says, byte for byte where it must.
#![allow(dead_code)] // others use a part of it

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A request as it came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Path and query.
    pub(crate) target: String,
    headers: Vec<(String, String)>,
    /// Its body; `None` when it is longer than the server takes, and so was not read.
    pub(crate) body: Option<Bytes>,
    /// As it says.
    pub(crate) length: u64,
    /// How many came before it.
    pub(crate) number: usize,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Method and target, in short.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.method, self.target)
    }

    pub(crate) fn is(&self, method: &str, part: &str) -> bool {
        self.method == method && self.target.contains(part)
    }
}

/// What comes back.
pub(crate) enum Reply {
    /// An answer, with its length, on a connection that stays.
    Whole { status: u16, headers: Vec<(String, String)>, body: Bytes },
    /// These bytes, and then the connection ends.
    Raw(Vec<u8>),
    /// These bytes, and then nothing more.
    Stall(Vec<u8>),
    /// Nothing, and nothing more is read.
    Deaf,
    /// These bytes, and then the others for ever.
    Endless(Vec<u8>, Bytes),
}

/// An answer of `status`, with a body as text.
pub(crate) fn reply(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Reply {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Reply::Whole { status, headers, body: body.into() }
}

type Handler = dyn Fn(&Asked) -> Reply + Send + Sync;

/// The server. It stops when it is dropped.
pub(crate) struct Server {
    pub(crate) addr: SocketAddr,
    state: Arc<State>,
    accepting: JoinHandle<()>,
}

struct State {
    asked: Mutex<Vec<Asked>>,
    written: AtomicU64,
    takes: u64,
    handler: Box<Handler>,
}

impl Server {
    /// Answers as `handler` says.
    pub(crate) async fn start(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::that_takes(u64::MAX, handler).await
    }

    /// The same; bodies longer than `takes` are not read.
    pub(crate) async fn that_takes(takes: u64, handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let handler = Box::new(handler);
        let state = Arc::new(State { asked: Mutex::default(), written: AtomicU64::new(0), takes, handler });
        let shared = state.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { addr, state, accepting }
    }

    /// Everything that was asked, in order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.state.asked.lock().unwrap().clone()
    }

    /// The same, in short.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }

    /// Bytes that the other side took, or that lie in buffers on the way.
    pub(crate) fn written(&self) -> u64 {
        self.state.written.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(stream: TcpStream, state: Arc<State>) {
    let mut stream = BufReader::new(stream);
    while let Some(mut asked) = read(&mut stream, state.takes).await {
        let reply = {
            let mut all = state.asked.lock().unwrap();
            asked.number = all.len();
            all.push(asked.clone());
            drop(all);
            (state.handler)(&asked)
        };
        match reply {
            Reply::Whole { status, headers, body } => {
                let mut head = format!("HTTP/1.1 {status} X\r\n");
                if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length")) {
                    head += &format!("content-length: {}\r\n", body.len());
                }
                headers.iter().for_each(|(name, value)| head += &format!("{name}: {value}\r\n"));
                let mut bytes = (head + "\r\n").into_bytes();
                if asked.method != "HEAD" {
                    bytes.extend_from_slice(&body);
                }
                if write(&mut stream, &state, &bytes).await.is_err() || asked.body.is_none() {
                    return;
                }
            }
            Reply::Raw(bytes) => return drop(write(&mut stream, &state, &bytes).await),
            Reply::Stall(bytes) => {
                drop(write(&mut stream, &state, &bytes).await);
                // Until the other side has had enough.
                drop(stream.read_to_end(&mut Vec::new()).await);
                return;
            }
            // Until the test is over.
            Reply::Deaf => return std::future::pending().await,
            Reply::Endless(head, chunk) => {
                drop(write(&mut stream, &state, &head).await);
                while write(&mut stream, &state, &chunk).await.is_ok() {}
                return;
            }
        }
    }
}

async fn write(stream: &mut BufReader<TcpStream>, state: &State, bytes: &[u8]) -> std::io::Result<()> {
    stream.get_mut().write_all(bytes).await?;
    state.written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
    Ok(())
}

/// The next request; `None` when there is none, or none that is whole.
async fn read(stream: &mut BufReader<TcpStream>, takes: u64) -> Option<Asked> {
    let mut asked = Asked::default();
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            first if asked.method.is_empty() => {
                let mut words = first.split(' ');
                (asked.method, asked.target) = (words.next()?.to_owned(), words.next()?.to_owned());
            }
            header => {
                let (name, value) = header.split_once(':')?;
                asked.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
            }
        }
    }
    asked.length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    if asked.length <= takes {
        let mut body = vec![0; usize::try_from(asked.length).ok()?];
        stream.read_exact(&mut body).await.ok()?;
        asked.body = Some(body.into());
    }
    Some(asked)
}
