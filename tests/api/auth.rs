//! Who is let in: users with a password.

use std::{fs, path::Path, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth::auth::{
    AccessController,
    htpasswd::{Htpasswd, Users},
};

use crate::{
    client::{Answer, Body},
    registry::{Registry, Setup},
};

/// Made with `htpasswd -nbB -C 4`: alice's password is "wonderland", bob's is "pass:word".
pub(crate) const ALICE: &str = "alice:$2y$04$jiJtvhzNaht1A.DuAMxGqO28xA5iWb0VS8GmE39hV3S/FuchCr1L2";
pub(crate) const BOB: &str = "bob:$2y$04$v4mKa7xv0QpbmJrrGDZDZOYlK9nKXHj5gGRL6WAsQi1bkwNzd.9m.";

pub(crate) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

async fn registry(access: impl AccessController + 'static) -> Registry {
    Setup { access: Arc::new(access), ..Setup::default() }.start().await
}

/// Alice and Bob.
pub(crate) fn users() -> Htpasswd {
    Htpasswd::new("the \"registry\"", Users::parse_value(&format!("{ALICE},{BOB}")).unwrap())
}

async fn known() -> Registry {
    registry(users()).await
}

async fn ask(registry: &Registry, method: &str, target: &str, authorization: Option<&str>) -> Answer {
    let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
    registry.client().await.ask(method, target, &headers, Body::None).await
}

#[tokio::test]
async fn nobody_gets_anything_and_is_asked_to_log_in() {
    let registry = known().await;
    let digest = format!("sha256:{}", "0".repeat(64));
    for (method, target) in [
        ("GET", "/v2/".to_owned()),
        ("GET", "/v2/_catalog".to_owned()),
        ("GET", "/v2/repo/tags/list".to_owned()),
        ("GET", "/v2/repo/manifests/latest".to_owned()),
        ("DELETE", format!("/v2/repo/manifests/{digest}")),
        ("GET", format!("/v2/repo/blobs/{digest}")),
        ("POST", "/v2/repo/blobs/uploads/".to_owned()),
        ("GET", format!("/v2/repo/referrers/{digest}")),
        // Whether a path exists is nobody's business either.
        ("GET", "/nowhere".to_owned()),
    ] {
        let answer = ask(&registry, method, &target, None).await;
        answer.refused(401, "UNAUTHORIZED");
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"the \\\"registry\\\"\", charset=\"UTF-8\"");
        assert_eq!(answer.header("docker-distribution-api-version"), "registry/2.0");
    }
    ask(&registry, "HEAD", "/v2/", None).await.is(401);
    assert!(registry.holds().await.is_empty());
}

#[tokio::test]
async fn users_are_known_by_name_and_password() {
    let registry = known().await;
    for (name, password, status) in [
        ("alice", "wonderland", 200),
        // A second time, as it is remembered.
        ("alice", "wonderland", 200),
        ("bob", "pass:word", 200),
        ("alice", "Wonderland", 401),
        ("alice", "", 401),
        ("bob", "wonderland", 401),
        ("carol", "wonderland", 401),
        ("", "", 401),
    ] {
        let answer = ask(&registry, "GET", "/v2/", Some(&basic(name, password))).await;
        assert_eq!(answer.status, status, "{name} {password}");
    }
}

#[tokio::test]
async fn what_is_no_login_is_none() {
    let registry = known().await;
    let right = basic("alice", "wonderland");
    ask(&registry, "GET", "/v2/", Some(&right.replace("Basic", "bAsIc"))).await.is(200);
    let long = format!("Basic {}", "QQ".repeat(5000));
    for wrong in ["Basic", "Basic !", "Basic YWxpY2U=", "Basic /w==", "Bearer abc", "", &long, &right[6..]] {
        ask(&registry, "GET", "/v2/", Some(wrong)).await.refused(401, "UNAUTHORIZED");
    }
}

#[tokio::test]
async fn who_is_known_pushes_and_pulls() {
    let registry = known().await;
    let login = basic("bob", "pass:word");
    let digest = berth::digest::Digest::canonical(b"content").to_string();
    let mut client = registry.client().await;
    let headers = [("authorization", login.as_str())];
    let target = format!("/v2/repo/blobs/uploads/?digest={digest}");
    client.ask("POST", &target, &headers, Body::Sized(b"content")).await.is(201);
    client.ask("GET", &format!("/v2/repo/blobs/{digest}"), &headers, Body::None).await.is(200);
}

pub(crate) fn write(file: &Path, text: &str) {
    // By renaming, as editors do; the length tells the contents apart within one tick of the clock.
    let fresh = file.with_extension("new");
    fs::write(&fresh, text).unwrap();
    fs::rename(fresh, file).unwrap();
}

#[tokio::test]
async fn a_file_of_users_is_read_again_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("htpasswd");
    write(&file, &format!("# the users\n\n  {ALICE}\n{BOB}\n"));
    let registry = registry(Htpasswd::open("realm", &file).unwrap()).await;
    let status = async |name, password| ask(&registry, "GET", "/v2/", Some(&basic(name, password))).await.status;
    assert_eq!((status("alice", "wonderland").await, status("bob", "pass:word").await), (200, 200));

    write(&file, &format!("{ALICE}\n"));
    assert_eq!((status("alice", "wonderland").await, status("bob", "pass:word").await), (200, 401));

    // Alice has Bob's password now, and what is remembered of hers counts no more.
    write(&file, &format!("{}\n\n", BOB.replace("bob", "alice")));
    assert_eq!((status("alice", "wonderland").await, status("alice", "pass:word").await), (401, 200));

    // A slip of the editor locks nobody out.
    write(&file, "alice\n");
    assert_eq!((status("alice", "pass:word").await, status("bob", "pass:word").await), (200, 401));
    fs::remove_file(&file).unwrap();
    assert_eq!(status("alice", "pass:word").await, 200);
}

#[test]
fn what_is_wrong_with_users_is_said_without_their_hashes() {
    let wrong = |text: &str| Users::parse_file(text).map(|_| ()).unwrap_err().to_string();
    assert_eq!(wrong("# nobody\n"), "names no user; make a line for one with: htpasswd -nB NAME");
    assert_eq!(wrong(&format!("{ALICE}\nbob\n")), "entry 2: not NAME:HASH; make one with: htpasswd -nB NAME");
    assert_eq!(wrong(&format!(":{}", &ALICE[6..])), "entry 1: not NAME:HASH; make one with: htpasswd -nB NAME");
    for hash in ["secret", "{SHA}2jmj7l5rSw0yVb/vlWAYkK/YBwk=", "$apr1$abc$def", &ALICE[6..65], ""] {
        let said = wrong(&format!("\nalice:{hash}"));
        let expected = "entry 2: the hash of \"alice\" is not bcrypt's ($2y$..); make one with: htpasswd -nB alice";
        assert_eq!(said, expected, "{hash}");
    }
    assert_eq!(wrong(&format!("{ALICE}\n{ALICE}")), "entry 2: \"alice\" is there a second time; leave one");
}
