//! Whoever has to be asked does not answer, or not as they should: STS, an issuer, the API keys, the keys that sign. Each
//! time the answer is to try again, it says what is true, and nobody is let in.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use aws_credential_types::Credentials;
use berth::{
    auth::{
        Fetch, Rules,
        proof::{
            Verifier,
            aws::{AwsVerifier, Options as AwsOptions, sign},
            keys::{KeyVerifier, create},
            oidc::{OidcVerifier, Trusted},
        },
        token::{Bearer, SigningKeys, TokenService},
    },
    context::{Clock, Context},
    driver::{DriverErrorKind, memory::MemoryDriver},
    http::Options,
    storage::{ApiKeys, StoredKeys},
};
use berth_local::{Emulators, Fault, Rule, Service, Signer};
use serde_json::json;

use super::{ask, bearer, get};
use crate::{
    auth::{basic, users},
    client::Answer,
    doctored::Doctored,
    registry::{Registry, Setup},
};

const KINDS: [DriverErrorKind; 4] =
    [DriverErrorKind::Failed, DriverErrorKind::Denied, DriverErrorKind::Timeout, DriverErrorKind::Throttled];

const TAGS: &str = "/v2/app/tags/list";

/// A registry that takes every proof, and everything that it asks.
struct World {
    emulators: Emulators,
    api_keys: Arc<Doctored>,
    signing_keys: Arc<Doctored>,
    /// Nobody listens there.
    gone: String,
}

impl World {
    async fn new() -> Self {
        let emulators = Emulators::start().await.unwrap();
        emulators.sts().add(Signer {
            access_key: "AKIAEXAMPLEEXAMPLE00".to_owned(),
            secret_key: "secret".to_owned(),
            session_token: None,
            arn: "arn:aws:iam::123456789012:user/anna".to_owned(),
        });
        let doctored = || Arc::new(Doctored::new(MemoryDriver::new()));
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let gone = format!("http://{}", listener.local_addr().unwrap());
        Self { emulators, api_keys: doctored(), signing_keys: doctored(), gone }
    }

    /// A process that knows nothing yet, and that finds STS and the issuer where they are said to be.
    async fn process(&self, sts: String, issuer: String, patience: Option<Duration>) -> Registry {
        let clock = Clock::default();
        let keys = Arc::new(SigningKeys::new(Arc::new(StoredKeys::signing(self.signing_keys.clone())), clock.clone()));
        let rules: Arc<Rules> = Arc::new(
            format!(
                "allow iamuser:123456789012/anna to pull on app; allow key:ci to pull on app; allow user:alice to pull on app; \
                 allow oidc:{issuer} to pull on app; allow anonymous to pull on public"
            )
            .parse()
            .unwrap(),
        );
        let fetch = Fetch::default();
        let trusted = Trusted { issuer, audience: "the registry".to_owned(), insecure: true };
        let aws = AwsOptions { endpoint: Some(sts), clock: clock.clone(), ..AwsOptions::default() };
        let verifiers: Vec<Arc<dyn Verifier>> = vec![
            Arc::new(AwsVerifier::new(aws, fetch.clone())),
            Arc::new(OidcVerifier::new(vec![trusted], &fetch, clock.clone()).unwrap()),
            Arc::new(KeyVerifier::new(Arc::new(ApiKeys::new(self.api_keys.clone())), clock)),
            Arc::new(users()),
        ];
        let http = Options { access_log: false, request_timeout: patience, ..Options::default() };
        let tokens = Arc::new(TokenService::new(keys.clone(), Some(rules.clone()), verifiers));
        Setup { access: Arc::new(Bearer::new(keys, Some(rules))), tokens: Some(tokens), http, ..Setup::default() }
            .start()
            .await
    }

    async fn healthy(&self, patience: Option<Duration>) -> Registry {
        self.process(self.emulators.sts().endpoint(), self.emulators.oidc().issuer(), patience).await
    }

    fn aws(registry: &Registry) -> String {
        let credentials = Credentials::new("AKIAEXAMPLEEXAMPLE00", "secret", None, None, "test");
        basic("aws", &sign(&credentials, "us-east-1", &registry.addr.to_string(), SystemTime::now()).unwrap())
    }

    fn oidc(&self, issuer: &str) -> String {
        let claims = json!({ "iss": issuer, "sub": "job", "aud": "the registry" });
        basic("oidc", &self.emulators.oidc().mint(&claims).unwrap())
    }

    async fn key(&self) -> String {
        let (store, now) = (ApiKeys::new(self.api_keys.clone()), SystemTime::now().into());
        basic("key", &create(&store, &Context::background("test"), "ci", None, now).await.unwrap())
    }
}

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

async fn token(registry: &Registry, login: &str) -> Answer {
    get(registry, "scope=repository:app:pull", Some(login)).await
}

#[tokio::test]
async fn whoever_cannot_be_asked_lets_nobody_in() {
    let world = World::new().await;
    let (issuer, short) = (world.emulators.oidc().issuer(), Some(Duration::from_millis(300)));
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
            let registry = world.healthy(patience).await;
            get(&registry, "", None).await.is(200); // the keys that sign are known
            let login = if service == Service::Sts { World::aws(&registry) } else { world.oidc(&issuer) };
            world.emulators.inject(Rule::new(fault.clone()).service(service).operation(operation).times(1));
            unavailable(&token(&registry, &login).await, sentences, &what);
            assert!(world.emulators.faults().is_empty(), "{what}: it was asked");
            // It is itself again.
            let granted = bearer(&token(&registry, &login).await);
            ask(&registry, "GET", TAGS, Some(&granted)).await.is(404);
        }
    }
    let registry = world.process(world.gone.clone(), world.gone.clone(), None).await;
    for login in [World::aws(&registry), world.oidc(&world.gone)] {
        unavailable(&token(&registry, &login).await, &[NO_TOKEN], "nobody listens");
    }
    bearer(&token(&registry, &basic("alice", "wonderland")).await);
}

#[tokio::test]
async fn a_store_that_fails_lets_nobody_in() {
    let world = World::new().await;
    let key = world.key().await;
    for kind in KINDS {
        let registry = world.healthy(None).await;
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
        let cold = world.healthy(None).await;
        world.signing_keys.fail(Some(kind));
        for login in [&alice, &key, &World::aws(&cold), &world.oidc(&world.emulators.oidc().issuer())] {
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
