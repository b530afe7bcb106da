//! Tokens that are not what they should be.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    alice,
    forge::{Hands, Key, read, with},
    registry,
};
use crate::{client::Body, registry::Registry};

const PULL: &str = "/v2/team/app/tags/list";

async fn status(registry: &Registry, token: &str) -> u16 {
    let answer = super::ask(registry, "GET", PULL, Some(&format!("Bearer {token}"))).await;
    if answer.status == 401 {
        assert!(answer.header("www-authenticate").ends_with("error=\"invalid_token\""), "{answer:?}");
    }
    answer.status
}

#[tokio::test]
async fn a_forged_token_is_not_taken() {
    let hands = Hands::new();
    let registry = registry(&hands).await;
    let genuine = alice(&registry, "repository:team/app:pull").await.replace("Bearer ", "");
    let (header, claims) = read(&genuine);
    let (key, kid) = Key::of(&registry).await;
    assert_eq!(header["kid"], kid);
    // The forger can do it right.
    assert_eq!(status(&registry, &key.token(&header, &claims)).await, 404);

    // By the right key, with the wrong words.
    let now = hands.now();
    let host = registry.addr.to_string();
    for change in [
        json!({ "aud": "another.example.com" }),
        json!({ "aud": format!("{host}/token") }),
        json!({ "aud": [] }),
        json!({ "aud": null }),
        json!({ "aud": host.to_uppercase() + "." }),
        json!({ "iss": "another.example.com" }),
        json!({ "iss": null }),
        json!({ "exp": now - 31 }),
        json!({ "exp": null }),
        json!({ "exp": "tomorrow" }),
        json!({ "exp": -1 }),
        json!({ "nbf": now + 31 }),
        json!({ "iat": now + 31 }),
        json!({ "berth": null }),
        json!({ "berth": { "superuser": "x" } }),
        json!({ "access": "repository:team/app:pull" }),
    ] {
        assert_eq!(status(&registry, &key.token(&header, &with(&claims, &change))).await, 401, "{change}");
    }
    for change in
        [json!({ "exp": now - 29 }), json!({ "nbf": now + 29, "iat": now + 29 }), json!({ "aud": [host, "x"] })]
    {
        assert_eq!(status(&registry, &key.token(&header, &with(&claims, &change))).await, 404, "{change}");
    }
    for change in [
        json!({ "typ": "JWT" }),
        json!({ "typ": null }),
        json!({ "typ": "berth-refresh+jwt" }),
        json!({ "alg": "RS256" }),
        json!({ "alg": "none" }),
        json!({ "alg": null }),
        json!({ "crit": ["exp"] }),
        json!({ "crit": [] }),
        json!({ "crit": ["b64"], "b64": false }),
        json!({ "kid": null }),
        json!({ "kid": 1 }),
        json!({ "kid": "" }),
        json!({ "kid": "../../../../etc/passwd" }),
        json!({ "kid": "/berth/keys/signing/current" }),
        json!({ "kid": "https://evil.example.com/key" }),
        json!({ "kid": format!("{kid}\u{0}") }),
        json!({ "kid": kid.to_uppercase() }),
    ] {
        assert_eq!(status(&registry, &key.token(&with(&header, &change), &claims)).await, 401, "{change}");
    }

    // By others, who say to be the right one, or bring their own keys along.
    let stranger = Key::es256(&berth::auth::jws::SigningKey::generate().unwrap());
    let own = json!({ "kty": "EC", "crv": "P-256", "x": "x", "y": "y", "kid": kid });
    for change in [
        json!({}),
        json!({ "jwk": own }),
        json!({ "jku": "https://evil.example.com/jwks.json" }),
        json!({ "x5u": "https://evil.example.com/cert.pem" }),
        json!({ "x5c": ["MIIB"] }),
    ] {
        assert_eq!(status(&registry, &stranger.token(&with(&header, &change), &claims)).await, 401, "{change}");
    }
    for (alg, key) in [
        ("none", Key::None),
        ("None", Key::None),
        ("HS256", Key::Hs256(kid.as_bytes().to_vec())),
        ("HS256", Key::Hs256(Vec::new())),
        ("ES256", Key::None),
    ]
    .into_iter()
    // Everybody may know the public key: as bytes, in a JSON Web Key, in PEM.
    .chain(key.public_forms().into_iter().map(|form| ("HS256", Key::Hs256(form))))
    {
        let forged = key.token(&with(&header, &json!({ "alg": alg })), &claims);
        assert_eq!(status(&registry, &forged).await, 401, "{alg}");
    }
    let rsa = Key::of_pem("RS256", include_bytes!("rsa.key.pem"));
    assert_eq!(status(&registry, &rsa.token(&with(&header, &json!({ "alg": "RS256" })), &claims)).await, 401);
}

