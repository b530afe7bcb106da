//! Logins that fail: one line that says what to do, nothing secret in it, and nothing changed.

use std::net::TcpListener;

use serde_json::json;

use crate::{
    desk::Desk,
    fake::{Fake, ok},
};

const BEFORE: &str = "{\"auths\": {\"b.example\": {\"auth\": \"eDp5\"}}}";

/// What `berth login` complains of at `host`, having changed nothing.
fn refused(desk: &Desk, arguments: &[&str], input: &str) -> String {
    desk.keep(BEFORE);
    let ended = desk.berth(&[&["login"], arguments].concat(), input);
    assert_eq!(desk.kept(), BEFORE);
    ended.refused(1).to_owned()
}

#[test]
fn without_aws_credentials_it_says_how_to_have_some_and_asks_nobody() {
    let registry = Fake::kind();
    let complaint = refused(&Desk::without_credentials(), &[&registry.host], "");
    for part in ["no AWS credentials", "AWS_ACCESS_KEY_ID", "AWS_PROFILE", "--username"] {
        assert!(complaint.contains(part), "{complaint}");
    }
    assert!(registry.asked().is_empty());
}

#[test]
fn credentials_that_are_not_to_be_had_are_explained() {
    let registry = Fake::kind();
    let desk = Desk::without_credentials().with("AWS_PROFILE", "nowhere");
    let complaint = refused(&desk, &[&registry.host], "");
    assert!(complaint.contains("nowhere"), "{complaint}");
    // The AWS CLI knows better where it is installed.
    desk.program("aws", "printf 'the SSO session\\n has \\033[31mended' >&2; exit 255");
    let complaint = refused(&desk, &[&registry.host], "");
    assert!(complaint.contains("the SSO session has") && !complaint.contains('\u{1b}'), "{complaint}");
    desk.program("aws", "echo '{\"SecretAccessKey\": \"half-a-secret'");
    let complaint = refused(&desk, &[&registry.host], "");
    assert!(complaint.contains("export-credentials") && !complaint.contains("half"), "{complaint}");
    assert!(registry.asked().is_empty());
}

#[test]
fn a_registry_that_refuses_is_quoted_but_not_into_the_terminal() {
    let registry = Fake::with_tokens(|_| {
        let errors =
            json!({ "errors": [{ "code": "UNAUTHORIZED", "message": "AWS does not\n\u{1b}[31m accept these" }] });
        ("401 Unauthorized".to_owned(), errors.to_string())
    });
    let complaint = refused(&Desk::new(), &[&registry.host], "");
    assert!(complaint.contains("AWS does not [31m accept these"), "{complaint:?}");
}

#[test]
fn a_password_that_the_registry_repeats_is_not() {
    let registry = Fake::with_tokens(|asked| {
        let message = format!("{:?} is wrong", asked.login());
        ("401 Unauthorized".to_owned(), json!({ "errors": [{ "message": message }] }).to_string())
    });
    let login = [&*registry.host, "--username", "alice", "--password-stdin"];
    let complaint = refused(&Desk::without_credentials(), &login, "wonderland");
    assert!(complaint.contains("401") && !complaint.contains("wonderland"), "{complaint}");
}

#[test]
fn a_registry_that_cannot_say_is_to_be_asked_again() {
    let registry = Fake::with_tokens(|_| ("503 Service Unavailable".to_owned(), String::new()));
    let complaint = refused(&Desk::new(), &[&registry.host], "");
    assert!(complaint.contains("503") && complaint.contains("try again"), "{complaint}");
}

#[test]
fn what_is_no_registry_with_tokens_gets_no_credentials() {
    let desk = Desk::new();
    let basic =
        Fake::start(|_, _| ("401 Unauthorized\r\nwww-authenticate: Basic realm=\"x\"".to_owned(), String::new()));
    let website = Fake::start(|_, _| ("404 Not Found".to_owned(), "<html>".to_owned()));
    let moved = Fake::start(|host, _| (format!("302 Found\r\nlocation: http://{host}/token?x"), String::new()));
    for (registry, part) in [(basic, "--username"), (website, "404"), (moved, "302")] {
        let complaint = refused(&desk, &[&registry.host], "");
        assert!(complaint.contains(part), "{complaint}");
        assert!(registry.asked().iter().all(|asked| asked.authorization.is_empty()), "{:?}", registry.asked());
    }
    let nothing = Fake::with_tokens(|_| ok("{}"));
    assert!(refused(&desk, &[&nothing.host], "").contains("no token"));
    // Taken from somebody who does not listen any more.
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let complaint = refused(&desk, &[&gone], "");
    assert!(complaint.contains("cannot be reached") && complaint.contains("refused"), "{complaint}");
}

#[test]
fn an_open_registry_needs_no_login() {
    let (desk, registry) = (Desk::new(), Fake::start(|_, _| ok("{}")));
    assert!(desk.berth(&["login", &registry.host], "").done().contains("asks nobody to log in"));
    assert!(!desk.docker().exists());
}

#[test]
fn a_configuration_that_is_not_docker_s_stays_and_nobody_is_asked() {
    let (desk, registry) = (Desk::new(), Fake::kind());
    for (broken, part) in [
        ("{\"auths\": {\"x\": \"hidden\" \"y\"}}", "line 1, column 26"),
        ("{\"auths\": \"hidden\"}", "auths"),
        ("{\"credHelpers\": [\"hidden\"]}", "credHelpers"),
        ("[]", "the file"),
    ] {
        desk.keep(broken);
        let ended = desk.berth(&["login", &registry.host], "");
        let complaint = ended.refused(1);
        assert!(complaint.contains("config.json") && complaint.contains(part), "{complaint}");
        assert!(!complaint.contains("hidden"), "{complaint}");
        assert_eq!(desk.kept(), broken);
    }
    assert!(registry.asked().is_empty());
}

#[test]
fn a_keychain_that_fails_is_named() {
    let (desk, registry) = (Desk::without_credentials(), Fake::kind());
    let login = ["login", &*registry.host, "--username", "alice", "--password-stdin"];
    desk.keep("{\"credsStore\": \"box\"}");
    assert!(desk.berth(&login, "wonderland").refused(1).contains("docker-credential-box"));
    for (script, part) in [("echo it is locked; exit 1", "it is locked"), ("read line; echo $line; exit 3", "3")] {
        desk.program("docker-credential-box", script);
        let ended = desk.berth(&login, "wonderland");
        let complaint = ended.refused(1);
        assert!(complaint.contains(part) && !complaint.contains("wonderland"), "{complaint}");
    }
    assert_eq!(desk.kept(), "{\"credsStore\": \"box\"}");
}

#[test]
fn bad_arguments_are_exit_code_2() {
    let desk = Desk::new();
    for arguments in [
        &["login"][..],
        &["login", "a.example/team"],
        &["login", "anna@a.example"],
        &["login", "a.example", "--username", "alice"],
        &["login", "a.example", "--password-stdin"],
        &["login", "a.example", "--once", "--username", "alice", "--password-stdin"],
        &["logout"],
    ] {
        assert_eq!(desk.berth(arguments, "").code, Some(2), "{arguments:?}");
    }
    let ended = desk.berth(&["login", "a.example", "--username", "alice", "--password-stdin"], "\n");
    assert!(ended.refused(1).contains("no password"));
}
