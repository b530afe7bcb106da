//! The token service, and who is let in by its tokens.

use std::sync::Arc;

use async_trait::async_trait;
use berth::{
    auth::{
        Identity, Rules,
        proof::{Offer, ProofError, Verifier},
        token::{Bearer, SigningKeys, TokenService},
    },
    context::Context,
    distribution::{BackendError, BackendErrorKind},
    storage::StoredKeys,
};
use serde_json::{Value, json};

use crate::{
    auth::{basic, users},
    client::{Answer, Body},
    registry::{Registry, Setup},
};
use forge::Hands;

#[path = "tokens/attacks.rs"]
mod attacks;
#[path = "tokens/edge.rs"]
mod edge;
#[path = "tokens/external.rs"]
mod external;
#[path = "tokens/forge.rs"]
pub(crate) mod forge;
#[path = "tokens/keys.rs"]
mod keys;
#[path = "tokens/kinds.rs"]
mod kinds;
#[path = "tokens/passwords.rs"]
mod passwords;
#[path = "tokens/refresh.rs"]
mod refresh;
#[path = "tokens/table.rs"]
mod table;
#[path = "tokens/unavailable.rs"]
mod unavailable;
#[path = "tokens/world.rs"]
mod world;

const RULES: &str = "
    allow user:alice to pull, push, delete, catalog on team/**
    allow user:*     to pull                        on home/${user}/**
    allow user:bob   to pull, catalog               on **
    allow key:ci     to push                        on inbox
    allow anonymous  to pull                        on public/*
";

/// Takes passwords that begin with `key-`, and fails for those that begin with `down-`.
struct Keys;

#[async_trait]
impl Verifier for Keys {
    async fn verify(&self, _: &Context, offer: &Offer<'_>) -> Result<Option<Identity>, ProofError> {
        let role = || {
            let principal = berth::auth::Principal::Role("Deployer".to_owned());
            Identity::Aws(berth::auth::AwsIdentity { account: "123456789012".to_owned(), principal })
        };
        match offer.password.split_once('-') {
            Some(("key", name)) => Ok(Some(Identity::Key(name.to_owned()))),
            Some(("aws", host)) if host == offer.host => Ok(Some(role())),
            Some(("aws", _)) => Err(ProofError::Wrong("the proof is bound to another host".to_owned())),
            Some(("down", _)) => Err(BackendError::new(BackendErrorKind::Failed, "secret-host is down").into()),
            _ => Ok(None),
        }
    }
}

fn set_up(hands: &Hands, rules: Option<&str>, setup: Setup) -> Setup {
    let keys = Arc::new(SigningKeys::new(Arc::new(StoredKeys::signing(setup.driver.clone())), hands.clock()));
    let rules = rules.map(|rules| Arc::new(rules.parse::<Rules>().unwrap()));
    let verifiers: Vec<Arc<dyn Verifier>> = vec![Arc::new(Keys), Arc::new(users())];
    let tokens = Arc::new(TokenService::new(keys.clone(), rules.clone(), verifiers));
    let access = Bearer::new(keys, rules).with_passwords(tokens.clone());
    Setup { access: Arc::new(access), tokens: Some(tokens), ..setup }
}

async fn registry(hands: &Hands) -> Registry {
    set_up(hands, Some(RULES), Setup::default()).start().await
}

async fn ask(registry: &Registry, method: &str, target: &str, authorization: Option<&str>) -> Answer {
    let headers: Vec<_> = authorization.map(|value| ("authorization", value)).into_iter().collect();
    registry.client().await.ask(method, target, &headers, Body::Sized(b"")).await
}

/// The answer of `/token` to `query` by this login.
async fn get(registry: &Registry, query: &str, login: Option<&str>) -> Answer {
    ask(registry, "GET", &format!("/token?{query}"), login).await
}

/// The answer of `/token` to a form.
async fn post(registry: &Registry, form: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    registry.client().await.ask("POST", "/token", &headers, Body::Sized(form.as_bytes())).await
}

/// The token, as it is sent.
fn bearer(answer: &Answer) -> String {
    answer.is(200);
    assert_eq!(answer.header("cache-control"), "no-store");
    let said = answer.json();
    assert_eq!(said["token"], said["access_token"]);
    assert_eq!(said["expires_in"], 300);
    format!("Bearer {}", said["token"].as_str().unwrap())
}

/// What a token grants.
fn granted(bearer: &str) -> Value {
    forge::read(bearer.strip_prefix("Bearer ").unwrap()).1["access"].clone()
}

/// Alice's token for `scope`.
async fn alice(registry: &Registry, scope: &str) -> String {
    bearer(&get(registry, &format!("scope={scope}"), Some(&basic("alice", "wonderland"))).await)
}

#[tokio::test]
async fn a_client_finds_its_way_in_by_the_challenges() {
    let registry = registry(&Hands::new()).await;
    let host = registry.addr.to_string();
    let issuer = format!("Bearer realm=\"http://{host}/token\",service=\"{host}\"");
    let challenge = |answer: &Answer| answer.refused(401, "UNAUTHORIZED").header("www-authenticate");
    assert_eq!(challenge(&ask(&registry, "GET", "/v2/", None).await), issuer);

    let (pull, uploads) = ("/v2/team/app/tags/list", "/v2/team/app/blobs/uploads/");
    let digest = registry_digest();
    for (method, target, scope) in [
        ("GET", pull, "repository:team/app:pull"),
        ("POST", uploads, "repository:team/app:pull,push"),
        ("DELETE", &format!("/v2/team/app/manifests/{digest}"), "repository:team/app:delete"),
        ("GET", "/v2/_catalog", "registry:catalog:*"),
    ] {
        assert_eq!(challenge(&ask(&registry, method, target, None).await), format!("{issuer},scope=\"{scope}\""));
        let query = format!("account=alice&service={host}&scope={scope}&client_id=docker&offline_token=true");
        let token = bearer(&get(&registry, &query, Some(&basic("alice", "wonderland"))).await);
        let status = ask(&registry, method, target, Some(&token)).await.status;
        assert!(![401, 403].contains(&status), "{method} {target}: {status}");
        ask(&registry, "GET", "/v2/", Some(&token)).await.is(200);
    }

    // A token for less is enough for less, and says what is missing for more.
    let token = alice(&registry, "repository:team/app:pull").await;
    ask(&registry, "GET", pull, Some(&token.replace("Bearer", "bEARER"))).await.is(404);
    let missing = ask(&registry, "POST", uploads, Some(&token)).await;
    let expected = format!("{issuer},scope=\"repository:team/app:pull,push\",error=\"insufficient_scope\"");
    assert_eq!(challenge(&missing), expected);
    // Nobody's token too, and where it is enough for all that anybody may, to log in is said where Docker reads it.
    let nobody = bearer(&get(&registry, "scope=repository:team/app:pull", None).await);
    let missing = ask(&registry, "GET", "/v2/public/app/tags/list", Some(&nobody)).await;
    let expected = format!("{issuer},scope=\"repository:public/app:pull\",error=\"insufficient_scope\"");
    assert_eq!(challenge(&missing), expected);
    let missing = ask(&registry, "GET", pull, Some(&nobody)).await;
    let expected = format!("{issuer},scope=\"repository:team/app:pull\",error=\"insufficient_scope\"");
    let advice = "log in first: this is not for everybody";
    assert_eq!(challenge(&missing), format!("{expected},error_description=\"{advice}\""));
    assert_eq!(missing.json()["errors"][0]["message"], advice);
    // What no token would grant her is refused for good.
    ask(&registry, "GET", "/v2/other/tags/list", Some(&token)).await.refused(403, "DENIED");
    // What is no token is not taken.
    for wrong in ["Bearer", "Bearer a.b.c", "Bearer ", "Basic", "Digest username=\"alice\""] {
        assert!(challenge(&ask(&registry, "GET", "/v2/", Some(wrong)).await).starts_with(&issuer), "{wrong}");
    }
}

fn registry_digest() -> String {
    format!("sha256:{}", "0".repeat(64))
}

#[tokio::test]
async fn a_token_grants_what_is_asked_and_allowed() {
    let registry = registry(&Hands::new()).await;
    let entry = |name: &str, actions: &[&str]| json!({ "type": "repository", "name": name, "actions": actions });
    let (alice, bob) = (basic("alice", "wonderland"), basic("bob", "pass:word"));
    for (login, scopes, expected) in [
        (Some(&alice), "scope=repository:team/app:pull,push", json!([entry("team/app", &["pull", "push"])])),
        (Some(&alice), "scope=repository:team/app:*", json!([entry("team/app", &["pull", "push", "delete"])])),
        (Some(&bob), "scope=repository:team/app:pull,push", json!([entry("team/app", &["pull"])])),
        (
            Some(&alice),
            "scope=repository:team/a:push&scope=repository:home/alice/x:pull,push%20repository:home/bob/x:pull",
            json!([entry("team/a", &["push"]), entry("home/alice/x", &["pull"])]),
        ),
        (Some(&bob), "scope=registry:catalog:*", json!([{ "type": "registry", "name": "catalog", "actions": ["*"] }])),
        (Some(&alice), "scope=repository:secret:pull", json!([])),
        (Some(&alice), "scope=", json!([])),
        (Some(&alice), "", json!([])),
        (None, "scope=repository:public/x:pull,push", json!([entry("public/x", &["pull"])])),
        (None, "scope=repository:team/app:pull", json!([])),
    ] {
        let token = bearer(&get(&registry, scopes, login.map(String::as_str)).await);
        assert_eq!(granted(&token), expected, "{login:?} {scopes}");
    }
    for scopes in ["scope=repository:host:5000/a:pull", "scope=x", &"scope=repository:a:pull&".repeat(65)] {
        let answer = get(&registry, scopes, Some(&alice)).await;
        assert_eq!(answer.refused(400, "UNSUPPORTED").header("cache-control"), "no-store");
    }
    get(&registry, "service=another.example.com", Some(&alice)).await.refused(400, "UNSUPPORTED");
    for method in ["PUT", "DELETE", "PATCH"] {
        assert_eq!(
            ask(&registry, method, "/token", None).await.refused(405, "UNSUPPORTED").header("allow"),
            "GET, HEAD, POST"
        );
    }
}

#[tokio::test]
async fn a_token_says_who_has_it() {
    let hands = Hands::new();
    let registry = registry(&hands).await;
    let host = registry.addr.to_string();
    let said = get(&registry, "", Some(&basic("x", "key-ci"))).await.json();
    assert_eq!(said.get("refresh_token"), None);
    let issued_at = said["issued_at"].as_str().unwrap();
    assert!(issued_at.starts_with("20") && issued_at.ends_with('Z'), "{issued_at}");
    let (header, claims) = forge::read(said["token"].as_str().unwrap());
    assert_eq!((&header["alg"], &header["typ"]), (&json!("ES256"), &json!("berth-access+jwt")));
    let now = hands.now();
    let id = claims["jti"].as_str().unwrap();
    let expected = json!({
        "iss": host, "aud": host, "sub": "key:ci", "exp": now + 300, "nbf": now, "iat": now, "jti": id,
        "access": [], "berth": { "key": "ci" },
    });
    assert_eq!(claims, expected);
    let another = get(&registry, "", Some(&basic("x", "key-ci"))).await.json();
    assert_ne!(forge::read(another["token"].as_str().unwrap()).1["jti"], id);
}

#[tokio::test]
async fn a_wrong_proof_gets_nothing() {
    let registry = registry(&Hands::new()).await;
    let long = "x".repeat(10_000);
    for login in [
        basic("alice", "wrong"),
        basic("mallory", "wonderland"),
        basic("", ""),
        basic("a\"b\r\nx: y\u{0}é", "x"),
        basic(&long, "x"),
        basic("x", "aws-evil.example.com"),
        "Basic !".to_owned(),
        "Bearer x".to_owned(),
        String::new(),
    ] {
        let answer = get(&registry, "scope=repository:public/x:pull", Some(&login)).await;
        answer.refused(401, "UNAUTHORIZED");
        let base = format!("Basic realm=\"http://{}\", charset=\"UTF-8\"", registry.addr);
        assert_eq!(answer.header("www-authenticate"), base, "{login}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    // A proof for this host, and one that is said by who is not asked.
    let host = registry.addr.to_string();
    bearer(&get(&registry, "", Some(&basic("x", &format!("aws-{host}")))).await);
    let login = basic("x", "aws-evil.example.com");
    let headers = [("authorization", login.as_str()), ("x-forwarded-host", "evil.example.com")];
    let answer = registry.client().await.ask("GET", "/token", &headers, Body::None).await;
    answer.refused(401, "UNAUTHORIZED");

    let megabyte = format!("grant_type=password&username=alice&password={}", "x".repeat(1 << 20));
    let before = registry.driver.calls();
    let mut client = registry.client().await;
    client.send("POST", "/token", &[("content-type", "application/x-www-form-urlencoded")], Body::Sized(b"")).await;
    client.answer(false).await.refused(400, "UNSUPPORTED");
    let head = format!(
        "POST /token HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n",
        megabyte.len()
    );
    client.write(head.as_bytes()).await;
    client.answer(false).await.refused(413, "SIZE_INVALID");
    assert_eq!(registry.driver.calls(), before, "nothing was asked of storage");
}

#[tokio::test]
async fn oauth_gives_the_same_by_a_form_and_refreshes_it() {
    let hands = Hands::new();
    let registry = registry(&hands).await;
    let host = registry.addr.to_string();
    let login = "grant_type=password&username=alice&password=wonderland&client_id=x";
    let scopes = "scope=repository:team/app:pull,push+repository:secret:pull";
    let answer = post(&registry, &format!("{login}&service={host}&{scopes}&access_type=offline")).await;
    let token = bearer(&answer);
    assert_eq!(answer.json()["scope"], "repository:team/app:pull,push");
    ask(&registry, "GET", "/v2/team/app/tags/list", Some(&token)).await.is(404);
    assert_eq!(post(&registry, login).await.json().get("refresh_token"), None);

    let refresh = answer.json()["refresh_token"].as_str().unwrap().to_owned();
    let again = format!("grant_type=refresh_token&service={host}&client_id=x&{scopes}&refresh_token=");
    hands.pass(std::time::Duration::from_hours(23));
    let fresh = post(&registry, &format!("{again}{refresh}")).await;
    let fresh_token = bearer(&fresh);
    assert_eq!(fresh.json().get("refresh_token"), None);
    ask(&registry, "GET", "/v2/team/app/tags/list", Some(&fresh_token)).await.is(404);
    // Each token is for its own end.
    ask(&registry, "GET", "/v2/", Some(&format!("Bearer {refresh}"))).await.refused(401, "UNAUTHORIZED");
    let access = fresh_token.strip_prefix("Bearer ").unwrap();
    for wrong in [access, "x", ""] {
        post(&registry, &format!("{again}{wrong}")).await.refused(401, "UNAUTHORIZED");
    }
    hands.pass(std::time::Duration::from_hours(2));
    post(&registry, &format!("{again}{refresh}")).await.refused(401, "UNAUTHORIZED");

    // Whose proof has a life of its own gets none.
    let aws = format!("grant_type=password&username=x&password=aws-{host}&access_type=offline");
    assert_eq!(post(&registry, &aws).await.is(200).json().get("refresh_token"), None);
    for form in [
        "",
        "grant_type=client_credentials",
        "grant_type=password&username=alice",
        "grant_type=refresh_token",
        &format!("{login}&username=bob"),
    ] {
        post(&registry, form).await.refused(400, "UNSUPPORTED");
    }
    let headers = [("content-type", "application/json")];
    let answer = registry.client().await.ask("POST", "/token", &headers, Body::Sized(login.as_bytes())).await;
    answer.refused(400, "UNSUPPORTED");
}

#[tokio::test]
async fn whoever_is_nobody_may_what_the_rules_allow_them() {
    let registry = registry(&Hands::new()).await;
    let token = bearer(&get(&registry, "scope=repository:public/x:pull", None).await);
    for token in [Some(token.as_str()), None] {
        ask(&registry, "GET", "/v2/public/x/tags/list", token).await.is(404);
        let pushing = ask(&registry, "POST", "/v2/public/x/blobs/uploads/", token).await;
        pushing.refused(401, "UNAUTHORIZED");
        assert!(pushing.header("www-authenticate").contains("scope=\"repository:public/x:pull,push\""));
        ask(&registry, "GET", "/v2/team/app/tags/list", token).await.refused(401, "UNAUTHORIZED");
    }
    // Without rules, nobody may anything, and whoever is known may all.
    let registry = set_up(&Hands::new(), None, Setup::default()).start().await;
    let query = "scope=repository:public/x:pull,push";
    let nobody = bearer(&get(&registry, query, None).await);
    assert_eq!(granted(&nobody), json!([]));
    for token in [Some(nobody.as_str()), None] {
        ask(&registry, "GET", "/v2/public/x/tags/list", token).await.refused(401, "UNAUTHORIZED");
    }
    let alice = bearer(&get(&registry, query, Some(&basic("alice", "wonderland"))).await);
    ask(&registry, "POST", "/v2/public/x/blobs/uploads/", Some(&alice)).await.is(202);
    ask(&registry, "GET", "/v2/public/y/tags/list", Some(&alice)).await.refused(401, "UNAUTHORIZED");
}

#[tokio::test]
async fn the_catalog_and_mounts_keep_to_the_token() {
    let registry = registry(&Hands::new()).await;
    let open = Setup { driver: registry.driver.clone(), ..Setup::default() }.start().await;
    let digest = open.push_blob("home/alice/x", b"content").await;
    open.push_blob("secret", b"content").await;
    let token = alice(&registry, "registry:catalog:*").await;
    let catalog = ask(&registry, "GET", "/v2/_catalog", Some(&token)).await;
    assert_eq!(catalog.json(), json!({ "repositories": ["home/alice/x"] }));

    let mount = format!("/v2/team/app/blobs/uploads/?mount={digest}&from=home/alice/x");
    let narrow = alice(&registry, "repository:team/app:pull,push").await;
    // Who may read it by a wider token is asked to get that; where they may not, the blob is as if it were not there.
    let asked = ask(&registry, "POST", &mount, Some(&narrow)).await;
    asked.refused(401, "UNAUTHORIZED");
    let scope = "scope=\"repository:team/app:pull,push repository:home/alice/x:pull\",error=\"insufficient_scope\"";
    assert!(asked.header("www-authenticate").ends_with(scope), "{asked:?}");
    let elsewhere = mount.replace("home/alice/x", "secret");
    for query in ["", "&scope=repository:secret:pull"] {
        let token = alice(&registry, &format!("repository:team/app:pull,push{query}")).await;
        ask(&registry, "POST", &elsewhere, Some(&token)).await.is(202);
    }
    let wide = alice(&registry, "repository:team/app:pull,push&scope=repository:home/alice/x:pull").await;
    ask(&registry, "POST", &mount, Some(&wide)).await.is(201);
}

#[tokio::test]
async fn a_blob_is_mounted_from_anywhere_for_whoever_may_read_everything_and_says_so_in_the_token() {
    let hands = Hands::new();
    let rules = "allow user:alice to pull, push on **; allow user:bob to pull on home/**; allow user:bob to push on **";
    let registry = set_up(&hands, Some(rules), Setup::default()).start().await;
    let open = Setup { driver: registry.driver.clone(), ..Setup::default() }.start().await;
    let digest = open.push_blob("secret", b"content").await;
    for (name, password, scope, status) in [
        ("alice", "wonderland", "repository:app:pull,push&scope=registry:blob:pull", 201),
        // She is asked for a token that says so; he is not, for he could not get one.
        ("alice", "wonderland", "repository:app:pull,push", 401),
        ("bob", "pass:word", "repository:app:pull,push", 202),
        ("bob", "pass:word", "repository:app:pull,push&scope=registry:blob:pull", 202),
    ] {
        let token = bearer(&get(&registry, &format!("scope={scope}"), Some(&basic(name, password))).await);
        let mount = format!("/v2/app/blobs/uploads/?mount={digest}");
        ask(&registry, "POST", &mount, Some(&token)).await.is(status);
        // The same for who announces it; but memory has no targets, and looks for nothing.
        let digest = digest.to_string();
        let headers =
            [("authorization", token.as_str()), ("berth-blob-digest", digest.as_str()), ("berth-blob-size", "7")];
        let announced = registry.client().await.ask("POST", "/v2/app/blobs/uploads/", &headers, Body::Sized(b"")).await;
        announced.is(if status == 201 { 202 } else { status });
        if status == 401 {
            let asked = announced.header("www-authenticate");
            assert!(asked.contains("repository:app:pull,push registry:blob:pull"), "{asked}");
        }
    }
}
