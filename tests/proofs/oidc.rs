//! Tokens of OpenID Connect issuers: who they prove, whom that costs a question, and what happens when keys change.

use berth::auth::{
    Fetch, Identity,
    proof::oidc::{OidcVerifier, TrustError, Trusted},
};
use berth_local::{Emulators, Fault, Rule, Service, TokenAlgorithm};
use serde_json::{Map, Value, json};

use crate::world::{Hands, proven, refused, unavailable, verify};

pub(crate) const AUDIENCE: &str = "https://registry.example.com";

/// An issuer, and a verifier that believes it.
pub(crate) struct World {
    pub(crate) emulators: Emulators,
    pub(crate) hands: Hands,
    pub(crate) verifier: OidcVerifier,
}

impl World {
    pub(crate) async fn start() -> Self {
        let (emulators, hands) = (Emulators::start().await.unwrap(), Hands::default());
        let trusted = Trusted { issuer: emulators.oidc().issuer(), audience: AUDIENCE.to_owned(), insecure: true };
        let verifier = OidcVerifier::new(vec![trusted], &Fetch::default(), hands.clock()).unwrap();
        Self { emulators, hands, verifier }
    }

    /// A token of the issuer for [`AUDIENCE`] with `claims` besides.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_as(TokenAlgorithm::Es256, &Value::Null, claims)
    }

    pub(crate) fn token_as(&self, algorithm: TokenAlgorithm, header: &Value, claims: &Value) -> String {
        let mut all = json!({ "sub": "repo:acme/app", "aud": AUDIENCE });
        for (name, value) in claims.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        self.emulators.oidc().mint_as(algorithm, header, &all).unwrap()
    }

    /// How often the issuer was asked, since the last time that this was.
    pub(crate) fn asked(&self) -> usize {
        let asked = self.emulators.requests().iter().filter(|request| request.service == Service::Oidc).count();
        self.emulators.reset();
        asked
    }
}

#[tokio::test]
async fn a_token_proves_whom_its_issuer_means() {
    let world = World::start().await;
    for algorithm in [TokenAlgorithm::Es256, TokenAlgorithm::Rs256, TokenAlgorithm::EdDsa] {
        let token = world.token_as(algorithm, &Value::Null, &Value::Null);
        let issuer = world.emulators.oidc().issuer();
        assert_eq!(proven(&world.verifier, &token).await, format!("oidc:{issuer} repo:acme/app"), "{algorithm:?}");
    }
    let several = world.token(&json!({ "aud": ["https://other.example", AUDIENCE] }));
    proven(&world.verifier, &several).await;
}

#[tokio::test]
async fn rules_may_know_its_claims() {
    let world = World::start().await;
    let token = world.token(&json!({
        "repository": "acme/app", "run_attempt": 2, "protected": true, "nothing": null,
        "list": ["a"], "object": { "a": 1 }, "long": "x".repeat(1025), "at_most": "x".repeat(1024), "jti": "1",
    }));
    let Some(Identity::Oidc(oidc)) = verify(&world.verifier, &token).await.unwrap() else { panic!() };
    let claims: Vec<(&str, &str)> = oidc.claims.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let most = "x".repeat(1024);
    assert_eq!(
        claims,
        [("at_most", most.as_str()), ("protected", "true"), ("repository", "acme/app"), ("run_attempt", "2")]
    );
}

#[tokio::test]
async fn the_issuer_is_asked_once_an_hour() {
    let world = World::start().await;
    assert_eq!(world.asked(), 0, "not before a token comes");
    for (turn, expected) in [(0, 2), (0, 0), (200, 0), (3600, 2)] {
        world.hands.turn(turn);
        let now = world.hands.now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let token = world.token(&json!({ "iat": now, "exp": now + 300 }));
        proven(&world.verifier, &token).await;
        assert_eq!(world.asked(), expected, "{turn}");
    }
}

