//! `bootstrap` that cannot serve: what is wrong is in the log, and an error of the registry's own at the client.
//! (`tests/lambda.rs` has the function that can.)

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
    fn start(variables: &[(&str, &str)]) -> Self {
        let api = TcpListener::bind("127.0.0.1:0").unwrap();
        let process = Command::new(env!("CARGO_BIN_EXE_bootstrap"))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", api.local_addr().unwrap().to_string())
            .env("AWS_LAMBDA_FUNCTION_NAME", "berth")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512")
            .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
            .envs(variables.iter().copied())
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

/// What the function logged, in JSON, a line each.
fn log(mut function: Function) -> Vec<Value> {
    // Answered, and back for more: all lines are written.
    let _next = function.request("GET /2018-06-01/runtime/invocation/next ");
    function.process.kill().unwrap();
    let mut log = String::new();
    function.process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    log.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

/// alice, whose password is "wonderland".
const USERS: (&str, &str) =
    ("REGISTRY_AUTH_HTPASSWD_USERS", "alice:$2y$04$jiJtvhzNaht1A.DuAMxGqO28xA5iWb0VS8GmE39hV3S/FuchCr1L2");
const BUCKET: (&str, &str) = ("REGISTRY_STORAGE_S3_BUCKET", "images");

#[test]
fn what_is_set_up_wrong_is_said_in_the_log_and_nothing_is_served() {
    for (variables, reason) in [
        (&[BUCKET][..], "nobody is asked who they are: everybody could read and write"),
        (&[USERS], "no bucket: what a function keeps itself is lost; set REGISTRY_STORAGE_S3_BUCKET"),
        (
            &[USERS, ("REGISTRY_STORAGE", "inmemory")],
            "no bucket: what a function keeps itself is lost; set REGISTRY_STORAGE_S3_BUCKET",
        ),
        (
            &[BUCKET, ("REGISTRY_AUTH_HTPASSWD_USERS", "alice:secret")],
            "auth.htpasswd.users: entry 1: the hash of \"alice\" is not bcrypt's ($2y$..); make one with: htpasswd -nB alice",
        ),
        (
            &[USERS, BUCKET, ("REGISTRY_LOG_LEVEL", "loud")],
            "REGISTRY_LOG_LEVEL: log.level: \"loud\" is not allowed; allowed: error, warn, info, debug",
        ),
        (&[USERS, BUCKET, ("RUST_LOG", "berth=loud")], "RUST_LOG"),
    ] {
        let function = Function::start(variables);
        let refused = function.invoke(&event("GET", "/v2/", "", b""), 10_000);
        assert_eq!(refused["statusCode"], 500, "{refused}");
        let error: Value = serde_json::from_str(refused["body"].as_str().unwrap()).unwrap();
        assert_eq!(error["errors"][0]["code"], "UNAVAILABLE");
        // Lambda's own id of the request, under which its log has it too.
        let said = "the registry is not set up; its log says what is wrong (request 8476a536)";
        assert_eq!(error["errors"][0]["message"], said);

        let lines = log(function);
        let is_said = |line: &&Value| line["reason"].as_str().is_some_and(|said| said.starts_with(reason));
        assert_eq!(lines.iter().filter(is_said).count(), 1, "{reason}: {lines:?}");
        assert!(lines.iter().any(|line| line["request_id"] == "8476a536" && line["level"] == "ERROR"), "{lines:?}");
        assert!(!lines.iter().any(|line| line.to_string().contains("secret")), "{lines:?}");
    }
}

#[test]
fn it_gives_up_before_lambda_does() {
    let nobody = ("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1");
    let keys = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "key"), ("AWS_REGION", "eu-central-1")];
    let function = Function::start(&[&[USERS, BUCKET, nobody][..], &keys].concat());
    let mut asked = event("GET", "/v2/some/repo/manifests/latest", "", b"");
    asked["headers"]["authorization"] = json!("Basic YWxpY2U6d29uZGVybGFuZA==");
    // Less is left than the registry keeps for saying so.
    let late = function.invoke(&asked, 100);
    assert_eq!(late["statusCode"], 503, "{late}");
    assert_eq!(late["headers"]["retry-after"], "1");
    let lines = log(function);
    let access = lines.iter().find(|line| line["target"] == "access").expect("an access line");
    assert_eq!((&access["status"], &access["remote"]), (&json!(503), &json!("192.0.2.7")));
    assert_eq!(access["request_id"], "8476a536");
}
