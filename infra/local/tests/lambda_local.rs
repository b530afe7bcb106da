//! The binary, as a person or a script uses it.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

#[path = "support/client.rs"]
mod client;

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use client::{Answer, exchange};
use serde_json::{Value, json};

/// The template that is deployed.
const TEMPLATE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");

struct Running {
    child: Child,
    registry: SocketAddr,
    login: String,
    admin: SocketAddr,
    aws: String,
    issuer: String,
}

impl Running {
    /// As the template says it, with a function URL in front.
    fn start(arguments: &[&str]) -> Self {
        Self::start_of(&["--template", TEMPLATE, "--front", "function-url"], arguments)
    }

    fn start_of(what: &[&str], arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lambda-local"));
        command.args(["--addr", "127.0.0.1:0", "--bootstrap", env!("CARGO_BIN_EXE_probe")]).args(what).args(arguments);
        command.env_remove("REGISTRY_AUTH_HTPASSWD_USERS");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines: Vec<_> = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).take(5).collect();
        let value = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
        let admin = value("admin").strip_prefix("http://").unwrap().parse().unwrap();
        let (login, aws, issuer) = (value("login"), value("aws"), value("issuer"));
        Self { registry: value("registry").parse().unwrap(), login, admin, aws, issuer, child }
    }

    fn get(&self, path: &str) -> Answer {
        exchange(self.registry, &format!("GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close"), b"")
    }

    fn put(&self, path: &str, body: &str) -> Answer {
        let length = body.len();
        let head = format!("PUT {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {length}\r\nconnection: close");
        exchange(self.registry, &head, body.as_bytes())
    }

    fn environment(&self) -> Value {
        self.get("/env").json()
    }

    fn admin(&self, method: &str, path: &str) -> Answer {
        exchange(self.admin, &format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close"), b"")
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let body = body.to_string();
        let head = format!("POST {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\ncontent-length: {}", body.len());
        exchange(self.admin, &head, body.as_bytes()).json()
    }

    fn terminate(&mut self) {
        assert!(Command::new("kill").arg(self.child.id().to_string()).status().unwrap().success());
        assert!(self.child.wait().unwrap().success());
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
fn it_serves_a_registry_and_its_admin_and_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut running = Running::start(&["--seed", "1", "--instances", "2", "--folder", folder.path().to_str().unwrap()]);
    assert_eq!(running.get("/").status, 200);
    let instances = running.admin("GET", "/_instances").json();
    assert_eq!(instances.as_array().unwrap().len(), 2);
    assert_eq!(running.admin("GET", "/_function").json()["invocations"], 1);
    assert!(running.admin("GET", "/_starts").json()[0]["first_poll_ms"].is_f64());
    while running.admin("GET", "/_instances").json().as_array().unwrap().iter().any(|i| i["state"] != "frozen") {}
    assert_eq!(running.admin("POST", "/_instances/recycle").json(), 2);
    assert_eq!(running.admin("POST", "/_instances/kill").json(), 2);
    assert_eq!(running.admin("GET", "/_function").json()["starts"], 6);
    assert_eq!(running.admin("POST", "/_instances/6/kill").json(), true);
    assert_eq!(running.admin("POST", "/_instances/6/kill").json(), false);
    assert_eq!(running.admin("POST", "/_maintenance").json(), json!({ "statusCode": 200, "body": "{}" }));
    assert_eq!(running.admin("GET", "/_counts").json(), json!({}), "the emulators' own");
    assert_eq!(running.admin("GET", "/_elsewhere").status, 404);
    let pids: Vec<_> =
        running.admin("GET", "/_instances").json().as_array().unwrap().iter().map(|i| i["pid"].clone()).collect();
    running.terminate();
    for pid in pids {
        assert!(!Path::new(&format!("/proc/{pid}")).exists(), "{pid}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn the_login_line_has_the_password_of_the_user_that_the_registry_knows() {
    let running = Running::start(&[]);
    let users = running.environment()["REGISTRY_AUTH_HTPASSWD_USERS"].as_str().unwrap().to_owned();
    let (name, hash) = users.split_once(':').unwrap();
    let words: Vec<_> = running.login.split(' ').collect();
    assert_eq!(words[2..], ["|", "docker", "login", "-u", name, "--password-stdin", &running.registry.to_string()]);
    assert!(bcrypt::verify(words[1], hash).unwrap());
}

#[test]
fn users_of_ones_own_are_passed_on() {
    let running = Running::start(&["--user", "ann:$2b$04$x", "--user", "bob:$2b$04$y"]);
    assert_eq!(running.environment()["REGISTRY_AUTH_HTPASSWD_USERS"], "ann:$2b$04$x,bob:$2b$04$y");
    assert_eq!(running.login, format!("docker login -u ann {}", running.registry));
}

#[test]
fn the_registry_is_given_what_the_template_says_and_told_of_the_emulators() {
    let running =
        Running::start(&["--region", "eu-west-1", "--parameter", "UploadAge=9h", "--env", "REGISTRY_LOG_LEVEL=debug"]);
    let emulators = running.admin("GET", "/_env").json();
    let environment = running.environment();
    for name in ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_REGION"] {
        assert_eq!(environment[name], emulators[name], "{name}");
    }
    let s3 = emulators["AWS_ENDPOINT_URL_S3"].as_str().unwrap();
    assert_eq!(environment["AWS_ENDPOINT_URL_S3"], s3.replace("127.0.0.1", "localhost"));
    let elsewhere = Running::start(&["--s3", "127.0.0.2:0"]);
    let s3 = elsewhere.environment()["AWS_ENDPOINT_URL_S3"].as_str().unwrap().to_owned();
    assert!(s3.starts_with("http://127.0.0.2:"), "{s3}");
    for (name, value) in [
        ("AWS_REGION", "eu-west-1"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
        ("REGISTRY_STORAGE_S3_BUCKET", "berth"),
        ("REGISTRY_STORAGE_S3_FORCEPATHSTYLE", "true"),
        ("REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR", "dynamodb"),
        ("REGISTRY_DYNAMODB_TABLE", "berth"),
        ("REGISTRY_LOG_LEVEL", "debug"),
        ("_HANDLER", "registry"),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
}

#[test]
fn users_may_also_be_the_templates_parameter() {
    let running = Running::start(&["--parameter", "Users=ann:$2b$04$x"]);
    assert_eq!(running.environment()["REGISTRY_AUTH_HTPASSWD_USERS"], "ann:$2b$04$x");
    assert_eq!(running.login, format!("docker login -u ann {}", running.registry));
}

#[test]
fn who_has_no_password_is_told_how_to_log_in() {
    let running = Running::start(&["--parameter", "OidcIssuers=https://token.example.com app"]);
    let (issuer, audience) = running.issuer.split_once(' ').unwrap();
    let environment = running.environment();
    let believed = format!("https://token.example.com app;{issuer} {audience}");
    assert_eq!(environment["REGISTRY_AUTH_BERTH_OIDC"], believed);
    let token = running.post("/_oidc/token", &json!({ "sub": "me", "aud": audience }))["token"].clone();
    let claims = token.as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    let claims: Value = serde_json::from_slice(&base64::Engine::decode(&URL_SAFE_NO_PAD, claims).unwrap()).unwrap();
    assert_eq!(claims["iss"], issuer);

    let words: Vec<_> = running.aws.split(' ').collect();
    assert_eq!(words[3..], ["berth", "login", &running.registry.to_string()]);
    let values: Vec<_> = words[..3].iter().map(|word| word.split_once('=').unwrap()).collect();
    assert_eq!(values[0].0, "AWS_ACCESS_KEY_ID");
    let sts = environment["AWS_ENDPOINT_URL_STS"].as_str().unwrap().strip_prefix("http://").unwrap().parse().unwrap();
    let ask = |token: &str| {
        let scope = "20260101%2Fus-east-1%2Fsts%2Faws4_request";
        let query = format!("Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Credential={}%2F{scope}", values[0].1);
        let query = format!("{query}&X-Amz-Security-Token={token}&X-Amz-SignedHeaders=host&X-Amz-Date=a");
        let head = format!("GET /?{query} HTTP/1.1\r\nhost: a\r\naccept: application/json\r\nconnection: close");
        exchange(sts, &head, b"").json()["Error"]["Code"].clone()
    };
    // Known, and asked for a signature.
    assert_eq!(ask(values[2].1), "SignatureDoesNotMatch");
    assert_eq!(ask("another"), "InvalidClientTokenId");
}

#[test]
fn rules_can_name_the_issuer_by_where_it_is_to_listen() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let running = Running::start(&["--oidc", &free.to_string(), "--sts", "127.0.0.2:0"]);
    assert_eq!(running.issuer, format!("http://{free} berth"));
    let sts = running.environment()["AWS_ENDPOINT_URL_STS"].as_str().unwrap().to_owned();
    assert!(sts.starts_with("http://127.0.0.2:"), "{sts}");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Clients with the keys and endpoints of an environment.
fn clients(environment: &Value) -> (aws_sdk_s3::Client, aws_sdk_dynamodb::Client) {
    let text = |name: &str| environment[name].as_str().unwrap();
    let keys = aws_sdk_s3::config::Credentials::new(
        text("AWS_ACCESS_KEY_ID"),
        text("AWS_SECRET_ACCESS_KEY"),
        None,
        None,
        "test",
    );
    let http = aws_smithy_http_client::Builder::new().build_http();
    let region = aws_sdk_s3::config::Region::new(text("AWS_REGION").to_owned());
    let s3 = aws_sdk_s3::Config::builder().behavior_version(aws_sdk_s3::config::BehaviorVersion::latest());
    let s3 = s3.endpoint_url(text("AWS_ENDPOINT_URL_S3")).force_path_style(true);
    let s3 = s3.http_client(http.clone()).region(region.clone()).credentials_provider(keys.clone());
    let rows =
        aws_sdk_dynamodb::Config::builder().behavior_version(aws_sdk_dynamodb::config::BehaviorVersion::latest());
    let rows = rows.endpoint_url(text("AWS_ENDPOINT_URL_DYNAMODB"));
    let rows = rows.http_client(http).region(region).credentials_provider(keys);
    (aws_sdk_s3::Client::from_conf(s3.build()), aws_sdk_dynamodb::Client::from_conf(rows.build()))
}

#[test]
fn the_registry_may_do_what_its_role_allows_and_no_more() {
    let running = Running::start(&[]);
    let (s3, _) = clients(&running.environment());
    runtime().block_on(async {
        let put = |key: &str| s3.put_object().bucket("berth").key(key).send();
        put("docker/registry/v2/blobs/a").await.unwrap();
        put("elsewhere").await.unwrap_err();
    });
    let denied = running.admin("GET", "/_denied").json();
    assert_eq!(denied.as_array().unwrap().len(), 1, "{denied}");
    let of = |denial: &Value| [denial["identity"].clone(), denial["action"].clone()];
    assert_eq!(of(&denied[0]), ["RegistryRole", "s3:PutObject"]);
    let held = running.admin("GET", "/_statements").json();
    let names: Vec<_> = held.as_array().unwrap().iter().map(|one| one["identity"].clone()).collect();
    assert_eq!(names, ["RegistryRole", "MaintenanceRole"]);
}

#[test]
fn a_deployment_gives_each_function_what_it_wrote_down() {
    let function = |handler: &str, name: &str| {
        let environment = json!({
            "REGISTRY_STORAGE_S3_BUCKET": "images", "REGISTRY_DYNAMODB_TABLE": "rows", "GIVEN": name,
            "REGISTRY_AUTH_HTPASSWD_USERS": "ann:$2b$04$x",
        });
        let policy = json!({ "Version": "2012-10-17", "Statement": [
            { "Sid": "List", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::images" },
            { "Sid": "Read", "Effect": "Allow", "Action": "dynamodb:GetItem",
              "Resource": "arn:aws:dynamodb:eu-central-1:111122223333:table/rows" },
        ] });
        json!({ "environment": environment, "handler": handler, "timeout_seconds": 5, "memory_mb": 256, "policy": policy })
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    let deployment = json!({
        "region": "eu-central-1", "account": "111122223333", "bucket": "images", "table": "rows",
        "functions": { "RegistryFunction": function("registry", "r"), "MaintenanceFunction": function("tidy", "m") },
    });
    std::fs::write(file.path(), deployment.to_string()).unwrap();
    let running = Running::start_of(&["--deployment", file.path().to_str().unwrap()], &["--front", "http-api"]);
    let environment = running.environment();
    for (name, value) in [
        ("GIVEN", "r"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_REGION", "eu-central-1"),
        ("_HANDLER", "registry"),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
    assert_eq!(running.login, format!("docker login -u ann {}", running.registry));
    assert_eq!(
        environment["REGISTRY_AUTH_BERTH_OIDC"],
        Value::Null,
        "a registry that takes no issuers is told of none"
    );
    assert!(running.get("/").header("apigw-requestid").is_some());
    let (s3, rows) = clients(&environment);
    runtime().block_on(async {
        s3.list_objects_v2().bucket("images").send().await.unwrap();
        s3.put_object().bucket("images").key("a").send().await.unwrap_err();
        let value = || aws_sdk_dynamodb::types::AttributeValue::S("a".to_owned());
        let get = |table: &str| rows.get_item().table_name(table).key("pk", value()).key("sk", value()).send();
        get("rows").await.unwrap();
        get("berth").await.unwrap_err();
    });
}

/// One without a choice of front ends.
const PLAIN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/template.yaml");

/// A small template with all front ends.
const FRONTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/edge.yaml");

#[test]
fn clients_reach_cloudfront_by_default_and_the_registry_knows_its_secrets() {
    let running = Running::start_of(&["--template", FRONTS], &[]);
    assert!(running.login.ends_with(&running.registry.to_string()), "{}", running.login);
    assert_eq!(running.get("/stack").text(), "berth");
    let answer = running.get("/env");
    assert_eq!((answer.json()["SECRET"].as_str(), answer.header("x-saw")), (Some("made"), Some("/env")));
    let head = running.get("/event").json()["headers"].clone();
    assert_eq!((&head["x-origin"], &head["x-forwarded-proto"]), (&json!("made"), &json!("http")));
    let stored = running.put("/stage/a", "hello");
    assert_eq!((stored.status, stored.header("x-saw")), (200, Some("/stage/a/data")));
    assert_eq!(running.put(&format!("/stage/b?hash={}", "0".repeat(64)), "hello").status, 400);
    assert_eq!(running.admin("GET", "/_edge/counts").json(), json!({ "answered": 1, "bucket": 2, "registry": 2 }));
    let log = running.admin("GET", "/_edge").json();
    assert_eq!(
        (&log[3]["handled"], &log[3]["sent"], &log[3]["request_bytes"]),
        (&json!("origin"), &json!("/berth/stage/a/data"), &json!(5))
    );
    assert_eq!(running.admin("DELETE", "/_edge").json(), "done");
    assert_eq!(running.admin("GET", "/_edge").json(), json!([]));
    let log = running.admin("GET", "/_logs").json().to_string();
    assert!(!log.contains("responded"), "secrets are made by a function of their own");
}

#[test]
fn assumptions_are_chosen_one_by_one() {
    let assume =
        ["viewer-response-sees=original", "content-sha256=ignored", "early-answers=close", "trailing-slash=kept"];
    let arguments: Vec<_> = assume.iter().flat_map(|assumption| ["--assume", assumption]).collect();
    let otherwise = Running::start_of(&["--template", FRONTS, "--front", "cloudfront"], &arguments);
    let stored = otherwise.put(&format!("/stage/b?hash={}", "0".repeat(64)), "hello");
    assert_eq!((stored.status, stored.header("x-saw")), (200, Some("/stage/b")));
    assert_eq!(otherwise.get("/v2/").json()["requestContext"]["http"]["path"], "/v2/");
    let without = Running::start_of(&["--template", FRONTS], &["--assume", "viewer-response-runs=no"]);
    assert_eq!(without.put("/stage/a", "hello").header("x-saw"), None);
}

#[test]
fn other_front_ends_have_no_cloudfront() {
    let answer =
        json!({ "statusCode": 401, "headers": { "x-berth-challenge": "Bearer", "www-authenticate": "Basic" } });
    for (front, id, challenge) in
        [("function-url", "x-amzn-requestid", None), ("http-api", "apigw-requestid", Some("Bearer"))]
    {
        let running = Running::start_of(&["--template", FRONTS], &["--front", front]);
        assert_eq!(running.environment()["SECRET"], "none");
        assert_eq!(running.admin("GET", "/_edge").status, 404);
        let refused = running.put("/answer", &answer.to_string());
        assert!(refused.header(id).is_some(), "{front}: {refused:?}");
        assert_eq!((refused.status, refused.header("www-authenticate")), (401, challenge), "{front}");
    }
    let kept = ["--front", "function-url", "--assume", "function-url-challenge=kept"];
    let kept = Running::start_of(&["--template", FRONTS], &kept).put("/answer", &answer.to_string());
    assert_eq!(kept.header("www-authenticate"), Some("Basic"));
}

#[test]
fn the_limit_of_events_and_the_refusal_of_s3_are_assumptions_too() {
    let assume = ["--assume", "event-limit=6291456", "--assume", "conditional-copy=not-implemented"];
    let running = Running::start(&assume);
    // In base64 and with the rest of its event it has a size between both limits.
    let body = "a".repeat(4_718_121);
    let event = Running::start(&[]).put("/size", &body).json()["event"].as_u64().unwrap();
    assert!((6_291_457..=6_291_556).contains(&event), "{event}");
    assert_eq!(running.put("/size", &body).status, 413);
    let (s3, _) = clients(&running.environment());
    runtime().block_on(async {
        let key = "docker/registry/v2/blobs/a";
        s3.put_object().bucket("berth").key(key).send().await.unwrap();
        let copy = s3.copy_object().bucket("berth").key("docker/registry/v2/blobs/b");
        let copy = copy.copy_source(format!("berth/{key}")).if_none_match("*").send().await.unwrap_err();
        assert_eq!(copy.raw_response().unwrap().status().as_u16(), 501);
    });
}

#[test]
fn a_wrong_argument_is_said_and_not_served() {
    for (arguments, code, said) in [
        (&["--front", "alb"][..], 2, "alb"),
        (&["--env", "NAME"], 2, "NAME"),
        (&["--template", "a.yaml", "--deployment", "b.json"], 2, "cannot be used with"),
        (&["--assume", "head-length"], 2, "is not NAME=VALUE"),
        (&["--assume", "head-lengths=none"], 2, "expected one of: function-url-challenge, http-api-challenge"),
        (&["--assume", "head-length=long"], 2, "expected one of: computed, none, kept"),
        (&["--front", "cloudfront", "--deployment", "b.json"], 1, "cannot be used with --deployment"),
        (&["--template", FRONTS, "--parameter", "Front=http-api"], 1, "set by --front"),
        (&["--template", FRONTS, "--bootstrap", "/nowhere/bootstrap"], 1, "/nowhere/bootstrap"),
        (&[], 1, "template.yaml cannot be read"), // there is none in the folder that tests run in
        (&["--template", "/nowhere.yaml"], 1, "/nowhere.yaml cannot be read"),
        (&["--deployment", "/nowhere.json"], 1, "/nowhere.json cannot be read"),
        (&["--template", TEMPLATE, "--parameter", "LogLevel=loud"], 1, "LogLevel"),
        (
            &["--template", TEMPLATE, "--front", "http-api", "--bootstrap", "/nowhere/bootstrap"],
            1,
            "/nowhere/bootstrap",
        ),
        (&["--template", PLAIN], 1, "has no parameter Front"),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_lambda-local")).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains(said), "{arguments:?}: {stderr}");
    }
}
