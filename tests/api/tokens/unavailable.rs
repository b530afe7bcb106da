//! Whoever has to be asked does not answer, or not as they should: STS, an issuer, the API keys, the keys that sign. Each
//! time the answer is to try again, it says what is true, and nobody is let in.

use std::time::Duration;

use berth::{driver::DriverErrorKind, http::Options};
use berth_local::{Fault, Rule, Service};
use serde_json::json;

use super::{
    ask, bearer, get,
    world::{ANNA, Process, World},
};
use crate::{auth::basic, client::Answer, registry::Registry};

const KINDS: [DriverErrorKind; 4] =
    [DriverErrorKind::Failed, DriverErrorKind::Denied, DriverErrorKind::Timeout, DriverErrorKind::Throttled];

const TAGS: &str = "/v2/app/tags/list";

/// Asserts that the client is told to try again, and no more than that.
fn unavailable(answer: &Answer, sentences: &[&str], what: &str) {
    assert_eq!((answer.status, answer.codes()), (503, vec!["UNAVAILABLE".to_owned()]), "{what}: {answer:?}");
    assert_eq!(answer.header("retry-after"), "1", "{what}");
    assert!(!answer.has("www-authenticate"), "{what}: nothing is wrong with the login");
    let said = answer.json();
    let message = said["errors"][0]["message"].as_str().unwrap();
    assert!(sentences.iter().any(|sentence| message.starts_with(sentence)), "{what}: {message}");
    assert!(said.get("token").is_none(), "{what}");
}

const NO_TOKEN: &str = "the registry cannot give out a token now; try again (request ";
const WHO: &str = "the registry cannot tell now who asks; try again (request ";
const LATE: &str = "the time for this request ran out; try again (request ";

/// A process of `world` that knows nothing yet, and lets everybody it can tell pull from `app`.
async fn process(world: &World, sts: &str, issuer: &str, patience: Option<Duration>) -> Registry {
    let rules = format!(
        "allow iamuser:123456789012/anna to pull on app; allow key:ci to pull on app; allow user:alice to pull on app; \
         allow oidc:{issuer} to pull on app; allow anonymous to pull on public"
    );
    let http = Options { access_log: false, request_timeout: patience, ..Options::default() };
    world.start(Process { sts: sts.to_owned(), issuer: issuer.to_owned(), http, ..world.process(&rules) }).await
}

async fn healthy(world: &World, patience: Option<Duration>) -> Registry {
    process(world, &world.emulators.sts().endpoint(), &world.emulators.oidc().issuer(), patience).await
}

async fn token(registry: &Registry, login: &str) -> Answer {
    get(registry, "scope=repository:app:pull", Some(login)).await
}

#[tokio::test]
async fn whoever_cannot_be_asked_lets_nobody_in() {
    let world = World::new().await;
    let short = Some(Duration::from_millis(300));
    let error = |status, code: &str| Fault::Error { status, code: code.to_owned() };
    let faults = [
        Fault::Throttle,
        Fault::InternalError,
        error(503, "ServiceUnavailable"),
        error(200, "Garbage"),
        error(204, "Nothing"),
        Fault::Reset,
        Fault::CutAnswer(20),
        Fault::Hang,
    ];
    for (service, operation) in
        [(Service::Sts, "GetCallerIdentity"), (Service::Oidc, "Discovery"), (Service::Oidc, "Keys")]
    {
        for fault in &faults {
            let what = format!("{operation} {fault:?}");
            let (patience, sentences) = match fault {
                Fault::Hang => (short, &[NO_TOKEN, LATE][..]),
                _ => (None, &[NO_TOKEN][..]),
            };
            let registry = healthy(&world, patience).await;
            get(&registry, "", None).await.is(200); // the keys that sign are known
            let login = if service == Service::Sts { world.aws(ANNA, &registry) } else { world.oidc(&json!({})) };
            world.emulators.inject(Rule::new(fault.clone()).service(service).operation(operation).times(1));
            unavailable(&token(&registry, &login).await, sentences, &what);
            assert!(world.emulators.faults().is_empty(), "{what}: it was asked");
            // It is itself again.
            let granted = bearer(&token(&registry, &login).await);
            ask(&registry, "GET", TAGS, Some(&granted)).await.is(404);
        }
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let registry = process(&world, &gone, &gone, None).await;
    for login in [world.aws(ANNA, &registry), world.oidc(&json!({ "iss": gone }))] {
        unavailable(&token(&registry, &login).await, &[NO_TOKEN], "nobody listens");
    }
    bearer(&token(&registry, &basic("alice", "wonderland")).await);
}

#[tokio::test]
async fn a_store_that_fails_lets_nobody_in() {
    let world = World::new().await;
    let key = world.key("ci").await;
    for kind in KINDS {
        let registry = healthy(&world, None).await;
        let alice = basic("alice", "wonderland");
        let good = bearer(&token(&registry, &alice).await);

        let what = format!("API keys {kind:?}");
        world.api_keys.fail(Some(kind));
        unavailable(&token(&registry, &key).await, &[NO_TOKEN], &what);
        bearer(&token(&registry, &alice).await);
        ask(&registry, "GET", TAGS, Some(&good)).await.is(404);
        world.api_keys.fail(None);
        bearer(&token(&registry, &key).await);

        // The keys that sign: a process that does not know them can take no token, and give out none.
        let what = format!("signing keys {kind:?}");
        let cold = healthy(&world, None).await;
        world.signing_keys.fail(Some(kind));
        for login in [&alice, &key, &world.aws(ANNA, &cold), &world.oidc(&json!({}))] {
            unavailable(&token(&cold, login).await, &[NO_TOKEN], &what);
        }
        unavailable(&get(&cold, "", None).await, &[NO_TOKEN], &what);
        for (method, target) in [
            ("GET", "/v2/"),
            ("GET", "/v2/_catalog"),
            ("GET", TAGS),
            ("GET", "/v2/public/tags/list"),
            ("POST", "/v2/app/blobs/uploads/"),
            ("PATCH", "/v2/app/blobs/uploads/00000000-0000-7000-8000-000000000000"),
            ("DELETE", "/v2/app/manifests/latest"),
            ("GET", "/nowhere"),
        ] {
            // Signed by another registry: nobody can know that now.
            let answer = ask(&cold, method, target, Some(&good.replace("Bearer", "bearer"))).await;
            unavailable(&answer, &[WHO], &format!("{what} {method} {target}"));
        }
        world.signing_keys.fail(None);
    }
}