#[tokio::test]
async fn a_token_that_is_changed_is_not_taken() {
    let hands = Hands::new();
    let registry = registry(&hands).await;
    let genuine = alice(&registry, "repository:team/app:pull").await.replace("Bearer ", "");
    assert_eq!(status(&registry, &genuine).await, 404);
    let parts: Vec<&str> = genuine.split('.').collect();
    let (_, claims) = read(&genuine);
    let wider =
        with(&claims, &json!({ "access": [{ "type": "repository", "name": "team/app", "actions": ["push"] }] }));
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    // The last character of the signature has bits that no byte uses.
    let (all_but_last, last) = parts[2].split_at(parts[2].len() - 1);
    let unused = char::from(last.as_bytes()[0] + 1);
    for changed in [
        format!("{}.{}.{}", parts[0], text(&wider), parts[2]),
        format!("{}.{}.", parts[0], parts[1]),
        format!("{}.{}", parts[0], parts[1]),
        format!("{genuine}."),
        format!("{genuine}.{}", parts[2]),
        format!(".{genuine}"),
        format!("{genuine}="),
        format!("{}.{}.{all_but_last}{unused}", parts[0], parts[1]),
        format!("{}=.{}.{}", parts[0], parts[1], parts[2]),
        format!("{}.{}.{}", parts[0], parts[1], "AAAA".repeat(16)),
        format!("{genuine} {genuine}"),
        "a".repeat(17 << 10),
        format!("{}.{}.{}", text(&json!({ "alg": "ES256" })), "A".repeat(17 << 10), parts[2]),
    ] {
        assert_eq!(status(&registry, &changed).await, 401, "{changed}");
    }
    // A name that is there twice says two things.
    let double = |part: &str| {
        let text = String::from_utf8(URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
        URL_SAFE_NO_PAD.encode(text.replacen('{', "{\"alg\":\"none\",\"exp\":1,", 1))
    };
    assert_eq!(status(&registry, &format!("{}.{}.{}", double(parts[0]), parts[1], parts[2])).await, 401);

    hands.pass(Duration::from_secs(329));
    assert_eq!(status(&registry, &genuine).await, 404);
    hands.pass(Duration::from_secs(1));
    assert_eq!(status(&registry, &genuine).await, 401);
}

#[tokio::test]
async fn a_token_is_for_the_host_that_gave_it_out_and_widens_nothing() {
    let registry = registry(&Hands::new()).await;
    let token = alice(&registry, "repository:team/app:pull").await;
    let ask = async |host: &str| {
        let headers = [("authorization", token.as_str()), ("host", host)];
        registry.client().await.ask("GET", PULL, &headers, Body::None).await.status
    };
    assert_eq!(ask(&registry.addr.to_string()).await, 404);
    assert_eq!(ask("another.example.com").await, 401);

    // A genuine token of who may less says more than the rules allow: the rules hold.
    let (key, _) = Key::of(&registry).await;
    let (header, claims) = read(&token.replace("Bearer ", ""));
    let access = json!([{ "type": "repository", "name": "secret", "actions": ["pull"] }]);
    let forged = key.token(&header, &with(&claims, &json!({ "access": access })));
    let answer = super::ask(&registry, "GET", "/v2/secret/tags/list", Some(&format!("Bearer {forged}"))).await;
    answer.refused(403, "DENIED");
}

#[tokio::test]
async fn nothing_is_injected_into_a_challenge() {
    let registry = registry(&Hands::new()).await;
    let quotes = |text: &str| text.matches('"').count();
    for name in ["a%22,scope=%22x", "a%0d%0ax:%20y", "a\",error=\"x", "a%5c", "A", "..", "a%2f%2e%2e"] {
        let answer = super::ask(&registry, "GET", &format!("/v2/{name}/tags/list"), None).await;
        answer.refused(401, "UNAUTHORIZED");
        assert_eq!(answer.all("www-authenticate").len(), 1);
        assert_eq!(quotes(&answer.header("www-authenticate")), 4, "{name}: {answer:?}");
        assert!(!answer.has("x"), "{answer:?}");
    }
    for host in ["a\",service=\"evil", "a\\", "user@evil", "a,b"] {
        for header in ["host", "x-forwarded-host"] {
            let headers = [(header, host)];
            let answer = registry.client().await.ask("GET", "/v2/", &headers, Body::None).await;
            answer.is(401);
            let challenge = answer.header("www-authenticate");
            assert_eq!(quotes(&challenge), 4, "{header}: {host}: {challenge}");
            assert!(!challenge.contains("evil"), "{challenge}");
        }
    }
}
