//! `berth login` and `berth logout`: what reaches the registry, and what Docker's configuration then says.

use std::{fs, os::unix::fs::PermissionsExt as _};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};

use crate::{
    desk::{Desk, SECRETS},
    fake::Fake,
};

/// Asserts that `password` is an AWS proof for `host` (`docs/authentication.md`, "The AWS proof").
pub(crate) fn is_proof(password: &str, host: &str) {
    let proof = password.strip_prefix("berth-aws-v1.").expect("an AWS proof");
    let proof = String::from_utf8(URL_SAFE_NO_PAD.decode(proof).expect("base64url")).unwrap();
    let (url, bound) = proof.split_once('#').expect("a host behind the URL");
    assert_eq!(bound, host, "it is for that registry alone");
    let query = url.strip_prefix("https://sts.eu-central-1.amazonaws.com/?").expect("the STS of the region");
    for part in [
        "Action=GetCallerIdentity",
        "Version=2011-06-15",
        "X-Amz-Algorithm=AWS4-HMAC-SHA256",
        "X-Amz-SignedHeaders=host%3Bx-berth-registry",
        "X-Amz-Expires=900",
    ] {
        assert!(query.split('&').any(|pair| pair == part), "{part} in {query}");
    }
    assert!(query.contains("X-Amz-Credential=AKIDEXAMPLEEXAMPLE00%2F"), "{query}");
    assert!(!query.contains(SECRETS[0]), "the secret key is not sent");
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn aws_credentials_log_in_and_the_helper_takes_over() {
    let (desk, registry) = (Desk::new(), Fake::kind());
    let host = &registry.host;
    let said = desk.berth(&["login", host], "");
    let said = said.done();
    for part in
        [host.as_str(), "as role:123456789012/Deployer", "docker-credential-berth", desk.docker().to_str().unwrap()]
    {
        assert!(said.contains(part), "{said}");
    }
    let (name, password) = registry.login();
    assert_eq!(name, "aws");
    is_proof(&password, host);
    assert!(!said.contains(&password));

    let targets: Vec<String> = registry.asked().into_iter().map(|asked| asked.target).collect();
    let service = host.replace('.', "%2E").replace(':', "%3A");
    assert_eq!(targets, ["/v2/", &format!("/token?account=aws&client_id=berth&service={service}"), "/v2/"]);
    assert_eq!(json(&desk.kept()), json!({ "credHelpers": { host: "berth" } }));
    assert_eq!(fs::metadata(desk.docker()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(desk.path("docker")).unwrap().permissions().mode() & 0o777, 0o700);

    assert!(desk.berth(&["logout", host], "").done().starts_with("logged out of"));
    assert_eq!(desk.kept(), "{}\n");
    assert!(desk.berth(&["logout", host], "").done().starts_with("not logged in to"));
}

#[test]
fn what_else_is_in_the_configuration_stays_as_it_was() {
    let (desk, registry) = (Desk::new(), Fake::kind());
    let host = &registry.host;
    let before = "{\n\t\"z\": {\n\t\t\"big\": 12345678901234567890123, \"e\": 1.50e3\n\t},\n\t\"auths\": {\n\t\t\
                  \"b.example\": {\n\t\t\t\"auth\": \"eDp5\"\n\t\t}\n\t},\n\t\"a\": [ 1,2 ]\n}\n";
    desk.keep(before);
    fs::set_permissions(desk.docker(), fs::Permissions::from_mode(0o644)).unwrap();
    desk.berth(&["login", host], "").done();
    let added = format!("\t\"a\": [ 1,2 ],\n\t\"credHelpers\": {{\n\t\t\"{host}\": \"berth\"\n\t}}\n}}\n");
    assert_eq!(desk.kept(), before.replace("\t\"a\": [ 1,2 ]\n}\n", &added));
    assert_eq!(fs::metadata(desk.docker()).unwrap().permissions().mode() & 0o777, 0o600);
    desk.berth(&["logout", host], "").done();
    assert_eq!(desk.kept(), before);
    let left: Vec<_> = fs::read_dir(desk.path("docker")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["config.json"], "nothing is left beside it");
}

#[test]
fn a_configuration_that_is_elsewhere_is_replaced_there() {
    let (desk, registry) = (Desk::new(), Fake::kind());
    fs::create_dir(desk.path("docker")).unwrap();
    fs::create_dir(desk.path("dotfiles")).unwrap();
    fs::write(desk.path("dotfiles/docker.json"), "{}").unwrap();
    std::os::unix::fs::symlink(desk.path("dotfiles/docker.json"), desk.docker()).unwrap();
    desk.berth(&["login", &registry.host], "").done();
    assert!(fs::symlink_metadata(desk.docker()).unwrap().is_symlink());
    assert!(fs::read_to_string(desk.path("dotfiles/docker.json")).unwrap().contains("berth"));
}

#[test]
fn once_keeps_a_password_and_no_helper() {
    let (desk, registry) = (Desk::new(), Fake::kind());
    let host = &registry.host;
    desk.keep(&json!({ "credHelpers": { host: "berth", "b.example": "ecr-login" } }).to_string());
    desk.berth(&["login", "--once", host], "").done();
    let kept = json(&desk.kept());
    assert_eq!(kept["credHelpers"], json!({ "b.example": "ecr-login" }));
    let (name, password) = registry.login();
    is_proof(&password, host);
    assert_eq!(kept["auths"], json!({ host: { "auth": STANDARD.encode(format!("{name}:{password}")) } }));
    desk.berth(&["logout", host], "").done();
    assert_eq!(json(&desk.kept()), json!({ "credHelpers": { "b.example": "ecr-login" }, "auths": {} }));

    // And a later login by the helper forgets it.
    desk.berth(&["login", "--once", host], "").done();
    desk.berth(&["login", host], "").done();
    assert_eq!(json(&desk.kept())["auths"], json!({}));
}

#[test]
fn a_user_logs_in_with_a_password_by_tokens_or_without() {
    let desk = Desk::without_credentials();
    let basic = Fake::start(|_, asked| match &*asked.authorization {
        "" => ("401 Unauthorized\r\nwww-authenticate: Basic realm=\"x\"".to_owned(), String::new()),
        _ => ("200 OK".to_owned(), "{}".to_owned()),
    });
    for registry in [Fake::kind(), basic] {
        let host = &registry.host;
        let ended = desk.berth(&["login", host, "--username", "alice", "--password-stdin"], "wonder:land\n");
        assert!(!ended.done().contains("wonder"));
        let login = registry.asked().iter().find(|asked| asked.authorization.starts_with("Basic")).unwrap().login();
        assert_eq!(login, ("alice".to_owned(), "wonder:land".to_owned()));
        assert_eq!(json(&desk.kept())["auths"][host], json!({ "auth": STANDARD.encode("alice:wonder:land") }));
    }
}

#[test]
fn a_password_goes_to_the_keychain_that_docker_uses() {
    let (desk, registry) = (Desk::without_credentials(), Fake::kind());
    let host = &registry.host;
    desk.program(
        "docker-credential-box",
        "while read line; do echo \"$1 $line\" >> box; done; [ -z \"$line\" ] || echo \"$1 $line\" >> box",
    );
    desk.keep(&json!({ "credsStore": "box" }).to_string());
    desk.berth(&["login", host, "--username", "alice", "--password-stdin"], "wonderland").done();
    assert_eq!(json(&desk.kept()), json!({ "credsStore": "box", "auths": { host: {} } }));
    desk.berth(&["logout", host], "").done();
    let told = fs::read_to_string(desk.path("box")).unwrap();
    let (stored, erased) = told.trim_end().split_once('\n').unwrap();
    let stored = json(stored.strip_prefix("store ").unwrap());
    assert_eq!(stored, json!({ "ServerURL": host, "Username": "alice", "Secret": "wonderland" }));
    assert_eq!(erased, format!("erase {host}"));
}

#[test]
fn credentials_that_only_the_aws_cli_has_will_do() {
    let (desk, registry) = (Desk::without_credentials(), Fake::kind());
    let keys = json!({ "Version": 1, "AccessKeyId": "AKIDEXAMPLEEXAMPLE00", "SecretAccessKey": SECRETS[0], "SessionToken": SECRETS[1] });
    desk.program("aws", &format!("[ \"$*\" = 'configure export-credentials --format process' ] && echo '{keys}'"));
    desk.berth(&["login", &registry.host], "").done();
    is_proof(&registry.login().1, &registry.host);
}
