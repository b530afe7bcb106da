//! `docker-credential-berth`: Docker's credential helper protocol.

use serde_json::{Value, json};

use crate::{
    desk::{Desk, Ended},
    login::is_proof,
};

/// Word for word what Docker's clients compare (docker-credential-helpers, `credentials/error.go`).
const NOT_FOUND: &str = "credentials not found in native keychain\n";

fn failed(ended: &Ended) -> &str {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    &ended.said
}

#[test]
fn every_get_makes_a_fresh_password() {
    let desk = Desk::new();
    for (asked, host) in [
        ("registry.example.com", "registry.example.com"),
        ("localhost:5000\n", "localhost:5000"),
        ("https://registry.example.com/v2/", "registry.example.com"),
    ] {
        let answers = [desk.helper(&["get"], asked), desk.berth(&["credential-helper", "get"], asked)];
        for answer in answers {
            assert_eq!((answer.code, &*answer.complained), (Some(0), ""));
            let answer: Value = serde_json::from_str(&answer.said).unwrap();
            assert_eq!((&answer["ServerURL"], &answer["Username"]), (&json!(asked.trim()), &json!("aws")));
            is_proof(answer["Secret"].as_str().unwrap(), host);
            assert_eq!(answer.as_object().unwrap().len(), 3);
        }
    }
}

#[test]
fn without_credentials_clients_go_on_as_nobody_and_people_learn_why() {
    let ended = Desk::without_credentials().helper(&["get"], "registry.example.com");
    assert_eq!(failed(&ended), NOT_FOUND);
    assert!(ended.complained.contains("no AWS credentials"), "{ended:?}");
    // Credentials that are there and fail are no reason to go on.
    let ended = Desk::without_credentials().with("AWS_PROFILE", "nowhere").helper(&["get"], "registry.example.com");
    assert!(failed(&ended).contains("nowhere"), "{ended:?}");
}

#[test]
fn asked_for_every_registry_it_answers_for_its_own() {
    let desk = Desk::new();
    desk.keep(&json!({ "credsStore": "berth", "credHelpers": { "a.example": "berth", "c.example": "x" } }).to_string());
    for other in ["b.example", "c.example", "https://index.docker.io/v1/"] {
        assert_eq!(failed(&desk.helper(&["get"], other)), NOT_FOUND, "{other}");
        let login = json!({ "ServerURL": other, "Username": "x", "Secret": "hidden" }).to_string();
        let ended = desk.helper(&["store"], &login);
        assert!(failed(&ended).contains("another credential helper") && !ended.said.contains("hidden"), "{ended:?}");
    }
    assert_eq!(desk.helper(&["get"], "a.example").code, Some(0));
    let list: Value = serde_json::from_str(&desk.helper(&["list"], "").said).unwrap();
    assert_eq!(list, json!({ "a.example": "aws" }));
}

#[test]
fn it_keeps_nothing() {
    let desk = Desk::new();
    let login = json!({ "ServerURL": "a.example", "Username": "aws", "Secret": "hidden" }).to_string();
    for (verb, input) in [("store", &*login), ("erase", "a.example")] {
        let ended = desk.helper(&[verb], input);
        assert_eq!((ended.code, &*ended.said, &*ended.complained), (Some(0), "", ""), "{verb}");
    }
    assert_eq!(desk.helper(&["list"], "unused").said, "{}\n");
    assert!(!desk.docker().exists());
    assert!(desk.helper(&["version"], "").said.starts_with("docker-credential-berth "));
}

#[test]
fn bad_input_is_said_to_be_so() {
    let desk = Desk::new();
    let long = "a".repeat(1 << 20);
    for (arguments, input, part) in [
        (&[][..], "", "allowed: get, store"),
        (&["take"], "", "allowed: get, store"),
        (&["get\u{1b}[31m"], "", "allowed: get, store"),
        (&["get"], "", "no credentials server URL"),
        (&["get"], " \n", "no credentials server URL"),
        (&["get"], "anna@a.example", "no registry"),
        (&["get"], "a.example\nb.example", "no registry"),
        (&["get"], &long, "no registry"),
        (&["store"], "hidden", "not JSON"),
        (&["store"], "{\"Secret\": \"hidden\"}", "not JSON"),
        (&["erase"], "", "no credentials server URL"),
    ] {
        let ended = desk.helper(arguments, input);
        let said = failed(&ended);
        assert!(said.contains(part) && said.len() < 500 && said.lines().count() == 1, "{arguments:?}: {said}");
        assert!(!said.contains("hidden") && !said.contains('\u{1b}'), "{said}");
    }
    desk.keep("{\"auths\": \"hidden\"}");
    assert!(failed(&desk.helper(&["get"], "a.example")).contains("config.json"));
}
