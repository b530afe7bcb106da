//! Who may do what: every kind of caller at every route, against what storage is asked.

use std::sync::Arc;

use berth::auth::Rules;
use http::{Method, StatusCode};

use crate::{
    auth::{basic, users},
    client::{Answer, Body},
    registry::{Registry, Setup},
};

pub(crate) const RULES: &str = "
    allow user:alice to pull, push, delete, catalog on team/**   # Alice is of the team
    allow user:*     to pull                        on home/${user}/**
    allow user:bob   to pull, catalog               on **; allow user:bob to push on inbox
    allow anonymous  to pull                        on public/*
";

async fn registry() -> Registry {
    Setup { access: Arc::new(users().with_rules(RULES.parse::<Rules>().unwrap())), ..Setup::default() }.start().await
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Who {
    Nobody,
    Mallory,
    Alice,
    Bob,
}

impl Who {
    pub(crate) const ALL: [Self; 4] = [Self::Nobody, Self::Mallory, Self::Alice, Self::Bob];

    pub(crate) fn login(self) -> Option<String> {
        match self {
            Self::Nobody => None,
            // Says to be Alice.
            Self::Mallory => Some(basic("alice", "looking-glass")),
            Self::Alice => Some(basic("alice", "wonderland")),
            Self::Bob => Some(basic("bob", "pass:word")),
        }
    }
}

/// What a route wants, said once more in the simplest way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Wants {
    Pull,
    Push,
    Delete,
    Catalog,
    Login,
}

/// Every route with every method that it has, in `repository`.
pub(crate) fn routes(repository: &str) -> Vec<(Method, String, Wants)> {
    let digest = format!("sha256:{}", "0".repeat(64));
    let upload = "00000000-0000-7000-8000-000000000000";
    let at = |method: Method, path: &str, wants| (method, format!("/v2/{repository}/{path}"), wants);
    let (get, head, delete) = (Method::GET, Method::HEAD, Method::DELETE);
    let manifest = format!("manifests/{digest}");
    let blob = format!("blobs/{digest}");
    let session = format!("blobs/uploads/{upload}");
    vec![
        (get.clone(), "/v2/".to_owned(), Wants::Login),
        (get.clone(), "/v2/_catalog".to_owned(), Wants::Catalog),
        at(get.clone(), "tags/list", Wants::Pull),
        at(get.clone(), &format!("referrers/{digest}"), Wants::Pull),
        at(get.clone(), "manifests/latest", Wants::Pull),
        at(head.clone(), &manifest, Wants::Pull),
        at(Method::PUT, "manifests/latest", Wants::Push),
        at(delete.clone(), &manifest, Wants::Delete),
        at(delete.clone(), "manifests/latest", Wants::Delete),
        at(get.clone(), &blob, Wants::Pull),
        at(head, &blob, Wants::Pull),
        at(delete.clone(), &blob, Wants::Delete),
        at(Method::POST, "blobs/uploads/", Wants::Push),
        at(Method::POST, &format!("blobs/uploads/?mount={digest}&from=public/base"), Wants::Push),
        at(get, &session, Wants::Push),
        at(Method::PATCH, &session, Wants::Push),
        at(Method::PUT, &format!("{session}?digest={digest}"), Wants::Push),
        at(delete, &session, Wants::Push),
        // Not allowed to anyone, but only those who may change something hear that.
        at(Method::POST, "tags/list", Wants::Push),
    ]
}

/// Whether the rules above allow it, said once more in the simplest way.
pub(crate) fn may(who: Who, wants: Wants, repository: &str) -> bool {
    match (who, wants) {
        (Who::Mallory, _) | (Who::Nobody, Wants::Login) => false,
        // What a stranger may, everybody may.
        (_, Wants::Pull) if repository.starts_with("public/") => true,
        (Who::Nobody, _) => false,
        (_, Wants::Login | Wants::Catalog) => true,
        (Who::Alice, _) if repository.starts_with("team/") => true,
        (Who::Alice, wants) => wants == Wants::Pull && repository.starts_with("home/alice/"),
        (Who::Bob, Wants::Pull) => true,
        (Who::Bob, wants) => wants == Wants::Push && repository == "inbox",
    }
}

async fn ask(registry: &Registry, who: Who, method: &Method, target: &str) -> Answer {
    let login = who.login();
    let headers: Vec<_> = login.iter().map(|login| ("authorization", login.as_str())).collect();
    registry.client().await.ask(method.as_str(), target, &headers, Body::Sized(b"")).await
}

#[tokio::test]
async fn nothing_is_done_for_whoever_may_not() {
    let registry = registry().await;
    let repositories = ["team/app", "team/deep/app", "teams", "home/alice/x", "home/bob/x", "public/base", "inbox"];
    let (mut allowed, mut refused) = (0, 0);
    for repository in repositories {
        for (method, target, wants) in routes(repository) {
            for who in Who::ALL {
                let before = registry.driver.calls();
                let answer = ask(&registry, who, &method, &target).await;
                let asked = registry.driver.calls() - before;
                let said = format!("{who:?} {method} {target}: {answer:?}");
                if may(who, wants, repository) {
                    assert!(answer.status != 401 && answer.status != 403, "{said}");
                    allowed += 1;
                    continue;
                }
                refused += 1;
                let known = matches!(who, Who::Alice | Who::Bob);
                let expected = if known { StatusCode::FORBIDDEN } else { StatusCode::UNAUTHORIZED };
                assert_eq!(answer.status, expected.as_u16(), "{said}");
                assert_eq!(answer.all("www-authenticate").len(), usize::from(!known), "{said}");
                if method != Method::HEAD {
                    answer.refused(expected.as_u16(), if known { "DENIED" } else { "UNAUTHORIZED" });
                }
                assert_eq!(asked, 0, "storage was asked: {said}");
            }
        }
    }
    println!("{allowed} allowed, {refused} refused, of {} combinations", allowed + refused);
    assert!(allowed > 100 && refused > 200, "{allowed} {refused}");
}

#[tokio::test]
async fn a_refusal_says_who_may_not_do_what_and_nothing_of_what_there_is() {
    let registry = registry().await;
    let answer = ask(&registry, Who::Alice, &Method::GET, "/v2/secret/app/tags/list").await;
    answer.refused(403, "DENIED");
    let said = "user:alice may not pull from secret/app; whoever runs this registry can allow it by a rule";
    assert!(String::from_utf8(answer.body).unwrap().contains(said));
}

#[tokio::test]
async fn the_catalog_shows_what_may_be_pulled_page_by_page() {
    let registry = registry().await;
    let open = Setup { driver: registry.driver.clone(), ..Setup::default() }.start().await;
    for name in ["a", "home/alice/x", "home/bob/x", "public/base", "team/a", "team/b", "team/c", "z"] {
        open.push_blob(name, b"content").await;
    }
    for (who, expected) in [
        (Who::Alice, &["home/alice/x", "public/base", "team/a", "team/b", "team/c"][..]),
        (Who::Bob, &["a", "home/alice/x", "home/bob/x", "public/base", "team/a", "team/b", "team/c", "z"]),
    ] {
        for size in [1, 2, 3, 100] {
            let mut seen = Vec::new();
            let mut next = Some(format!("/v2/_catalog?n={size}"));
            while let Some(target) = next {
                let answer = ask(&registry, who, &Method::GET, &target).await;
                let page: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
                let names = page["repositories"].as_array().unwrap();
                assert!(names.len() <= size, "{who:?} {names:?}");
                seen.extend(names.iter().map(|name| name.as_str().unwrap().to_owned()));
                let link = answer.all("link").first().map(|link| link.to_string());
                next = link.map(|link| link[1..link.find('>').unwrap()].to_owned());
            }
            assert_eq!(seen, expected, "{who:?} by {size}");
        }
        ask(&registry, who, &Method::GET, "/v2/_catalog?n=0").await.is(200);
    }
}

#[tokio::test]
async fn what_may_not_be_read_is_not_mounted_and_looks_as_if_it_were_not_there() {
    let registry = registry().await;
    let open = Setup { driver: registry.driver.clone(), ..Setup::default() }.start().await;
    let digest = open.push_blob("secret/app", b"content").await;
    open.push_blob("home/alice/x", b"content").await;
    let mount = |from: &str| format!("/v2/team/app/blobs/uploads/?mount={digest}&from={from}");

    // The same answer for what is there and may not be read, and for what is not there.
    ask(&registry, Who::Alice, &Method::POST, "/v2/team/app/blobs/uploads/").await.is(202);
    for from in ["secret/app", "secret/none", "team/none"] {
        let before = registry.driver.calls();
        let answer = ask(&registry, Who::Alice, &Method::POST, &mount(from)).await;
        answer.is(202);
        assert!(answer.body.is_empty() && !answer.has("docker-content-digest"), "{answer:?}");
        // What may not be read is not looked at either, so that not even the time that it takes tells.
        let may_read = from.starts_with("team/");
        assert_eq!(registry.driver.calls() > before, may_read, "{from}");
    }
    // From anywhere, it could come from where she may not read.
    let anywhere = format!("/v2/team/app/blobs/uploads/?mount={digest}");
    ask(&registry, Who::Alice, &Method::POST, &anywhere).await.is(202);
    ask(&registry, Who::Alice, &Method::GET, &format!("/v2/team/app/blobs/{digest}")).await.is(404);

    ask(&registry, Who::Alice, &Method::POST, &mount("home/alice/x")).await.is(201);
    ask(&registry, Who::Alice, &Method::GET, &format!("/v2/team/app/blobs/{digest}")).await.is(200);
    // Bob may read everything.
    ask(&registry, Who::Bob, &Method::POST, &anywhere.replace("team/app", "inbox")).await.is(201);
}

#[tokio::test]
async fn an_upload_is_its_repositorys_alone() {
    let registry = registry().await;
    let opened = ask(&registry, Who::Alice, &Method::POST, "/v2/team/app/blobs/uploads/").await;
    let location = opened.header("location").to_owned();
    for other in [location.replace("/team/app/", "/team/other/"), location.replace("/team/app/", "/inbox/")] {
        let who = if other.contains("inbox") { Who::Bob } else { Who::Alice };
        ask(&registry, who, &Method::PATCH, &other).await.refused(404, "BLOB_UPLOAD_INVALID");
    }
    // The signed state in it opens no door.
    ask(&registry, Who::Nobody, &Method::PATCH, &location).await.refused(401, "UNAUTHORIZED");
    ask(&registry, Who::Bob, &Method::DELETE, &location).await.refused(403, "DENIED");
    ask(&registry, Who::Alice, &Method::DELETE, &location).await.is(204);
}

#[test]
fn what_is_no_rule_is_said() {
    let wrong = |text: &str| text.parse::<berth::auth::Rules>().unwrap_err().to_string();
    let form = "not of the form: allow WHO to ACTIONS on REPOSITORIES [if CLAIM=PATTERN ..]";
    for text in [
        "allow",
        "deny user:a to pull on x",
        "allow user:a pull on x",
        "allow user:a to on x",
        "allow user:a to pull on x y",
    ] {
        assert_eq!(wrong(text), format!("line 1: {form}"), "{text}");
    }
    assert_eq!(
        wrong("\n# x\nallow bob to pull on x"),
        "line 3: \"bob\" is nobody; allowed: anonymous, user:NAME, key:NAME, account:ID, role:ID/NAME, iamuser:ID/NAME, oidc:ISSUER"
    );
    assert_eq!(
        wrong("allow user: to pull on x"),
        "line 1: \"user:\" is nobody; allowed: anonymous, user:NAME, key:NAME, account:ID, role:ID/NAME, iamuser:ID/NAME, oidc:ISSUER"
    );
    assert_eq!(
        wrong("allow user:a to read on x"),
        "line 1: \"read\" is no action; allowed: pull, push, delete, catalog"
    );
    assert_eq!(wrong("allow anonymous to pull on home/${user}"), "line 1: \"${user}\" is not known of anonymous");
    assert_eq!(wrong("allow user:a to pull on ${x"), "line 1: \"${x\" is not known of user:a");
}
