//! `berth keys`: API keys, and what signs tokens and uploads, in the storage of a registry.

use std::fs;

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use berth::digest::Digest;
use bytes::Bytes;
use http::{Method, StatusCode};
use serde_json::Value;

use crate::{
    desk::Desk,
    login_served::ALICE,
    support::{
        http::{Answer, Http},
        process::Served,
    },
};

#[test]
fn a_key_is_shown_once_listed_and_revoked() {
    let desk = Desk::without_credentials();
    let keys = |arguments: &[&str]| desk.berth(&[&["keys"], arguments, &["--data", "data"]].concat(), "");
    assert_eq!(keys(&["list"]).said, "");

    let made = keys(&["create", "ci", "--expires", "90d"]);
    let key = made.done();
    let secret = key.strip_prefix("berth_key_").expect("a key that scanners know");
    assert_eq!(secret.len(), 43);
    assert_ne!(keys(&["create", "ci"]).done(), key);
    keys(&["create", "laptop"]).done();

    let list = keys(&["list"]).said;
    let names: Vec<&str> = list.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(names, ["ci", "ci", "laptop"]);
    assert_eq!(list.matches("good until revoked").count(), 2, "{list}");
    assert!(!list.contains(secret));
    let mut files = 0;
    for entry in fs::read_dir(desk.path("data/berth/keys/api")).unwrap() {
        let path = entry.unwrap().path();
        let content = fs::read_to_string(&path).unwrap();
        assert!(!content.contains(secret) && !path.to_str().unwrap().contains(secret), "it is not kept");
        files += 1;
    }
    assert_eq!(files, 3);

    assert_eq!(keys(&["revoke", "ci"]).done(), "revoked 2 keys");
    assert!(keys(&["revoke", "ci"]).refused(1).contains("no API key"));
    assert!(keys(&["list"]).said.starts_with("laptop\t"));
}

/// The keys that lie in `data` below `place`, as they are stored.
fn stored(desk: &Desk, place: &str, field: &str) -> Vec<String> {
    let Ok(text) = fs::read_to_string(desk.path("data/berth").join(place)) else { return Vec::new() };
    let kept: Value = serde_json::from_str(&text).unwrap();
    kept["keys"].as_array().unwrap().iter().map(|key| key[field].as_str().unwrap().to_owned()).collect()
}

fn signing(desk: &Desk) -> Vec<String> {
    stored(desk, "keys/signing/current", "pkcs8")
}

fn uploads(desk: &Desk) -> Vec<String> {
    stored(desk, "secrets/uploads", "secret")
}

#[test]
fn what_signs_is_rotated_and_never_shown() {
    let desk = Desk::without_credentials();
    let rotate = |more: &[&str]| {
        let ended = desk.berth(&[&["keys", "rotate", "--data", "data"], more].concat(), "");
        assert_eq!((ended.code, &*ended.complained), (Some(0), ""));
        ended.said
    };
    let first = rotate(&[]);
    assert!(first.starts_with("made the signing key ") && first.ends_with("\nmade a secret for uploads\n"), "{first}");
    let (keys, secrets) = (signing(&desk), uploads(&desk));
    assert_eq!((keys.len(), secrets.len()), (1, 1));

    // Each by itself, and those before still verify.
    let second = rotate(&["tokens"]);
    assert!(second.starts_with("made the signing key ") && second.lines().count() == 1 && !first.contains(&second));
    assert_eq!((signing(&desk).len(), uploads(&desk)), (2, secrets.clone()));
    assert!(signing(&desk).contains(&keys[0]));
    assert_eq!(rotate(&["uploads"]), "made a secret for uploads\n");
    assert_eq!((signing(&desk).len(), uploads(&desk).len()), (2, 2));
    assert!(uploads(&desk).contains(&secrets[0]));

    let before = [signing(&desk), uploads(&desk)].concat();
    let third = rotate(&["--drop"]);
    let last = [signing(&desk), uploads(&desk)].concat();
    assert!(last.len() == 2 && last.iter().all(|one| !before.contains(one)), "those before verify no more");
    for said in [&first, &second, &third] {
        assert!(before.iter().chain(&last).all(|secret| !said.contains(&secret[..])), "{said}");
    }
}

