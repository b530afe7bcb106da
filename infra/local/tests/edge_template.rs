//! The edge that the template deploys.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

#[path = "support/client.rs"]
mod client;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use berth_local::edge::{Distribution, Edge, EdgeError, EdgeOptions};
use berth_local::lambda::Door;
use berth_local::{Emulators, Names, Template};
use client::{door, exchange, probe};
use ring::hmac;
use s3s::crypto::{Checksum as _, Sha256};
use serde_json::json;

const TEMPLATE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml"));

const ID: &str = "0198b6f0-0000-7000-8000-000000000000";

/// What a deployment with the edge adds.
fn names(door: &Door) -> Names {
    let fixture = include_str!("fixtures/signed-url.txt");
    let key = fixture.split_inclusive("-----END PUBLIC KEY-----").next().unwrap();
    let secrets = [
        ("OriginSecret", "secret"),
        ("OriginSecrets", "secret"),
        ("UploadKeys", "key"),
        ("KeysArn", "arn:aws:s3:::berth/berth/edge/keys-1.json"),
        ("PublicKey", key),
        ("Anonymous", "false"),
        ("PrivateKey", "private"),
    ];
    let names = Names::default().physical("Bucket", "berth").physical("Table", "berth");
    let template = Template::parse(TEMPLATE).unwrap();
    let names = names.parameter("CloudFrontDownloads", "true").parameter("LargestLayer", "8000000");
    let url = template.function_url("RegistryFunction", &names).unwrap();
    let names = names.attribute(url, "FunctionUrl", format!("{}/", door.url()));
    secrets.iter().fold(names, |names, (name, value)| names.attribute("EdgeSecrets", *name, *value))
}

async fn start() -> (Emulators, Door, Names) {
    let emulators = Emulators::start().await.unwrap();
    let door = door(probe()).await;
    let names = names(&door);
    (emulators, door, names)
}

fn deploy(template: &str, emulators: &Emulators, names: &Names) -> Result<Edge, EdgeError> {
    let template = Template::parse(template).unwrap();
    Edge::start(Distribution::deployed(&template, "EdgeDistribution", names, emulators)?, EdgeOptions::default())
}

/// As the function of the custom resource leaves it.
async fn import(emulators: &Emulators) {
    let data = json!({ "data": [{ "key": "upload-keys", "value": "key,older" }] }).to_string();
    put(emulators, "berth/edge/keys-1.json", data.into_bytes()).await;
}

async fn put(emulators: &Emulators, key: &str, body: Vec<u8>) {
    let options = emulators.options();
    let keys = aws_sdk_s3::config::Credentials::new(&options.access_key, &options.secret_key, None, None, "test");
    let config = aws_sdk_s3::Config::builder().behavior_version(aws_sdk_s3::config::BehaviorVersion::latest());
    let config = config.endpoint_url(emulators.s3().endpoint()).force_path_style(true).credentials_provider(keys);
    let config = config.region(aws_sdk_s3::config::Region::new(options.region.clone()));
    let config = config.http_client(aws_smithy_http_client::Builder::new().build_http());
    let client = aws_sdk_s3::Client::from_conf(config.build());
    client.put_object().bucket(emulators.s3().bucket()).key(key).body(body.into()).send().await.unwrap();
}

