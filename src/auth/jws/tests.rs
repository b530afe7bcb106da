//! Examples of the specifications, and what nobody signed.

use std::sync::LazyLock;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use proptest::prelude::*;
use serde_json::json;

use super::{PublicKeys, SigningKey, TokenError, Unverified};

/// RFC 7515, appendix A.3, and RFC 8037, appendix A.4.
const ES256: &str = "eyJhbGciOiJFUzI1NiJ9.\
    eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
    DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const EDDSA: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
    hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn keys() -> PublicKeys {
    let keys = json!({ "keys": [
        {
            "kty": "EC", "crv": "P-256", "kid": "ES256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        },
        { "kty": "OKP", "crv": "Ed25519", "kid": "EdDSA", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" },
    ]});
    PublicKeys::from_jwks(keys.to_string().as_bytes()).unwrap()
}

#[test]
fn the_specifications_examples_are_verified_by_their_keys_alone() {
    let keys = keys();
    for (token, kid, other) in [(ES256, "ES256", "EdDSA"), (EDDSA, "EdDSA", "ES256")] {
        let unverified = Unverified::parse(token).unwrap();
        assert!(unverified.verify(keys.get(kid).unwrap()).is_ok(), "{kid}");
        assert_eq!(unverified.verify(keys.get(other).unwrap()), Err(TokenError::Algorithm));
        assert_eq!(unverified.verify_by(&keys), Err(TokenError::UnknownKey), "it names none");
    }
    // RFC 8037, appendix A.3.
    let thumbprint = keys.get("EdDSA").unwrap().thumbprint();
    assert_eq!(thumbprint, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn keys_that_are_not_for_this_are_left_out() {
    let of = |change: serde_json::Value| {
        let mut jwk =
            json!({ "kty": "OKP", "crv": "Ed25519", "kid": "a", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" });
        jwk.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let keys = PublicKeys::from_jwks(json!({ "keys": [jwk] }).to_string().as_bytes()).unwrap();
        keys.get("a").is_some()
    };
    assert!(of(json!({})) && of(json!({ "use": "sig", "alg": "EdDSA", "more": 1 })));
    for change in [
        json!({ "use": "enc" }),
        json!({ "alg": "ES256" }),
        json!({ "kty": "oct" }),
        json!({ "crv": "X25519" }),
        json!({ "x": "AAAA" }),
        json!({ "x": null }),
        json!({ "kid": null }),
        json!({ "kty": "EC", "crv": "P-256", "y": "AA" }),
    ] {
        assert!(!of(change.clone()), "{change}");
    }
    assert!(PublicKeys::from_jwks(b"{}").is_err() && PublicKeys::from_jwks(b"").is_err());
}

#[test]
fn a_key_is_not_shown() {
    let pkcs8 = SigningKey::generate().unwrap();
    let key = SigningKey::read(&pkcs8).unwrap();
    assert_eq!(format!("{key:?}"), format!("SigningKey {{ kid: {:?}, .. }}", key.kid()));
    assert_eq!(key.kid(), key.public().thumbprint());
}

static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::read(&SigningKey::generate().unwrap()).unwrap());

proptest! {
    #[test]
    fn what_is_signed_is_read_and_any_change_is_seen(text in ".{0,40}", at in any::<prop::sample::Index>(), to in "[A-Za-z0-9_.=-]") {
        let claims = json!({ "text": text });
        let token = KEY.sign("x", &claims).unwrap();
        let unverified = Unverified::parse(&token).unwrap();
        prop_assert_eq!((unverified.kid(), unverified.typ()), (Some(KEY.kid()), Some("x")));
        let said: serde_json::Value = serde_json::from_slice(unverified.verify(KEY.public()).unwrap()).unwrap();
        prop_assert_eq!(said, claims);

        let at = at.index(token.len());
        let mut changed = token.clone();
        changed.replace_range(at..=at, &to);
        let verified = Unverified::parse(&changed).and_then(|changed| changed.verify(KEY.public()).map(drop));
        prop_assert_eq!(verified.is_ok(), changed == token);
    }

    #[test]
    fn no_text_is_more_than_refused(text in "[eyJ0.{}\":a-z]{0,80}") {
        let verified = Unverified::parse(&text).and_then(|token| token.verify(KEY.public()).map(drop));
        prop_assert!(verified.is_err());
    }
}

#[test]
fn what_is_critical_is_refused_whatever_it_is() {
    for value in ["null", "[]", "[\"exp\"]", "1", "{}"] {
        let header = URL_SAFE_NO_PAD.encode(format!("{{\"alg\":\"ES256\",\"crit\":{value}}}"));
        let refused = Unverified::parse(&format!("{header}.e30.AA")).err();
        assert_eq!(refused, Some(TokenError::Critical), "{value}");
    }
    let header = URL_SAFE_NO_PAD.encode("{\"alg\":\"ES256\"}");
    assert!(Unverified::parse(&format!("{header}.e30.AA")).is_ok());
}
