//! `berth keys`: API keys and the signing key, in the storage of a registry.

use std::fs;

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
    let first = rotate(&[]);
    let before = file();
    let second = rotate(&[]);
    assert_ne!(first, second);
    let name = |said: &str| said.rsplit(' ').next().unwrap().to_owned();
    assert!(file().contains(&name(&first)) && file().contains(&name(&second)), "the one before still verifies");
    let third = rotate(&["--drop"]);
    assert!(!file().contains(&name(&first)) && !file().contains(&name(&second)) && file().contains(&name(&third)));
    for said in [&first, &second, &third] {
        assert!(said.len() < 100 && !before.contains(&said[..]), "{said}");
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