/// The ticket of a session, good for a minute.
fn ticket(name: &str) -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let expires = now + 60;
    let message = format!("berth-edge-1\n{name}\n{ID}\n{expires}");
    let code = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b"older"), message.as_bytes());
    format!("{expires}.{}", URL_SAFE_NO_PAD.encode(code))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closing_put_goes_to_the_bucket_and_all_else_to_the_registry() {
    let (emulators, _door, names) = start().await;
    import(&emulators).await;
    let edge = deploy(TEMPLATE, &emulators, &names).unwrap();
    let send = |head: &str, body: &[u8]| {
        exchange(edge.address(), &format!("{head}\r\nhost: edge.test\r\nconnection: close"), body)
    };
    let event = send("GET /v2/?a=b HTTP/1.1\r\nauthorization: Basic a\r\nx-berth-origin: forged", b"").json();
    assert_eq!((&event["rawPath"], &event["rawQueryString"]), (&json!("/v2/"), &json!("a=b")));
    assert_eq!(event["headers"]["x-berth-origin"], "secret");
    assert_eq!(event["headers"]["x-forwarded-host"], "edge.test");
    let large = vec![7; 5_000_000];
    let hex = hex::encode(Sha256::checksum(&large));
    let put_of = |content: &[u8], query: &str| {
        let path = format!("/v2/team/app/blobs/uploads/{ID}?_state=s.t&digest=sha256%3A{hex}{query}");
        send(&format!("PUT {path} HTTP/1.1\r\nauthorization: Basic a\r\ncontent-length: {}", content.len()), content)
    };
    let put = |query: &str| put_of(&large, query);
    let other = put_of(&vec![8; 5_000_000], &format!("&_edge={}", ticket("team/app")));
    assert_eq!(other.status, 400, "{other:?}");
    assert!(other.text().contains("XAmzContentSHA256Mismatch"), "{}", other.text());
    assert_eq!(emulators.s3().objects().len(), 1, "the keys alone: nothing of it is stored");
    let staged = put(&format!("&_edge={}", ticket("team/app")));
    assert_eq!(staged.status, 303, "{staged:?}");
    let commit = staged.header("location").unwrap();
    assert!(commit.starts_with(&format!("/v2/team/app/blobs/uploads/{ID}?_state=s.t&digest=sha256:{hex}")), "{commit}");
    let key = format!("docker/registry/v2/repositories/team/app/_uploads/{ID}/edge/sha256/{hex}");
    assert_eq!(emulators.s3().objects()[&key].length, 5_000_000);
    // Another repository's ticket, and none.
    let forged = put(&format!("&_edge={}", ticket("team/other")));
    assert!((400..500).contains(&forged.status), "{forged:?}");
    assert!(forged.json()["errors"][0]["code"].is_string());
    assert!((400..500).contains(&put("").status));
    assert_eq!(emulators.s3().objects().len(), 2);
    assert!(emulators.denied().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn downloads_want_signatures_and_may_read_blobs_alone() {
    let (emulators, _door, names) = start().await;
    import(&emulators).await;
    let blob = "docker/registry/v2/blobs/sha256/aa/aaaa/data";
    put(&emulators, blob, b"blob".to_vec()).await;
    let edge = deploy(TEMPLATE, &emulators, &names).unwrap();
    let answer = exchange(edge.address(), &format!("GET /{blob} HTTP/1.1\r\nhost: edge.test"), b"");
    assert_eq!(answer.status, 403);
    assert!(answer.text().contains("MissingKey"), "{}", answer.text());
    let put = exchange(edge.address(), &format!("PUT /{blob} HTTP/1.1\r\nhost: edge.test\r\ncontent-length: 0"), b"");
    assert_eq!(put.status, 403);
    // Without the key group, as if it were signed.
    let open = TEMPLATE.replace("TrustedKeyGroups: [{Ref: DownloadKeyGroup}]", "TrustedKeyGroups: []");
    let edge = deploy(&open, &emulators, &names).unwrap();
    let answer = exchange(edge.address(), &format!("GET /{blob}?x-id=1 HTTP/1.1\r\nhost: edge.test"), b"");
    assert_eq!((answer.status, answer.text()), (200, "blob"));
    assert_eq!(edge.requests()[0].sent.as_deref(), Some(format!("/berth/{blob}").as_str()), "without its query");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_understood_is_said_with_its_place() {
    let (emulators, _door, names) = start().await;
    let missing = deploy(TEMPLATE, &emulators, &names).unwrap_err().to_string();
    assert!(missing.contains("ImportSource: there is no object berth/edge/keys-1.json"), "{missing}");
    import(&emulators).await;
    for (from, to, said) in [
        ("SigningBehavior: always", "SigningBehavior: never", "signs always"),
        ("Runtime: cloudfront-js-2.0", "Runtime: cloudfront-js-1.0", "cloudfront-js-2.0"),
        ("4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "aaaaaaaa", "cache policy aaaaaaaa"),
        ("b689b0a8-53d0-40ab-baf2-68738e2966ac", "aaaaaaaa", "origin request policy aaaaaaaa"),
        ("TargetOriginId: registry", "TargetOriginId: nowhere", "no origin nowhere"),
        ("import cf from 'cloudfront';", "import cf from 'elsewhere';", "elsewhere"),
    ] {
        let template = TEMPLATE.replacen(from, to, 1);
        assert_ne!(template, TEMPLATE, "{from}");
        let error = deploy(&template, &emulators, &names).unwrap_err().to_string();
        assert!(error.contains(said), "{to}: {error}");
    }
    let names = names.attribute("EdgeSecrets", "PublicKey", "none");
    assert!(matches!(deploy(TEMPLATE, &emulators, &names), Err(EdgeError::Key(_))));
    let names = names.parameter("Front", "function-url").parameter("CloudFrontDownloads", "false");
    let error = deploy(TEMPLATE, &emulators, &names).unwrap_err().to_string();
    assert!(error.contains("not deployed"), "{error}");
}
