//! Blobs that are to be had at the storage's own URLs.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth::{aws::cloudfront::UrlKey, context::Clock, driver::cloudfront::CloudFront, http::Options, storage};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

use crate::{
    client::Body,
    registry::{Registry, Setup},
};

async fn redirecting() -> Registry {
    let storage = storage::Options { redirect: true, ..storage::Options::default() };
    let registry = Setup { storage, ..Setup::default() }.start().await;
    registry.driver.presign_at("https://bucket.example");
    registry
}

#[tokio::test]
async fn get_and_head_are_sent_to_storage() {
    let registry = redirecting().await;
    let digest = registry.push_blob("repo", b"content").await;
    let mut client = registry.client().await;
    let target = format!("/v2/repo/blobs/{digest}");
    for (method, signed) in [("GET", "Get"), ("HEAD", "Head")] {
        let answer = client.ask(method, &target, &[("range", "bytes=0-2")], Body::None).await;
        answer.is(307);
        let location = answer.header("location");
        let hex = digest.trim_start_matches("sha256:");
        assert!(location.starts_with("https://bucket.example/docker/registry/v2/blobs/sha256/"), "{location}");
        assert!(location.ends_with(&format!("/{hex}/data?method={signed}")), "{location}");
        assert_eq!(answer.header("docker-content-digest"), digest);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("content-length"), "0");
    }
}

#[tokio::test]
async fn access_is_checked_before_anybody_is_sent_anywhere() {
    let registry = redirecting().await;
    let digest = registry.push_blob("repo", b"content").await;
    let target = format!("/v2/other/blobs/{digest}");
    registry.client().await.get(&target).await.refused(404, "BLOB_UNKNOWN");
}

#[tokio::test]
async fn what_storage_would_answer_otherwise_is_answered_here() {
    let registry = redirecting().await;
    let digest = registry.push_blob("repo", b"content").await;
    let mut client = registry.client().await;
    let target = format!("/v2/repo/blobs/{digest}");
    for range in ["bytes=500-0", "bytes=x"] {
        let answer = client.ask("GET", &target, &[("range", range)], Body::None).await;
        answer.refused(416, "RANGE_INVALID");
        assert_eq!(answer.header("content-range"), "bytes */7");
    }
    let quoted = format!("\"{digest}\"");
    client.ask("GET", &target, &[("if-none-match", &quoted)], Body::None).await.is(304);
}

/// A registry that sends its clients to CloudFront, set up further by `http`, and the public key that it is known by there.
async fn behind_cloudfront(http: Options) -> (Registry, Vec<u8>) {
    let key = UrlKey::read(&UrlKey::generate().unwrap()).unwrap();
    let pem = key.public_pem();
    let der = STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
    let cloudfront = CloudFront {
        key_pair_id: "K2JCJMDEHXQW5F".to_owned(),
        key: Arc::new(key),
        root: "some/where/".to_owned(),
        life: Duration::from_secs(600),
        clock: Clock::new(|| Duration::from_millis(1_700_000_000_001)),
    };
    let storage =
        storage::Options { redirect: true, cloudfront: Some(Arc::new(cloudfront)), ..storage::Options::default() };
    let http = Options { access_log: false, ..http };
    let registry = Setup { storage, http, ..Setup::default() }.start().await;
    registry.driver.presign_at("https://bucket.example");
    // The point is the end of the SubjectPublicKeyInfo.
    (registry, der[26..].to_vec())
}

/// The URL that `location` allows, after its signature was verified with `key`.
fn allowed(location: &str, key: &[u8]) -> String {
    let read = |text: &str| STANDARD.decode(text.replace('-', "+").replace('_', "=").replace('~', "/")).unwrap();
    let (url, query) = location.split_once('?').unwrap();
    let pairs: Vec<_> = query.split('&').map(|pair| pair.split_once('=').unwrap()).collect();
    let [("Policy", policy), ("Signature", signature), ("Key-Pair-Id", id), ("Hash-Algorithm", hash)] =
        pairs.as_slice()
    else {
        panic!("{location}");
    };
    assert_eq!((*id, *hash), ("K2JCJMDEHXQW5F", "SHA256"));
    let policy = read(policy);
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(&policy, &read(signature)).expect(location);
    let policy: serde_json::Value = serde_json::from_slice(&policy).unwrap();
    let condition = serde_json::json!({ "DateLessThan": { "AWS:EpochTime": 1_700_000_601 } });
    assert_eq!(policy, serde_json::json!({ "Statement": [{ "Resource": url, "Condition": condition }] }));
    url.to_owned()
}

#[tokio::test]
async fn get_and_head_are_sent_to_cloudfront_at_the_registrys_own_host() {
    let (registry, key) = behind_cloudfront(Options::default()).await;
    let digest = registry.push_blob("repo", b"content").await;
    let hex = digest.trim_start_matches("sha256:");
    let place = format!("/some/where/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
    let mut client = registry.client().await;
    let target = format!("/v2/repo/blobs/{digest}");
    for method in ["GET", "HEAD"] {
        let headers =
            [("range", "bytes=0-2"), ("x-forwarded-proto", "https"), ("x-forwarded-host", "Registry.example.com:443")];
        let answer = client.ask(method, &target, &headers, Body::None).await;
        answer.is(307);
        assert_eq!(answer.header("docker-content-digest"), digest);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(allowed(&answer.header("location"), &key), format!("https://registry.example.com{place}"));
    }
    let answer = client.get(&target).await;
    assert_eq!(allowed(&answer.header("location"), &key), format!("http://{}{place}", registry.addr));

    // A manifest is answered here, and what is not there is refused here.
    client.get("/v2/repo/manifests/latest").await.refused(404, "MANIFEST_UNKNOWN");
    client.get(&format!("/v2/other/blobs/{digest}")).await.refused(404, "BLOB_UNKNOWN");

    let configured = Options { host: Some("https://r.example.com/".to_owned()), ..Options::default() };
    let (registry, key) = behind_cloudfront(configured).await;
    registry.push_blob("repo", b"content").await;
    let answer = registry.client().await.ask("GET", &target, &[("x-forwarded-host", "other")], Body::None).await;
    assert_eq!(allowed(&answer.header("location"), &key), format!("https://r.example.com{place}"));
}

/// A wildcard in the host's place would stand for the path of any other blob, this one's being its query.
#[tokio::test]
async fn no_client_is_given_a_signature_for_more_than_one_blob() {
    let (registry, _) = behind_cloudfront(Options::default()).await;
    let digest = registry.push_blob("repo", b"content").await;
    let target = format!("/v2/repo/blobs/{digest}");
    for host in ["*", "*.example.com", "**"] {
        for name in ["x-forwarded-host", "host"] {
            let answer = registry.client().await.ask("GET", &target, &[(name, host)], Body::None).await;
            answer.is(307);
            let location = answer.header("location");
            assert!(location.starts_with("https://bucket.example/"), "S3's own URL, as ever: {location}");
        }
    }
}
