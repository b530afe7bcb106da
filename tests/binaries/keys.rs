//! `berth keys`: API keys and the signing key, in the storage of a registry.

use std::fs;

use serde_json::Value;

use crate::desk::Desk;

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

#[test]
fn the_signing_key_is_rotated_and_never_shown() {
    let desk = Desk::without_credentials();
    let rotate =
        |more: &[&str]| desk.berth(&[&["keys", "rotate", "--data", "data"], more].concat(), "").done().to_owned();
    let file = || fs::read_to_string(desk.path("data/berth/keys/signing/current")).unwrap();
    let secrets = || -> Vec<String> {
        let kept: Value = serde_json::from_str(&file()).unwrap();
        kept["keys"].as_array().unwrap().iter().map(|key| key["pkcs8"].as_str().unwrap().to_owned()).collect()
    };
    let first = rotate(&[]);
    let before = secrets();
    let second = rotate(&[]);
    assert_ne!(first, second, "each has a name of its own");
    let both = secrets();
    assert_eq!((before.len(), both.len()), (1, 2));
    assert!(both.contains(&before[0]), "the one before still verifies");
    let third = rotate(&["--drop"]);
    let last = secrets();
    assert_eq!(last.len(), 1);
    assert!(!both.contains(&last[0]), "those before verify no more");
    for said in [&first, &second, &third] {
        assert!(both.iter().chain(&last).all(|secret| !said.contains(&secret[..])), "{said}");
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
