//! Every kind of caller, with the proof that such have, by every action at every route of every repository: what each is
//! told, and that storage is asked nothing for whoever is refused.

use std::{collections::BTreeMap, time::Duration};

use berth::{digest::Digest, http::Options};
use http::{Method, StatusCode};
use serde_json::json;

use super::{
    ask, bearer, get,
    world::{ANNA, DEPLOYER, Process, ROOT, STRANGER, World},
};
use crate::{
    access::{Wants, routes},
    auth::basic,
    client::{Answer, Body},
    registry::{Registry, Setup},
};

const RULES: &str = "
    allow user:alice                 to pull, push, delete, catalog on team/**
    allow key:*                      to pull, push         on builds/${key}/**
    allow role:123456789012/ci-*     to push, delete       on builds/${role}/**
    allow iamuser:123456789012/anna  to delete             on **
    allow account:123456789012       to pull, catalog      on team/*
    allow anonymous                  to pull               on public/*
";

const REPOSITORIES: [&str; 9] = [
    "team/app",
    "team/deep/app",
    "builds/nightly/app",
    "builds/ci-deploy/app",
    "builds/other/app",
    "gh/acme/app/image",
    "gh/evil/app/image",
    "public/base",
    "secret",
];

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Without a token.
    Nobody,
    /// With a token that says so.
    Anonymous,
    User,
    Key,
    Role,
    IamUser,
    Root,
    /// Of another account, by the name of one that is let in.
    OtherAccount,
    /// A job whose claims fit.
    Job,
    /// Another of the same issuer.
    OtherJob,
    /// The user, with a token for pulling from that repository alone.
    Narrow,
    /// The user, with a token for everything, that is over.
    Expired,
}

impl Kind {
    const ALL: [Self; 12] = [
        Self::Nobody,
        Self::Anonymous,
        Self::User,
        Self::Key,
        Self::Role,
        Self::IamUser,
        Self::Root,
        Self::OtherAccount,
        Self::Job,
        Self::OtherJob,
        Self::Narrow,
        Self::Expired,
    ];
}

/// Whether the rules above allow it, said once more in the simplest way.
fn rules_allow(kind: Kind, wants: Wants, repository: &str) -> bool {
    use Wants::{Catalog, Delete, Pull, Push};
    let lies = |folder: &str| repository.starts_with(&format!("{folder}/"));
    // What a stranger may, everybody may.
    if wants == Pull && lies("public") {
        return true;
    }
    let of_account = wants == Catalog || wants == Pull && repository == "team/app";
    match kind {
        Kind::User | Kind::Narrow | Kind::Expired => wants == Catalog || lies("team"),
        Kind::Key => matches!(wants, Pull | Push) && lies("builds/nightly"),
        Kind::Role => matches!(wants, Push | Delete) && lies("builds/ci-deploy") || of_account,
        Kind::IamUser => wants == Delete || of_account,
        Kind::Root => of_account,
        Kind::Job => matches!(wants, Pull | Push) && lies("gh/acme/app"),
        Kind::Nobody | Kind::Anonymous | Kind::OtherAccount | Kind::OtherJob => false,
    }
}

/// What becomes of it.
#[derive(Debug, PartialEq)]
enum Fate {
    Done,
    /// 401 without a word on a token.
    LogIn,
    /// 401: the token is wrong.
    Invalid,
    /// 401: another token would do.
    Insufficient,
    /// 403.
    Denied,
}

fn fate(kind: Kind, wants: Wants, repository: &str) -> Fate {
    let may = wants == Wants::Login || rules_allow(kind, wants, repository);
    match (kind, wants) {
        (Kind::Expired, _) => Fate::Invalid,
        (Kind::Nobody, Wants::Login) => Fate::LogIn,
        (Kind::Narrow, Wants::Push | Wants::Delete | Wants::Catalog) if may => Fate::Insufficient,
        _ if may => Fate::Done,
        (Kind::Nobody, _) => Fate::LogIn,
        // By another name it could be had.
        (Kind::Anonymous, _) => Fate::Insufficient,
        _ => Fate::Denied,
    }
}

fn seen(answer: &Answer) -> Fate {
    let challenge = answer.header("www-authenticate");
    match answer.status {
        401 if challenge.ends_with("error=\"invalid_token\"") => Fate::Invalid,
        401 if challenge.contains(",error=\"insufficient_scope\"") => Fate::Insufficient,
        401 if challenge.starts_with("Bearer realm=\"") && !challenge.contains("error") => Fate::LogIn,
        403 if challenge.is_empty() => Fate::Denied,
        status if status != 401 && status != 403 && status < 500 => Fate::Done,
        _ => panic!("{answer:?}"),
    }
}

/// A registry, and the login of each kind of caller.
struct Table {
    _world: World,
    registry: Registry,
    /// The same, some time ago.
    before: Registry,
    logins: BTreeMap<Kind, String>,
}

impl Table {
    async fn new() -> Self {
        let world = World::new().await;
        let issuer = world.emulators.oidc().issuer();
        let rules = format!("{RULES} allow oidc:{issuer} to pull, push on gh/${{repository}}/** if owner=acme");
        let registry = world.start(world.process(&rules)).await;
        let http = Options { access_log: false, host: Some(format!("http://{}", registry.addr)), ..Options::default() };
        let before = world.start(Process { behind: Duration::from_mins(10), http, ..world.process(&rules) }).await;
        let alice = basic("alice", "wonderland");
        let logins = BTreeMap::from([
            (Kind::User, alice.clone()),
            (Kind::Narrow, alice.clone()),
            (Kind::Expired, alice),
            (Kind::Key, world.key("nightly").await),
            (Kind::Role, world.aws(DEPLOYER, &registry)),
            (Kind::IamUser, world.aws(ANNA, &registry)),
            (Kind::Root, world.aws(ROOT, &registry)),
            (Kind::OtherAccount, world.aws(STRANGER, &registry)),
            (Kind::Job, world.oidc(&json!({ "repository": "acme/app", "owner": "acme" }))),
            (Kind::OtherJob, world.oidc(&json!({ "repository": "evil/app", "owner": "evil" }))),
        ]);
        Self { _world: world, registry, before, logins }
    }

    /// The token by which `kind` asks for what is in `repository`.
    async fn token(&self, kind: Kind, repository: &str) -> Option<String> {
        let scope = match kind {
            Kind::Nobody => return None,
            Kind::Narrow => format!("scope=repository:{repository}:pull"),
            // The last is where the routes would mount from.
            _ => format!(
                "scope=repository:{repository}:pull,push,delete&scope=registry:catalog:*&scope=repository:public/base:pull"
            ),
        };
        let giver = if kind == Kind::Expired { &self.before } else { &self.registry };
        Some(bearer(&get(giver, &scope, self.logins.get(&kind).map(String::as_str)).await))
    }
}

#[tokio::test]
async fn nothing_is_done_for_whoever_may_not_whatever_their_proof() {
    let table = Table::new().await;
    let driver = &table.registry.driver;
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for repository in REPOSITORIES {
        for kind in Kind::ALL {
            let token = table.token(kind, repository).await;
            for (method, target, wants) in routes(repository) {
                let before = driver.calls();
                let answer = ask(&table.registry, method.as_str(), &target, token.as_deref()).await;
                let (expected, asked) = (fate(kind, wants, repository), driver.calls() - before);
                let said = format!("{kind:?} {method} {target} wants {wants:?}: {answer:?}");
                assert_eq!(seen(&answer), expected, "{said}");
                *counts.entry(format!("{expected:?}")).or_default() += 1;
                if expected == Fate::Done {
                    continue;
                }
                assert_eq!(asked, 0, "storage was asked: {said}");
                if method != Method::HEAD {
                    let code = if expected == Fate::Denied { "DENIED" } else { "UNAUTHORIZED" };
                    answer.refused(answer.status, code);
                }
            }
        }
    }
    println!("{counts:?}");
    assert!(counts["Done"] > 250 && counts["Denied"] > 1000 && counts["Invalid"] > 150, "{counts:?}");
    assert!(driver.calls() > 0, "and for those who may, it was");
}

#[tokio::test]
async fn an_upload_that_goes_on_is_for_those_who_may_push_there() {
    let table = Table::new().await;
    let (repository, driver) = ("builds/nightly/app", &table.registry.driver);
    let owner = table.token(Kind::Key, repository).await.unwrap();
    let opened = ask(&table.registry, "POST", &format!("/v2/{repository}/blobs/uploads/"), Some(&owner)).await;
    let location = opened.is(202).header("location");
    let digest = Digest::canonical(b"content");
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Key) {
        // With what lets them push elsewhere, too.
        for scope in [repository, "team/app", "builds/ci-deploy/app", "gh/acme/app/image"] {
            let token = table.token(kind, scope).await;
            for (method, target) in [
                ("GET", location.clone()),
                ("PATCH", location.clone()),
                ("PUT", format!("{location}&digest={digest}")),
                ("DELETE", location.clone()),
            ] {
                let before = driver.calls();
                let headers: Vec<_> = token.iter().map(|token| ("authorization", token.as_str())).collect();
                let answer = table.registry.client().await.ask(method, &target, &headers, Body::Sized(b"")).await;
                assert_eq!(seen(&answer), fate(kind, Wants::Push, repository), "{kind:?} {method}");
                assert_eq!(driver.calls(), before, "storage was asked: {kind:?} {method}");
            }
        }
    }
    let headers = [("authorization", owner.as_str())];
    let target = format!("{location}&digest={digest}");
    table.registry.client().await.ask("PUT", &target, &headers, Body::Sized(b"content")).await.is(201);
}

#[tokio::test]
async fn the_catalog_shows_each_kind_what_they_may_pull() {
    let table = Table::new().await;
    let open = Setup { driver: table.registry.driver.clone(), ..Setup::default() }.start().await;
    for name in REPOSITORIES {
        open.push_blob(name, b"content").await;
    }
    for kind in Kind::ALL {
        let token = table.token(kind, "team/app").await;
        let answer = ask(&table.registry, "GET", "/v2/_catalog", token.as_deref()).await;
        if fate(kind, Wants::Catalog, "") != Fate::Done {
            assert!([401, 403].contains(&answer.status), "{kind:?} {answer:?}");
            continue;
        }
        let mut shown: Vec<&str> =
            REPOSITORIES.into_iter().filter(|name| rules_allow(kind, Wants::Pull, name)).collect();
        shown.sort_unstable();
        assert_eq!(answer.is(StatusCode::OK.as_u16()).json(), json!({ "repositories": shown }), "{kind:?}");
    }
}