#[tokio::test]
async fn new_keys_are_learned_within_a_minute_and_old_ones_forgotten() {
    let world = World::start().await;
    let old = world.token(&Value::Null);
    proven(&world.verifier, &old).await;
    world.emulators.oidc().rotate().unwrap();
    let new = world.token(&Value::Null);
    world.asked();
    refused(&world.verifier, &new, "not known yet").await;
    assert_eq!(world.asked(), 0, "asked a moment ago");
    world.hands.turn(61);
    proven(&world.verifier, &new).await;
    assert_eq!(world.asked(), 2);
    refused(&world.verifier, &old, "no longer published").await;
    assert_eq!(world.asked(), 0);
}

#[tokio::test]
async fn a_failing_issuer_lets_nobody_in() {
    let world = World::start().await;
    let token = world.token(&Value::Null);
    for operation in ["Discovery", "Keys"] {
        for fault in [
            Fault::Throttle,
            Fault::InternalError,
            Fault::AccessDenied,
            Fault::Reset,
            Fault::CutAnswer(10),
            Fault::Error { status: 302, code: "elsewhere".to_owned() },
            Fault::Error { status: 200, code: "something else".to_owned() },
        ] {
            let rule = Rule::new(fault.clone()).service(Service::Oidc).operation(operation).times(1);
            world.emulators.inject(rule);
            unavailable(&world.verifier, &token, &(operation, fault)).await;
        }
    }
    proven(&world.verifier, &token).await;
}

#[tokio::test]
async fn an_issuer_that_fails_later_stops_nobody_whose_key_is_known() {
    let world = World::start().await;
    let token = world.token(&Value::Null);
    proven(&world.verifier, &token).await;
    world.emulators.inject(Rule::new(Fault::InternalError).service(Service::Oidc));
    world.hands.turn(120);
    let unknown = world.token_as(TokenAlgorithm::Es256, &json!({ "kid": "unknown" }), &Value::Null);
    unavailable(&world.verifier, &unknown, "unknown").await;
    world.asked();
    // It is not asked for each of those.
    refused(&world.verifier, &unknown, "unknown").await;
    assert_eq!(world.asked(), 0);
    proven(&world.verifier, &token).await;
    world.hands.turn(3600);
    unavailable(&world.verifier, &token, "an hour old").await;
}

#[tokio::test]
async fn what_discovery_says_must_be_the_issuers_own() {
    for (name, value) in [
        ("issuer", json!("http://127.0.0.1:1")),
        ("issuer", Value::Null),
        ("jwks_uri", json!("file:///etc/passwd")),
        ("jwks_uri", json!("ftp://127.0.0.1/keys")),
        ("jwks_uri", json!(["http://127.0.0.1/keys"])),
        ("jwks_uri", Value::Null),
    ] {
        let world = World::start().await;
        world.emulators.oidc().discovery(Map::from_iter([(name.to_owned(), value.clone())]));
        unavailable(&world.verifier, &world.token(&Value::Null), &(name, value)).await;
    }
}

#[test]
fn an_issuer_needs_https_and_an_audience() {
    let new = |issuer: &str, audience: &str, insecure| {
        let trusted = Trusted { issuer: issuer.to_owned(), audience: audience.to_owned(), insecure };
        OidcVerifier::new(vec![trusted], &Fetch::default(), Hands::default().clock()).map(drop)
    };
    assert_eq!(new("https://token.actions.githubusercontent.com", AUDIENCE, false), Ok(()));
    assert_eq!(new("https://gitlab.example.com/path", AUDIENCE, false), Ok(()));
    assert_eq!(new("http://127.0.0.1:8080", AUDIENCE, true), Ok(()));
    for issuer in [
        "http://127.0.0.1",
        "",
        "gitlab.com",
        "ftp://gitlab.com",
        "https://a.example?b",
        "https://a@b.example",
        "https://a.example#b",
    ] {
        assert_eq!(new(issuer, AUDIENCE, false), Err(TrustError::Issuer(issuer.to_owned())));
    }
    assert!(matches!(new("https://a.example", "", false), Err(TrustError::Audience(_))));
    let trusted = Trusted { issuer: "https://a.example".to_owned(), audience: AUDIENCE.to_owned(), insecure: false };
    let twice = OidcVerifier::new(vec![trusted.clone(), trusted], &Fetch::default(), Hands::default().clock());
    assert!(matches!(twice.map(drop), Err(TrustError::Twice(_))));
}
