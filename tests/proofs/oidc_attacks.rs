//! Tokens that are none.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth_local::TokenAlgorithm;
use hmac::{Hmac, KeyInit as _, Mac as _};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::{
    oidc::{AUDIENCE, World},
    world::{proven, refused, verify},
};

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

#[tokio::test]
async fn claims_that_are_not_for_us_or_not_of_now_are_refused() {
    let world = World::start().await;
    let now = world.hands.now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    for claims in [
        json!({ "aud": "https://other.example" }),
        json!({ "aud": ["https://other.example"] }),
        json!({ "aud": [] }),
        json!({ "aud": null }),
        json!({ "aud": format!("{AUDIENCE}/") }),
        json!({ "aud": "" }),
        json!({ "aud": { "a": AUDIENCE } }),
        json!({ "iss": "https://evil.example" }),
        json!({ "iss": format!("{}/", world.emulators.oidc().issuer()) }),
        json!({ "iss": null }),
        json!({ "iss": [world.emulators.oidc().issuer()] }),
        json!({ "exp": now - 60 }),
        json!({ "exp": null }),
        json!({ "exp": "9999999999" }),
        json!({ "nbf": now + 120 }),
        json!({ "iat": now + 120 }),
        json!({ "sub": "" }),
        json!({ "sub": null }),
        json!({ "sub": 1 }),
        json!({ "sub": "x".repeat(1025) }),
        (0..65).map(|n| (format!("claim{n}"), json!("x"))).collect(),
    ] {
        refused(&world.verifier, &world.token(&claims), &claims).await;
    }
    proven(&world.verifier, &world.token(&json!({ "exp": now + 5, "nbf": now + 10 }))).await;
}

#[tokio::test]
async fn a_token_by_no_key_of_the_issuer_is_refused() {
    let world = World::start().await;
    let good = world.token(&Value::Null);
    let [header, claims, signature] = good.split('.').collect::<Vec<_>>()[..] else { panic!() };
    let jwks = world.emulators.oidc().jwks();
    let rsa = jwks["keys"][1]["n"].as_str().unwrap();
    let hs256 = |key: &[u8]| {
        let signed = format!("{}.{claims}", encode(&json!({ "alg": "HS256", "kid": "RS256-0", "typ": "JWT" })));
        let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    };
    let none = |alg: &str, tail: &str| format!("{}.{claims}.{tail}", encode(&json!({ "alg": alg, "kid": "ES256-0" })));
    let other = World::start().await;
    let own = json!({ "iss": world.emulators.oidc().issuer() });
    for (what, token) in [
        ("alg none", none("none", "")),
        ("alg none with a signature", none("none", signature)),
        ("alg None", none("None", signature)),
        ("alg of no key", none("ES512", signature)),
        ("HS256 with the public key", hs256(rsa.as_bytes())),
        ("HS256 with the public key's bytes", hs256(&URL_SAFE_NO_PAD.decode(rsa).unwrap())),
        ("HS256 with nothing", hs256(b"")),
        ("no signature", format!("{header}.{claims}.")),
        ("other claims", format!("{header}.{}.{signature}", encode(&json!({ "sub": "admin" })))),
        ("another issuer's key of the same name", other.token(&own)),
        ("another algorithm's name", world.token_as(TokenAlgorithm::Rs256, &json!({ "alg": "ES256" }), &Value::Null)),
        ("another algorithm's key", world.token_as(TokenAlgorithm::Es256, &json!({ "kid": "RS256-0" }), &Value::Null)),
    ] {
        refused(&world.verifier, &token, what).await;
    }
}

#[tokio::test]
async fn a_header_never_says_where_keys_are() {
    let world = World::start().await;
    proven(&world.verifier, &world.token(&Value::Null)).await;
    world.asked();
    let elsewhere = format!("{}/keys", world.emulators.oidc().issuer());
    for kid in [
        json!("../../../../dev/null"),
        json!("/etc/passwd"),
        json!(elsewhere),
        json!("https://evil.example/keys"),
        json!("ES256-0\u{0}"),
        json!("es256-0"),
        json!(" ES256-0"),
        json!("x".repeat(4000)),
        json!(""),
        json!(0),
        json!(["ES256-0"]),
        Value::Null,
    ] {
        let token = world.token_as(TokenAlgorithm::Es256, &json!({ "kid": kid }), &Value::Null);
        refused(&world.verifier, &token, &kid).await;
    }
    let critical = world.token_as(TokenAlgorithm::Es256, &json!({ "crit": ["exp"] }), &Value::Null);
    refused(&world.verifier, &critical, "crit").await;
    // It is taken by the key that is known: what these say is not looked at.
    let header = json!({ "jku": elsewhere, "x5u": elsewhere, "jwk": { "kty": "EC" } });
    proven(&world.verifier, &world.token_as(TokenAlgorithm::Es256, &header, &Value::Null)).await;
    assert_eq!(world.asked(), 0);
}

#[tokio::test]
async fn what_has_not_the_form_of_a_token_is_nobody_here() {
    let world = World::start().await;
    let token = world.token(&Value::Null);
    for password in
        ["", "wonderland", "berth_key_x", "eyJ", "eyJ.eyJ", "eyJ.eyJ.x.y", &format!("{token}="), &format!(" {token}")]
    {
        assert_eq!(verify(&world.verifier, password).await.unwrap(), None, "{password}");
    }
    for password in ["eyJ..", "eyJ.eyJ.x", &format!("eyJ{}.a.b", "A".repeat(1 << 20))] {
        refused(&world.verifier, password, "no token").await;
    }
    assert_eq!(world.asked(), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn a_token_with_any_change_is_refused(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), "[A-Za-z0-9_-]"), 16),
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let world = World::start().await;
            let token = world.token(&json!({ "repository": "acme/app" }));
            proven(&world.verifier, &token).await;
            for (at, character) in changes {
                let at = at.index(token.len());
                let mut changed = token.clone();
                changed.replace_range(at..=at, &character);
                if changed != token {
                    assert!(!matches!(verify(&world.verifier, &changed).await, Ok(Some(_))), "{at} {character}");
                }
            }
        });
    }
}
