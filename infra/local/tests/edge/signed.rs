//! Signed URLs: what lets in, and what does not.

use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use berth_local::edge::{Behavior, Distribution, Edge, EdgeOptions, Origin, PublicKey};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::{answer, get, origin};

fn escaped(bytes: &[u8]) -> String {
    STANDARD.encode(bytes).replace('+', "-").replace('=', "_").replace('/', "~")
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// A distribution whose blobs want signatures.
fn signed_only(keys: Vec<PublicKey>, answers: usize) -> (Edge, JoinHandle<Vec<String>>) {
    let (url, served) = origin(vec![answer("200 OK"); answers]);
    let signed = Behavior::to("one").path("/blobs/*").signers(keys);
    let distribution =
        Distribution::new(Behavior::to("one")).behavior(signed).origin(Origin::url("one", &url).unwrap());
    (Edge::start(distribution, EdgeOptions::default()).unwrap(), served)
}

#[test]
fn a_url_signed_by_p256_lets_in_as_its_policy_says() {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, document.as_ref(), &random).unwrap();
    let head = hex::decode("3059301306072a8648ce3d020106082a8648ce3d030107034200").unwrap();
    let der = STANDARD.encode([&head[..], pair.public_key().as_ref()].concat());
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n{}\n-----END PUBLIC KEY-----\n", &der[..64], &der[64..]);
    let key = PublicKey::parse("KEY", &pem).unwrap();
    let (edge, served) = signed_only(vec![key], 4);
    let url = |resource: &str, condition: Value, sign: &dyn Fn(&str) -> String| {
        let policy = json!({ "Statement": [{ "Resource": resource, "Condition": condition }] }).to_string();
        format!(
            "Policy={}&Signature={}&Key-Pair-Id=KEY&Hash-Algorithm=SHA256",
            escaped(policy.as_bytes()),
            sign(&policy)
        )
    };
    let sign = |policy: &str| escaped(pair.sign(&random, policy.as_bytes()).unwrap().as_ref());
    let until = |at: u64| json!({ "DateLessThan": { "AWS:EpochTime": at } });
    let with = |name: &str, value: Value| {
        let mut condition = until(now() + 60);
        condition[name] = value;
        condition
    };
    let get = |query: &str| get(&edge, &format!("/blobs/a?{query}"));
    let good = url("https://*/blobs/a", until(now() + 60), &sign);
    assert_eq!(get(&good).status, 200);
    assert_eq!(get(&format!("x=1&{}", url("https://edge.test/blobs/a?x=1", until(now() + 60), &sign))).status, 200);
    assert_eq!(get(&url("*", with("IpAddress", json!({ "AWS:SourceIp": "127.0.0.0/8" })), &sign)).status, 200);
    assert_eq!(
        get(&url("http*://edge.test/*", with("DateGreaterThan", json!({ "AWS:EpochTime": now() - 9 })), &sign)).status,
        200
    );
    for (query, code) in [
        (String::new(), "MissingKey"),
        (good.replace("Key-Pair-Id=KEY", "Key-Pair-Id=OTHER"), "InvalidKey"),
        (good.replace("Signature=", "Signatur="), "AccessDenied"),
        (good.replace("Policy=", "Polic="), "AccessDenied"),
        (good.replace("Policy=e", "Policy=f"), "AccessDenied"),
        (good.replace("&Hash-Algorithm=SHA256", ""), "AccessDenied"),
        (url("https://*/blobs/a", until(now() + 60), &|_| sign("other")), "AccessDenied"),
        (url("https://*/blobs/b", until(now() + 60), &sign), "AccessDenied"),
        (url("https://*/blobs/a", until(now() - 1), &sign), "AccessDenied"),
        (url("https://*/blobs/a", json!({}), &sign), "MalformedPolicy"),
        (url("*", with("IpAddress", json!({ "AWS:SourceIp": "10.0.0.0/8" })), &sign), "AccessDenied"),
        (url("*", with("DateGreaterThan", json!({ "AWS:EpochTime": now() + 30 })), &sign), "AccessDenied"),
    ] {
        let answer = get(&query);
        assert_eq!(answer.status, 403, "{query}");
        assert!(answer.text().contains(&format!("<Code>{code}</Code>")), "{query}: {}", answer.text());
    }
    let heads = served.join().unwrap();
    assert!(heads[0].starts_with("GET /blobs/a HTTP/1.1\r\n"), "what signed it stays behind: {}", heads[0]);
    assert!(heads[1].starts_with("GET /blobs/a?x=1 HTTP/1.1\r\n"), "{}", heads[1]);
    assert!(PublicKey::parse("KEY", "not PEM").is_err());
}

#[test]
fn a_url_signed_by_openssl_with_rsa_is_good() {
    let fixture = include_str!("../fixtures/signed-url.txt");
    let line = |name: &str| fixture.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned();
    let key = PublicKey::parse("KEY", fixture).unwrap();
    let (edge, served) = signed_only(vec![key], 2);
    let canned = |signature: &str| format!("/blobs/a?Expires=4102444800&Signature={signature}&Key-Pair-Id=KEY");
    assert_eq!(get(&edge, &canned(&line("sha1 "))).status, 200);
    assert_eq!(get(&edge, &format!("{}&Hash-Algorithm=SHA256", canned(&line("sha256 ")))).status, 200);
    assert_eq!(get(&edge, &canned(&line("sha256 "))).status, 403);
    assert_eq!(get(&edge, &canned(&line("sha1 ")).replace("4102444800", "4102444801")).status, 403);
    assert_eq!(get(&edge, &canned(&line("sha1 ")).replace("/blobs/a", "/blobs/b")).status, 403);
    served.join().unwrap();
}
