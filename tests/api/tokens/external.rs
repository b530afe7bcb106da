//! Tokens of another's service, as distribution takes them.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use berth::auth::{
    jws::PublicKeys,
    token::{External, ExternalOptions, keys_of_certificates},
};
use rustls_pki_types::pem::PemObject as _;
use serde_json::{Value, json};

use super::{
    ask,
    forge::{Hands, Key, claims, with},
};
use crate::registry::{Registry, Setup};

/// Made with `openssl genpkey` and `openssl req -x509`; the names are what libtrust gives the keys, computed with
/// `openssl dgst -sha256` and `base32` over the public keys.
const KEYS: [(&str, &[u8], &[u8], &str); 3] = [
    (
        "RS256",
        include_bytes!("rsa.key.pem"),
        include_bytes!("rsa.cert.pem"),
        "K3OM:YNDO:ZERC:HRBV:SALB:HLAT:FXGR:BX4H:N3TV:QBXJ:WRXF:Q5HH",
    ),
    (
        "ES256",
        include_bytes!("p256.key.pem"),
        include_bytes!("p256.cert.pem"),
        "64NV:DBVK:NH36:FZ3W:BNKU:WHZN:Z3DN:TYLP:HRW7:XUFJ:72LF:YCHP",
    ),
    (
        "EdDSA",
        include_bytes!("ed25519.key.pem"),
        include_bytes!("ed25519.cert.pem"),
        "OMK4:HGCV:HLUV:6ATF:W36K:UKPW:TAWF:FB45:KC5V:AIOQ:FXXA:732G",
    ),
];

/// The thumbprint of the RSA key, computed by hand.
const THUMBPRINT: &str = "YpPt5aVHr7bk5lbkfvFW5rNurUqdFxSTqQQkdJ_j1Jc";

async fn registry(hands: &Hands, keys: PublicKeys) -> Registry {
    let (realm, service) = ("https://auth.example.com/token".to_owned(), "the service".to_owned());
    let options = ExternalOptions { realm, service, issuer: "the issuer".to_owned(), keys, clock: hands.clock() };
    Setup { access: Arc::new(External::new(options).unwrap()), ..Setup::default() }.start().await
}

fn access(name: &str, actions: &[&str]) -> Value {
    json!({ "access": [{ "type": "repository", "class": "image", "name": name, "actions": actions }] })
}

