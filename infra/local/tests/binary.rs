//! The binary, as a script uses it.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use support::raw;

struct Running {
    child: Child,
    env: HashMap<String, String>,
}

impl Running {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_emulators"));
        let mut child = child.args(arguments).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).take(10);
        let env =
            lines.map(|line| line.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned())).unwrap());
        Self { env: env.collect(), child }
    }

    fn admin(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let address = self.env["EMULATORS_ADMIN_URL"].strip_prefix("http://").unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
        );
        let answer = String::from_utf8(raw(address.parse().unwrap(), request.as_bytes())).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), serde_json::from_str(body).unwrap())
    }

    fn put(&self, key: &str) -> u16 {
        // Refused for its missing signature, or by a fault before that: either is an answer.
        let address = self.env["AWS_ENDPOINT_URL_S3"].strip_prefix("http://").unwrap();
        let bucket = &self.env["EMULATORS_BUCKET"];
        let request = format!(
            "PUT /{bucket}/{key} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx"
        );
        let answer = String::from_utf8(raw(address.parse().unwrap(), request.as_bytes())).unwrap();
        answer.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = Command::new("kill").arg(self.child.id().to_string()).status();
            let _ = self.child.wait();
        }
    }
}

#[test]
fn it_prints_its_environment_and_serves_its_log_and_faults() {
    let running = Running::start(&["--bucket", "images", "--region", "eu-west-1"]);
    assert_eq!((running.env["EMULATORS_BUCKET"].as_str(), running.env["AWS_REGION"].as_str()), ("images", "eu-west-1"));
    assert_eq!(running.admin("GET", "/_health", "").0, 200);
    assert_eq!(running.put("a"), 403);
    let rule = r#"{"fault": "throttle", "when": {"service": "s3", "operation": "PutObject"}, "times": 1}"#;
    assert_eq!(running.admin("POST", "/_faults", rule).0, 200);
    assert_eq!(running.admin("GET", "/_faults", "").1[0]["fault"], "throttle");
    assert_eq!(running.put("b"), 503);
    assert_eq!(running.put("c"), 403);
    let (_, requests) = running.admin("GET", "/_requests", "");
    assert_eq!(
        (&requests[1]["key"], &requests[1]["fault"], &requests[1]["status"]),
        (&"b".into(), &"throttle".into(), &503.into())
    );
    assert_eq!(running.admin("GET", "/_counts", "").1["s3:PutObject"], 3);
    running.admin("DELETE", "/_requests", "");
    assert_eq!(running.admin("GET", "/_requests", "").1, Value::Array(vec![]));
    for (rule, status) in
        [(r#"{"fault": {"delay": 5}}"#, 200), (r#"{"fault": "hangs"}"#, 400), (r#"{"fault": "hang", "x": 1}"#, 400)]
    {
        assert_eq!(running.admin("POST", "/_faults", rule).0, status, "{rule}");
    }
    let role = r#"{"name": "Role", "access_key": "AKIAROLE", "secret_key": "s", "policy": {"Version": "2012-10-17", "Statement":
        {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}}"#;
    assert_eq!(running.admin("POST", "/_identities", role).0, 200);
    assert_eq!(running.admin("POST", "/_identities", &role.replace("Allow", "Permit")).0, 400);
    assert_eq!(running.admin("GET", "/_statements", "").1[0]["statements"][0]["actions"][0]["needed"], 0);
    assert_eq!(running.admin("GET", "/_unused", "").1[0], "Role: statement Read");
    assert_eq!(running.admin("GET", "/_denied", "").1, Value::Array(vec![]));
    assert_eq!(running.admin("DELETE", "/_statements", "").0, 200);
    assert_eq!(running.admin("DELETE", "/_table", "").0, 200);
    assert_eq!(running.admin("DELETE", "/_table", "").0, 409);
    assert_eq!(running.admin("PUT", "/_table", "").0, 200);
    assert_eq!(running.admin("GET", "/elsewhere", "").0, 404);
}

#[test]
fn it_stops_on_sigterm_with_success() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(&["--folder", folder.path().to_str().unwrap()]);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    assert!(Command::new("kill").arg(running.child.id().to_string()).status().unwrap().success());
    assert!(running.child.wait().unwrap().success());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn a_wrong_argument_is_one_line_and_code_2() {
    for arguments in [&["--s3", "nonsense"][..], &["--unknown"], &["--table"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_emulators")).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8(output.stderr).unwrap().contains(arguments[0]));
    }
}
