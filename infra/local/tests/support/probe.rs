//! A bootstrap that does as its events say: it speaks the Runtime API by hand, so that nothing but the tested code is between.
#![allow(clippy::unwrap_used)] // a test program that cannot go on fails

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const BASE: &str = "/2018-06-01/runtime";

struct RuntimeApi(BufReader<TcpStream>);

impl RuntimeApi {
    /// One request over the one connection; the answer's status, head and body.
    fn call(&mut self, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
        let length = body.len();
        let head =
            format!("{method} {BASE}{path} HTTP/1.1\r\nhost: lambda\r\n{headers}content-length: {length}\r\n\r\n");
        self.0.get_mut().write_all(head.as_bytes()).unwrap();
        self.0.get_mut().write_all(body).unwrap();
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            assert_ne!(self.0.read_line(&mut head).unwrap(), 0, "the Runtime API is gone");
        }
        let length = header(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), head, body)
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

fn wait_for(path: &str) {
    while !Path::new(path).exists() {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn main() {
    let mut api =
        RuntimeApi(BufReader::new(TcpStream::connect(std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap()).unwrap()));
    match std::env::var("PROBE_INIT").as_deref() {
        Ok("exit") => std::process::exit(9),
        Ok("error") => {
            let report = br#"{"errorMessage":"no configuration","errorType":"Init"}"#;
            api.call("POST", "/init/error", "", report);
            wait_for("/never");
        }
        Ok("hang") => wait_for("/never"),
        Ok("slow") => std::thread::sleep(Duration::from_millis(200)),
        _ => {}
    }
    let mut handled = 0;
    loop {
        let (_, head, event) = api.call("GET", "/invocation/next", "", b"");
        handled += 1;
        let id = header(&head, "lambda-runtime-aws-request-id").unwrap();
        let (kind, payload) = handle(&head, &event, handled);
        let headers = "lambda-runtime-function-error-type: Probe.Error\r\n";
        let (status, _, answer) = api.call("POST", &format!("/invocation/{id}/{kind}"), headers, &payload);
        println!("posted {status} {}", String::from_utf8_lossy(&answer));
    }
}

/// Answers CloudFormation for a custom resource as its properties say: `Response` over what a response has to have, `Head` in the
/// request's head, nothing if `Silent`. What it asked is the attribute `Asked`.
fn respond(url: &str, event: &Value) {
    let properties = &event["ResourceProperties"];
    if properties["Silent"] == true {
        return;
    }
    let mut response =
        json!({ "Status": "SUCCESS", "PhysicalResourceId": "probe", "NoEcho": true, "Data": { "Asked": event } });
    for name in ["StackId", "RequestId", "LogicalResourceId"] {
        response[name] = event[name].clone();
    }
    for (name, value) in properties["Response"].as_object().into_iter().flatten() {
        response[name] = value.clone();
    }
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let (body, head) = (response.to_string(), properties["Head"].as_str().unwrap_or("PUT"));
    let length = if head.contains("chunked") { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    let (method, headers) = head.split_once(' ').unwrap_or((head, ""));
    let headers = if headers.is_empty() { String::new() } else { format!("{headers}\r\n") };
    let body = if length.is_empty() { format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()) } else { body };
    let mut socket = TcpStream::connect(address).unwrap();
    let request = format!("{method} /{path} HTTP/1.1\r\nhost: a\r\n{headers}{length}connection: close\r\n\r\n{body}");
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = socket.read_to_string(&mut answer);
    println!("responded {}", answer.lines().next().unwrap_or_default());
}

/// How to end the invocation, and with what.
fn handle(head: &str, bytes: &[u8], handled: u32) -> (&'static str, Vec<u8>) {
    let event: Value = serde_json::from_slice(bytes).unwrap();
    let argument = event["queryStringParameters"]["a"].as_str().or(event["a"].as_str()).unwrap_or_default();
    let body = event["body"].as_str().unwrap_or_default();
    let body = match event["isBase64Encoded"].as_bool() {
        Some(true) => STANDARD.decode(body).unwrap(),
        _ => body.as_bytes().to_vec(),
    };
    if let Some(url) = event["ResponseURL"].as_str() {
        respond(url, &event);
        return ("response", b"null".to_vec());
    }
    let json =
        |value: Value| ("response", json!({ "statusCode": 200, "body": value.to_string() }).to_string().into_bytes());
    match event["rawPath"].as_str().unwrap_or_default() {
        "/answer" => ("response", body),
        "/size" => json(json!({ "event": bytes.len(), "body": body.len() })),
        "/headers" => json(json!(head)),
        "/env" => json(std::env::vars().map(|(name, value)| (name, Value::from(value))).collect()),
        "/who" => json(json!({ "pid": std::process::id(), "handled": handled })),
        "/large" => {
            let empty = r#"{"statusCode":200,"body":""}"#;
            let body = "a".repeat(argument.parse::<usize>().unwrap() - empty.len());
            ("response", format!(r#"{{"statusCode":200,"body":"{body}"}}"#).into_bytes())
        }
        "/log" => {
            println!("{argument}");
            eprintln!("error: {argument}");
            json(json!("logged"))
        }
        "/wait" => {
            println!("waiting for {argument}");
            wait_for(argument);
            json(json!("waited"))
        }
        "/exit" => std::process::exit(argument.parse().unwrap()),
        "/error" => ("error", br#"{"errorMessage":"as told"}"#.to_vec()),
        _ => json(event),
    }
}