#[tokio::test]
async fn tokens_by_the_keys_of_certificates_are_taken() {
    let hands = Hands::new();
    let bundle: Vec<u8> = KEYS.iter().flat_map(|(_, _, certificate, _)| [certificate, &b"\n"[..]].concat()).collect();
    let registry = registry(&hands, keys_of_certificates(&bundle).unwrap()).await;
    for (algorithm, key, certificate, libtrust) in KEYS {
        let key = Key::of_pem(algorithm, key);
        let claims = with(&claims(hands.now()), &access("a", &["pull"]));
        let status = async |header: Value, claims: &Value| {
            let token = format!("Bearer {}", key.token(&header, claims));
            ask(&registry, "GET", "/v2/a/tags/list", Some(&token)).await.status
        };
        assert_eq!(
            status(json!({ "alg": algorithm, "kid": libtrust, "typ": "JWT" }), &claims).await,
            404,
            "{algorithm}"
        );
        if algorithm == "RS256" {
            assert_eq!(status(json!({ "alg": algorithm, "kid": THUMBPRINT }), &claims).await, 404);
        }
        // Not another's, and not by another algorithm.
        for (_, _, _, other) in KEYS.iter().filter(|(_, _, _, other)| *other != libtrust) {
            assert_eq!(status(json!({ "alg": algorithm, "kid": other }), &claims).await, 401);
        }
        assert_eq!(status(json!({ "alg": "HS256", "kid": libtrust }), &claims).await, 401);
        // By what everybody may know: the certificate.
        let der = rustls_pki_types::CertificateDer::from_pem_slice(certificate).unwrap();
        for secret in [certificate.to_vec(), certificate.trim_ascii().to_vec(), der.to_vec()] {
            let token = Key::Hs256(secret).token(&json!({ "alg": "HS256", "kid": libtrust }), &claims);
            ask(&registry, "GET", "/v2/a/tags/list", Some(&format!("Bearer {token}"))).await.is(401);
        }
        for change in [json!({ "iss": "x" }), json!({ "aud": "x" }), json!({ "exp": hands.now() - 31 })] {
            let changed = with(&claims, &change);
            assert_eq!(status(json!({ "alg": algorithm, "kid": libtrust }), &changed).await, 401, "{change}");
        }
    }
    for (bundle, said) in [
        (&b""[..], "there is no certificate in it"),
        (KEYS[0].1, "there is no certificate in it"),
        (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificate 1 cannot be read"),
    ] {
        let error = keys_of_certificates(bundle).unwrap_err().to_string();
        assert!(error.starts_with(said), "{error}");
    }
}

#[tokio::test]
async fn a_token_of_another_grants_what_it_says() {
    let hands = Hands::new();
    let (_, key, _, _) = KEYS[2];
    let x = {
        // The last 32 bytes of an Ed25519 public key are the key; ring has it from the private one.
        use ring::signature::KeyPair as _;
        let Key::EdDsa(pair) = Key::of_pem("EdDSA", key) else { panic!("an Ed25519 key") };
        URL_SAFE_NO_PAD.encode(pair.public_key().as_ref())
    };
    let jwks = json!({ "keys": [
        { "kty": "oct", "kid": "secret", "k": "AAAA" },
        { "kty": "EC", "crv": "P-384", "kid": "other", "x": "AA", "y": "AA" },
        { "kty": "OKP", "crv": "Ed25519", "kid": "encrypts", "use": "enc", "x": x },
        { "kty": "OKP", "crv": "Ed25519", "kid": "is", "use": "sig", "alg": "EdDSA", "x": x },
    ]});
    let registry = registry(&hands, PublicKeys::from_jwks(jwks.to_string().as_bytes()).unwrap()).await;
    let key = Key::of_pem("EdDSA", key);
    let token = |kid: &str, change: &Value| {
        let header = json!({ "alg": "EdDSA", "kid": kid });
        format!("Bearer {}", key.token(&header, &with(&claims(hands.now()), change)))
    };
    let issuer = "Bearer realm=\"https://auth.example.com/token\",service=\"the service\"";
    for (authorization, error) in [
        (None, ""),
        (Some(token("is", &json!({}))), ",error=\"insufficient_scope\""),
        (Some(token("is", &access("b", &["*"]))), ",error=\"insufficient_scope\""),
        (Some(token("is", &access("a", &["push"]))), ",error=\"insufficient_scope\""),
        (Some(token("encrypts", &access("a", &["*"]))), ",error=\"invalid_token\""),
        (Some(token("secret", &access("a", &["*"]))), ",error=\"invalid_token\""),
    ] {
        let answer = ask(&registry, "GET", "/v2/a/tags/list", authorization.as_deref()).await;
        answer.refused(401, "UNAUTHORIZED");
        let expected = format!("{issuer},scope=\"repository:a:pull\"{error}");
        assert_eq!(answer.header("www-authenticate"), expected);
    }
    ask(&registry, "POST", "/v2/a/blobs/uploads/", Some(&token("is", &access("a", &["*"])))).await.is(202);
    let catalog = json!({ "access": [{ "type": "registry", "name": "catalog", "actions": ["*"] }] });
    ask(&registry, "GET", "/v2/_catalog", Some(&token("is", &catalog))).await.is(200);
    ask(&registry, "GET", "/v2/_catalog", Some(&token("is", &access("a", &["*"])))).await.is(401);
    ask(&registry, "GET", "/v2/", Some(&token("is", &json!({ "access": null })))).await.is(200);
}
