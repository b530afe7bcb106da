//! The probe as a function, and a client of front doors that shows every byte.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)] // each test file uses what it needs of it

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use berth_local::lambda::{Door, DoorOptions, Function, FunctionBuilder, InvokeError, LogLine};
use serde_json::{Value, json};

/// The probe as a function, to be set up further.
pub fn probe() -> FunctionBuilder {
    Function::builder(env!("CARGO_BIN_EXE_probe"))
}

pub async fn door(function: FunctionBuilder) -> Door {
    function.start().await.unwrap().door(DoorOptions::default()).unwrap()
}

/// An answer, as it came.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(found, _)| found == name).map(|(_, value)| value.as_str()).collect()
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {self:?}"))
    }
}

/// Sends a request and reads its answer, while the runtime of the test goes on.
pub async fn send(door: &Door, head: &str, body: impl Into<Vec<u8>>) -> Answer {
    let (address, head, body) = (door.address(), head.to_owned(), body.into());
    tokio::task::spawn_blocking(move || exchange(address, &head, &body)).await.unwrap()
}

pub async fn get(door: &Door, path: &str) -> Answer {
    send(door, &format!("GET {path} HTTP/1.1\r\nhost: registry.example"), "").await
}

pub async fn put(door: &Door, path: &str, headers: &str, body: impl Into<Vec<u8>>) -> Answer {
    let body = body.into();
    let head = format!("PUT {path} HTTP/1.1\r\nhost: registry.example\r\ncontent-length: {}\r\n{headers}", body.len());
    send(door, head.trim_end(), body).await
}

/// `head` is without the empty line at its end.
pub fn exchange(address: SocketAddr, head: &str, body: &[u8]) -> Answer {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(b"\r\n\r\n").unwrap();
    socket.write_all(body).unwrap();
    let mut socket = BufReader::new(socket);
    let mut line = String::new();
    socket.read_line(&mut line).unwrap();
    let status = line.split(' ').nth(1).unwrap_or_else(|| panic!("no answer: {line:?}")).parse().unwrap();
    let mut headers = Vec::new();
    loop {
        line.clear();
        socket.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.push((name.to_owned(), value.to_owned()));
    }
    let mut answer = Answer { status, headers, body: Vec::new() };
    let length = answer.header("content-length").map_or(0, |length| length.parse().unwrap());
    if !head.starts_with("HEAD ") {
        answer.body.resize(length, 0);
        socket.read_exact(&mut answer.body).unwrap();
    }
    answer
}

pub fn event(path: &str, argument: &str) -> String {
    json!({ "rawPath": path, "a": argument }).to_string()
}

/// The kernel's word for what a process is doing: T is stopped. None when it is gone, or a zombie.
pub fn state(pid: u32) -> Option<char> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let state = status.lines().find_map(|line| line.strip_prefix("State:")).unwrap().trim().chars().next();
    state.filter(|state| *state != 'Z')
}

pub async fn becomes(pid: u32, wanted: impl Fn(Option<char>) -> bool) {
    let begun = Instant::now();
    while !wanted(state(pid)) {
        assert!(begun.elapsed() < Duration::from_secs(10), "process {pid} is {:?}", state(pid));
        tokio::task::yield_now().await;
    }
}

pub async fn pid(door: &Door) -> u32 {
    u32::try_from(get(door, "/who").await.json()["pid"].as_u64().unwrap()).unwrap()
}

/// Begins `count` invocations that go on until the file that is returned is made; each is in an instance's hands.
pub async fn busy(function: &Function, count: usize, folder: &Path) -> (Vec<tokio::task::JoinHandle<Outcome>>, String) {
    let file = folder.join("go").display().to_string();
    let mut tasks = Vec::new();
    for _ in 0..count {
        let (function, event) = (function.clone(), event("/wait", &file));
        tasks.push(tokio::spawn(async move { function.invoke(event).await }));
    }
    let waits = |line: &LogLine| line.text == format!("waiting for {file}");
    let begun = Instant::now();
    while function.logs().iter().filter(|line| waits(line)).count() < count {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::task::yield_now().await;
    }
    (tasks, file)
}

pub type Outcome = Result<bytes::Bytes, InvokeError>;
