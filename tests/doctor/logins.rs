//! Credentials that are missing, wrong or expired, and helpers that cannot be run.

use serde_json::json;

use crate::{
    desk::Desk,
    fake::{Fake, host, nothing},
    server::reply,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_logged_in() {
    let server = Fake::default().start(nothing).await;
    let name = host(&server);
    let report = Desk::new().doctor(&name, &[], "");
    report.fails("login", "nobody is logged in", &format!("berth login {name}"));
    assert!(report.skipped("push").contains("needs login"));
}

/// A registry that gives a token to anyone, for what its rules allow anonymous clients.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_logged_in_where_anonymous_clients_get_a_token() {
    let anonymous = |asked: &crate::server::Asked| match asked.header("authorization") {
        None if asked.target.starts_with("/token") => Some(reply(200, &[], r#"{"token":"anonymous"}"#)),
        Some("Bearer anonymous") if asked.target == "/v2/" => Some(reply(200, &[], "{}")),
        _ => None,
    };
    let server = Fake::default().start(anonymous).await;
    let name = host(&server);
    let report = Desk::new().doctor(&name, &[], "");
    report.fails("login", "nobody is logged in", &format!("berth login {name}"));
    assert!(report.skipped("push").contains("needs login"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_is_wrong() {
    let server = Fake::default().start(nothing).await;
    let (name, login) = (host(&server), ["--username", "alice", "--password-stdin"]);
    let report = Desk::new().doctor(&name, &login, "mirror-image");
    report.fails("login", "wrong name or password", "log in again");
    assert!(!report.ended.said.contains("mirror-image"));
}

/// A server that repeats what it was shown, everywhere it can.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_the_registry_repeats_is_not_printed() {
    let body = |asked: &crate::server::Asked| {
        let shown = asked.header("authorization").unwrap_or("nothing").to_owned();
        json!({ "errors": [{ "code": "UNAUTHORIZED", "message": format!("wonderland is wrong, and {shown}") }] })
    };
    let server = Fake::default()
        .start(move |asked| Some(reply(401, &[("www-authenticate", "Basic realm=\"x\"")], body(asked).to_string())))
        .await;
    let report = Desk::new().doctor_as_alice(&host(&server), &[]);
    report.fails("login", "*** is wrong, and Basic ***", "log in again");
    assert!(!report.ended.said.contains("YWxpY2U6d29uZGVybGFuZA"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tokens_and_aws_sessions_that_have_expired() {
    let refused = |asked: &crate::server::Asked| {
        let body =
            r#"{"errors":[{"code":"UNAUTHORIZED","message":"the security token included in the request is expired"}]}"#;
        asked.target.starts_with("/token").then(|| reply(401, &[], body))
    };
    let server = Fake::default().start(refused).await;
    let (desk, name) = (Desk::new(), host(&server));
    desk.program("docker-credential-berth", "exit 1");
    desk.keep(&json!({ "credHelpers": { &name: "berth" } }).to_string());
    let report = desk.doctor(&name, &[], "");
    report.ok("credential-helper");
    report.fails("login", "security token included in the request is expired", "aws sts get-caller-identity");

    desk.keep(&json!({ "auths": { &name: { "registrytoken": "an-old-token" } } }).to_string());
    let report = desk.doctor(&name, &[], "");
    report.fails("login", "401", "has expired");
    assert!(!report.ended.said.contains("an-old-token"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aws_credentials_that_are_not_there() {
    let server = Fake::default().start(nothing).await;
    let (desk, name) = (Desk::without_credentials(), host(&server));
    desk.program("docker-credential-berth", "exit 1");
    desk.keep(&json!({ "credHelpers": { &name: "berth" } }).to_string());
    desk.doctor(&name, &[], "").fails("login", "no AWS credentials found", "--username NAME --password-stdin");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_helper_that_is_missing() {
    let server = Fake::default().start(nothing).await;
    let (desk, name) = (Desk::new(), host(&server));
    let report = desk.doctor_as_alice(&name, &[]);
    assert!(report.skipped("credential-helper").ends_with("docker-credential-berth is not in PATH"));

    desk.keep(&json!({ "credHelpers": { &name: "berth" } }).to_string());
    let problem = format!("names docker-credential-berth for {name}, and no folder of PATH has it");
    desk.doctor_as_alice(&name, &[]).fails("credential-helper", &problem, "make install");

    desk.program("docker-credential-berth", "exit 1");
    assert!(desk.doctor_as_alice(&name, &[]).ok("credential-helper").contains("/bin/docker-credential-berth"));

    desk.keep(&json!({ "credsStore": "vault" }).to_string());
    desk.doctor_as_alice(&name, &[]).fails("credential-helper", "docker-credential-vault", "install");
    // Without --username its login is asked for, too.
    assert_eq!(desk.doctor(&name, &[], "").failed(), ["credential-helper", "login"]);

    desk.keep("{ broken");
    desk.doctor_as_alice(&name, &[]).fails("credential-helper", "config.json", "repair");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_command_line_asks_nobody() {
    let desk = Desk::new();
    for arguments in [
        &["doctor"][..],
        &["doctor", "a.example/team"],
        &["doctor", "a.example", "--username", "alice"],
        &["doctor", "a.example", "--repository", "UPPER"],
    ] {
        assert_eq!(desk.berth(arguments, "").code, Some(2), "{arguments:?}");
    }
    let ended = desk.berth(&["doctor", "a.example", "--username", "alice", "--password-stdin"], "\n");
    assert!(ended.refused(1).contains("no password"));
}
