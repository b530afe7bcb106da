//! `berth policy check`: decisions, and why.

use std::fs;

use crate::desk::{Desk, Ended};

const RULES: &str = "# who may do what
allow user:alice to pull, push on team/**
allow role:123456789012/ci-* to push on builds/${role}/*
allow account:123456789012 to pull, catalog on **
allow oidc:https://issuer.example.com to push on gh/${repository}/* if ref=refs/heads/*
allow anonymous to pull on public/*
";

fn check(desk: &Desk, question: &str) -> Ended {
    let arguments: Vec<&str> = ["policy", "check"].into_iter().chain(question.split(' ')).collect();
    desk.berth(&arguments, "")
}

#[test]
fn decisions_name_the_rule() {
    let desk = Desk::without_credentials();
    fs::write(desk.path("rules"), RULES).unwrap();
    let gh = "--as oidc:https://issuer.example.com --action push --repo gh/acme/app/x --claim repository=acme/app";
    let gh = gh.replace("gh/acme/app/x --claim repository=acme/app", "gh/acme/x --claim repository=acme");
    for (question, line) in [
        ("--as user:alice --action push --repo team/app", Some(2)),
        ("--as user:bob --action push --repo team/app", None),
        ("--as key:alice --action push --repo team/app", None),
        ("--as user:alice --action delete --repo team/app", None),
        ("--as role:123456789012/ci-x --action push --repo builds/ci-x/app", Some(3)),
        ("--as role:123456789012/ci-x --action push --repo builds/ci-y/app", None),
        ("--as account:123456789012 --action pull --repo a/b/c", Some(4)),
        ("--as iamuser:123456789012/anna --action catalog", Some(4)),
        ("--as user:alice --action catalog", None),
        (&format!("{gh} --claim ref=refs/heads/main"), Some(5)),
        (&format!("{gh} --claim ref=refs/tags/v1"), None),
        (&*gh, None),
        ("--as anonymous --action pull --repo public/app", Some(6)),
        ("--as anonymous --action pull --repo team/app", None),
    ] {
        let ended = check(&desk, &format!("{question} --rules rules"));
        assert_eq!(ended.code, Some(i32::from(line.is_none())), "{question}: {ended:?}");
        match line {
            Some(line) => {
                let rule = RULES.lines().nth(line - 1).unwrap();
                assert!(ended.said.starts_with("allowed: "), "{ended:?}");
                assert!(ended.said.contains(&format!("line {line} of rules: {rule}")), "{question}: {ended:?}");
            }
            None => assert!(ended.said.starts_with("refused: no rule of rules lets "), "{question}: {ended:?}"),
        }
        assert_eq!((ended.said.lines().count(), &*ended.complained), (1, ""));
    }
}

#[test]
fn a_configuration_says_it_as_the_registry_reads_it() {
    let users = "alice:$2y$04$jiJtvhzNaht1A.DuAMxGqO28xA5iWb0VS8GmE39hV3S/FuchCr1L2";
    let auth = format!("version: 0.1\nauth:\n  htpasswd: {{users: \"{users}\"}}\n");
    let desk = Desk::without_credentials();
    fs::write(desk.path("open.yml"), "version: 0.1\n").unwrap();
    fs::write(desk.path("users.yml"), &auth).unwrap();
    fs::write(desk.path("rules.yml"), format!("{auth}  rules: allow user:alice to pull on team/*\n")).unwrap();
    let berth = "version: 0.1\nauth:\n  berth: {keys: false}\n  rules: allow key:ci to pull on **; allow account:123456789012 to pull on **\n";
    fs::write(desk.path("berth.yml"), berth).unwrap();
    for (who, file, code, part) in [
        ("anonymous", "open.yml", 0, "no auth"),
        ("user:alice", "users.yml", 0, "may do everything"),
        ("anonymous", "users.yml", 1, "has to log in"),
        ("key:ci", "users.yml", 1, "no proof of being key:ci"),
        ("account:123456789012", "berth.yml", 0, "line 2 of auth.rules"),
        // What a rule says of those whom nobody can be counts for nothing.
        ("key:ci", "berth.yml", 1, "no proof of being key:ci"),
        ("user:alice", "berth.yml", 1, "no proof of being user:alice"),
        ("oidc:https://issuer.example.com", "berth.yml", 1, "no proof of being oidc:"),
        ("user:alice", "rules.yml", 0, "line 1 of auth.rules"),
        ("user:bob", "rules.yml", 1, "no rule"),
    ] {
        let ended = check(&desk, &format!("--as {who} --action pull --repo team/app --config {file}"));
        assert_eq!(ended.code, Some(code), "{who} {file}: {ended:?}");
        assert!(ended.said.contains(part) && !ended.said.contains("$2y$"), "{ended:?}");
    }
}

#[test]
fn what_nobody_can_tell_is_exit_code_2() {
    let desk = Desk::without_credentials();
    fs::write(desk.path("rules"), RULES).unwrap();
    fs::write(desk.path("wrong"), "\nallow everybody to pull on **\n").unwrap();
    for (question, part) in [
        ("--as nobody --action pull --repo a --rules rules", "allowed: anonymous, user:NAME"),
        ("--as role:1/x --action pull --repo a --rules rules", "12 digits"),
        ("--as user:a --action fly --repo a --rules rules", "fly"),
        ("--as user:a --action pull --repo A --rules rules", "A"),
        ("--as user:a --action pull --rules rules", "--repo"),
        ("--as user:a --action pull --repo a --rules rules --claim a=b", "--claim"),
        ("--as oidc:https://x --action pull --repo a --rules rules --claim a", "NAME=VALUE"),
        ("--as user:a --action pull --repo a --rules missing", "missing"),
        ("--as user:a --action pull --repo a --rules wrong", "line 2"),
        ("--as user:a --action pull --repo a --config missing.yml", "missing.yml"),
    ] {
        let ended = check(&desk, question);
        assert_eq!((ended.code, &*ended.said), (Some(2), ""), "{question}: {ended:?}");
        assert!(ended.complained.contains(part), "{question}: {ended:?}");
    }
}
