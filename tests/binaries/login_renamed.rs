//! `berth login` where a front end renames the challenge, or the 401 arrives as 300.

use crate::{
    desk::Desk,
    fake::{Fake, TOKEN, Told, ok},
    login::is_proof,
};

/// A registry with a token service, whose 401 has this status line and `name` for the header of its challenge, which
/// asks for a token at `realm`.
fn registry(status: &'static str, name: &'static str, realm: Option<&'static str>) -> Fake {
    Fake::start(move |host, asked| {
        if asked.target.starts_with("/token?") {
            return ok(&format!("{{\"token\":\"{TOKEN}\"}}"));
        }
        if asked.authorization == format!("Bearer {TOKEN}") {
            return ok("{}");
        }
        let realm = realm.map_or_else(|| format!("http://{host}/token"), str::to_owned);
        unauthorized(status, name, &format!("Bearer realm=\"{realm}\",service=\"s\""))
    })
}

fn unauthorized(status: &str, name: &str, challenge: &str) -> Told {
    let carried = if status.starts_with("300") { "\r\nx-berth-status: 401" } else { "" };
    (format!("{status}\r\n{name}: {challenge}{carried}"), String::new())
}

#[test]
fn every_name_of_the_challenge_leads_to_a_login() {
    for (status, name) in [
        ("401 Unauthorized", "WWW-Authenticate"),
        ("401 Unauthorized", "x-berth-challenge"),
        ("401 Unauthorized", "x-amzn-Remapped-www-authenticate"),
        ("300 Multiple Choices", "x-berth-challenge"),
    ] {
        let (desk, registry) = (Desk::new(), registry(status, name, None));
        let ended = desk.berth(&["login", &registry.host], "");
        assert!(ended.done().contains("as role:123456789012/Deployer"), "{status} {name}");
        is_proof(&registry.login().1, &registry.host);
    }
}

#[test]
fn a_refusal_that_arrives_as_300_is_one() {
    let registry =
        Fake::with_tokens(|_| unauthorized("300 Multiple Choices", "x-berth-challenge", "Basic realm=\"x\""));
    let ended = Desk::new().berth(&["login", &registry.host], "");
    assert!(ended.refused(1).contains("refuses this login: 401"), "{ended:?}");
    // Of a web server it is none.
    let website = Fake::start(|_, _| ("300 Multiple Choices".to_owned(), String::new()));
    let ended = Desk::new().berth(&["login", &website.host], "");
    assert!(ended.refused(1).contains("300"), "{ended:?}");
}

#[test]
fn no_password_is_sent_where_others_could_read_it() {
    for name in ["www-authenticate", "x-berth-challenge", "x-amzn-remapped-www-authenticate"] {
        for realm in ["http://localhost:1/token", "http://registry.example.com/token", "ftp://127.0.0.1/token"] {
            let registry = registry("401 Unauthorized", name, Some(realm));
            let ended = Desk::new().berth(&["login", &registry.host], "");
            assert!(ended.refused(1).contains("nothing was sent"), "{ended:?}");
            assert!(registry.asked().iter().all(|asked| asked.authorization.is_empty()), "{:?}", registry.asked());
        }
    }
}