#[test]
fn a_secret_that_is_configured_is_changed_there() {
    let desk = Desk::without_credentials().with("REGISTRY_HTTP_SECRET", "a-secret-that-all-instances-share");
    let ended = desk.berth(&["keys", "rotate", "uploads", "--data", "data"], "");
    assert!(ended.refused(1).contains("http.secret"), "{ended:?}");
    assert!(desk.berth(&["keys", "rotate", "--data", "data"], "").done().starts_with("made the signing key "));
    assert_eq!((signing(&desk).len(), uploads(&desk).len()), (1, 0));
}

/// Uploads `content` through a registry that gives out tokens, and returns everything that it has said.
async fn upload(http: &Http, content: &'static [u8]) -> String {
    let digest = Digest::canonical(content);
    let opened = http.post("/v2/app/blobs/uploads/").await;
    let sent = http.send(Method::PATCH, opened.header("location"), &[], Bytes::from_static(content)).await;
    let wrong = format!("{}x", sent.header("location"));
    assert_eq!(http.send(Method::PATCH, &wrong, &[], Bytes::new()).await.status, StatusCode::NOT_FOUND);
    let closed = http.put(&sent.closing(&digest), &[], Bytes::new()).await;
    assert_eq!(closed.status, StatusCode::CREATED, "{closed:?}");
    let text = |answer: &Answer| format!("{answer:?}");
    [text(&opened), text(&sent), text(&closed)].concat()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_signs_is_never_in_a_log() {
    let desk = Desk::without_credentials();
    let data = desk.path("data").display().to_string();
    let yaml = format!(
        "
version: 0.1
storage: {{filesystem: {{rootdirectory: '{data}'}}}}
auth:
  htpasswd: {{users: '{ALICE}'}}
  berth: {{aws: false}}
  rules: allow user:alice to pull, push on **
"
    );
    let mut said = String::new();
    for turn in [&["keys", "rotate", "--data", "data"][..], &["keys", "rotate", "--drop", "--data", "data"]] {
        // As much as it can say. What it makes itself, and what it reads that a command has made.
        let variables = [("RUST_LOG", "trace".to_owned())];
        let served = Served::start_at(&desk.path("."), &yaml, "127.0.0.1:0", &variables);
        let http = Http::new(&served.host).with_login("Basic YWxpY2U6d29uZGVybGFuZA==".to_owned());
        said += &upload(&http, b"content").await;
        let secrets = [signing(&desk), uploads(&desk)].concat();
        assert!(secrets.len() >= 2);
        let ended = desk.berth(turn, "");
        assert_eq!(ended.code, Some(0), "{ended:?}");
        said += &format!("{ended:?}");
        said += &fs::read_to_string(desk.path("log")).unwrap();
        assert!(said.contains("path=\"/token\""), "it has a log");
        for secret in secrets.iter().chain(&[signing(&desk), uploads(&desk)].concat()) {
            let bytes = STANDARD.decode(secret).unwrap();
            // The last bytes of a key (PKCS#8) are its public half, and its first are the same in all.
            let bytes = if bytes.len() == 32 { &bytes[..] } else { &bytes[36..68] };
            let listed = format!("{bytes:?}");
            for form in
                [STANDARD.encode(bytes), URL_SAFE_NO_PAD.encode(bytes), hex::encode(bytes), listed, secret.clone()]
            {
                assert!(!said.contains(&form), "it says {form}");
            }
        }
    }
}

#[test]
fn what_cannot_be_is_refused() {
    let desk = Desk::without_credentials();
    for (arguments, code, part) in [
        (&["keys", "create", "a b"][..], 1, "no name of a key"),
        (&["keys", "create", "ci", "--expires", "9999999999w"], 1, "--expires"),
        (&["keys", "list", "--config", "missing.yml"], 2, "missing.yml"),
    ] {
        let ended = desk.berth(arguments, "");
        assert!(ended.refused(code).contains(part), "{ended:?}");
    }
    assert_eq!(desk.berth(&["keys", "create", "ci", "--expires", "soon"], "").code, Some(2));
    let memory = desk.with("REGISTRY_STORAGE", "inmemory");
    assert!(memory.berth(&["keys", "list"], "").refused(2).contains("storage.inmemory"));
}
