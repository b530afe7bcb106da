//! `bootstrap`: the registry as a Lambda function, behind a runtime API that hands it events ("Using the Lambda
//! runtime API for custom runtimes").

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

/// A function that runs, killed when dropped.
struct Function {
    process: Child,
    api: TcpListener,
}

impl Function {
    fn start() -> Self {
        let api = TcpListener::bind("127.0.0.1:0").unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.local_addr().unwrap().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "berth")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .env("REGISTRY_STORAGE", "inmemory")
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self { process, api }
    }

    /// Hands the function an event that has `left` milliseconds, and returns its answer.
    fn invoke(&self, event: &Value, left: u64) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as u64;
        let mut next = self.request("GET /2018-06-01/runtime/invocation/next ");
        let event = event.to_string();
        write!(
            next.get_mut(),
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\
             lambda-runtime-aws-request-id: 8476a536\r\nlambda-runtime-deadline-ms: {}\r\n\
             lambda-runtime-invoked-function-arn: arn:aws:lambda:eu-central-1:123456789012:function:berth\r\n\r\n{event}",
            event.len(),
            now + left,
        )
        .unwrap();
        drop(next);
        let mut answer = self.request("POST /2018-06-01/runtime/invocation/8476a536/response ");
        let body = read_body(&mut answer);
        answer.get_mut().write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
        serde_json::from_slice(&body).unwrap()
    }

    /// The function's next request, whose first line begins with `expected`.
    fn request(&self, expected: &str) -> BufReader<TcpStream> {
        let (stream, _) = self.api.accept().unwrap();
        let mut stream = BufReader::new(stream);
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        assert!(line.starts_with(expected), "{line}");
        stream
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The rest of a request's head, and its body.
fn read_body(stream: &mut BufReader<TcpStream>) -> Vec<u8> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        if line == "\r\n" {
            break;
        }
        let (name, value) = line.split_once(": ").unwrap();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
        assert!(!name.eq_ignore_ascii_case("transfer-encoding"), "answers are buffered");
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    body
}

/// An event of a function URL (payload format 2.0).
fn event(method: &str, path: &str, query: &str, body: &[u8]) -> Value {
    json!({
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": query,
        "headers": { "host": "abc.lambda-url.eu-central-1.on.aws", "x-forwarded-proto": "https", "user-agent": "test" },
        "requestContext": {
            "domainName": "abc.lambda-url.eu-central-1.on.aws",
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.7", "userAgent": "test" },
            "stage": "$default",
            "timeEpoch": 0
        },
        "body": String::from_utf8(body.to_vec()).unwrap(),
        "isBase64Encoded": false
    })
}

#[test]
fn the_same_api_behind_a_function_url() {
    let function = Function::start();
    let base = function.invoke(&event("GET", "/v2/", "", b""), 10_000);
    assert_eq!((&base["statusCode"], &base["body"]), (&json!(200), &json!("{}")));
    assert_eq!(base["headers"]["docker-distribution-api-version"], "registry/2.0");

    let digest = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"; // of "test"
    let pushed =
        function.invoke(&event("POST", "/v2/some/repo/blobs/uploads/", &format!("digest={digest}"), b"test"), 10_000);
    assert_eq!(pushed["statusCode"], 201, "{pushed}");
    let location = format!("https://abc.lambda-url.eu-central-1.on.aws/v2/some/repo/blobs/{digest}");
    assert_eq!(pushed["headers"]["location"], location);

    let pulled = function.invoke(&event("GET", &format!("/v2/some/repo/blobs/{digest}"), "", b""), 10_000);
    assert_eq!(pulled["statusCode"], 200);
    assert_eq!((&pulled["body"], &pulled["isBase64Encoded"]), (&json!("dGVzdA=="), &json!(true)));

    let missing = function.invoke(&event("GET", "/v2/some/repo/manifests/latest", "", b""), 10_000);
    assert_eq!(missing["statusCode"], 404);
    let error: Value = serde_json::from_str(missing["body"].as_str().unwrap()).unwrap();
    assert_eq!(error["errors"][0]["code"], "MANIFEST_UNKNOWN");
}

#[test]
fn it_gives_up_before_lambda_does_and_logs_in_json() {
    let mut function = Function::start();
    // Less is left than the registry keeps for saying so.
    let late = function.invoke(&event("GET", "/v2/some/repo/manifests/latest", "", b""), 100);
    assert_eq!(late["statusCode"], 503, "{late}");
    let _next = function.request("GET /2018-06-01/runtime/invocation/next ");

    function.process.kill().unwrap();
    let mut log = String::new();
    function.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let access = lines.iter().find(|line| line["target"] == "access").expect("an access line");
    assert_eq!((&access["status"], &access["remote"]), (&json!(503), &json!("192.0.2.7")));
    assert_eq!(access["timestamp"], Value::Null, "CloudWatch adds the time");
}
