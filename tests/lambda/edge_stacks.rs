//! The secrets of stacks: what a stack owns, what an update may change, and what a permission that comes late does.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth::{config::Config, context::Context, driver::DriverErrorKind, wire::Adapters};
use berth_local::{
    Fault, Identity, Policy, Rule,
    lambda::{DoorOptions, FunctionBuilder},
};
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::{
    edge_secrets::Resource,
    stack::{Shared, described, logged_in, names, push_blob},
    support::registry::on_aws,
};

const OTHER: &str = "7d9a0f52-51a2-11ef-9b41-0a1b2c3d4e5f";

async fn resource() -> Resource {
    Resource::start(Shared::start().await, |function| function).await
}

/// Two stacks may use one bucket.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stack_has_its_own_secrets_and_deletes_no_others() {
    let mut resource = resource().await;
    let (id, first) = (resource.stack, resource.data("Create", "1").await);
    resource.stack = OTHER;
    let other = resource.data("Create", "1").await;
    for name in ["OriginSecret", "UploadKeys", "PrivateKey", "KeysArn"] {
        assert_ne!(first.text(name), other.text(name));
    }
    // A stack whose creation failed is rolled back, whatever it had made.
    assert_eq!(resource.told(&resource.event("Delete", &resource.properties("1"))).await["Status"], "SUCCESS");
    assert_eq!(resource.files(), [""; 0]);
    resource.stack = id;
    assert_eq!(resource.data("Update", "1").await, first);
    // And one whose name is the beginning of another's.
    resource.stack = "5b7c1c30";
    assert_eq!(resource.told(&resource.event("Delete", &json!({}))).await["Status"], "SUCCESS");
    resource.stack = id;
    assert_eq!(resource.data("Update", "1").await, first);
    for id in ["a_b", "..", "", "a*"] {
        resource.stack = id;
        let reason = resource.failure(&resource.event("Create", &resource.properties("1"))).await;
        assert!(reason.contains("StackId: its last part"), "{id}: {reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_creation_that_failed_at_any_request_can_be_made_again() {
    let emulators = Shared::that_may_refuse().await;
    let mut resource = Resource::start(emulators, |function| function).await;
    let failed = Fault::Error { status: 400, code: "InvalidArgument".to_owned() };
    for moment in 0.. {
        resource.emulators.reset();
        resource.emulators.inject(Rule::new(failed.clone()).skip(moment).times(1));
        let answer = resource.told(&resource.event("Create", &resource.properties("1"))).await;
        resource.emulators.clear_faults();
        if answer["Status"] == "SUCCESS" {
            println!("failed at each of {moment} requests");
            assert!(moment >= 6, "{moment}");
            return;
        }
        // On the next one CloudFormation takes back what there is; on the others the same stack goes on.
        if moment % 2 == 0 {
            assert_eq!(resource.told(&resource.event("Delete", &resource.properties("1"))).await["Status"], "SUCCESS");
            assert_eq!(resource.files(), [""; 0]);
        }
        let data = resource.data("Create", "1").await;
        assert_eq!(resource.data("Update", "1").await, data);
        assert_eq!(resource.imported("1").await, data.text("UploadKeys"));
        resource.told(&resource.event("Delete", &resource.properties("1"))).await;
    }
}

/// `event`, of a resource that had `old` properties.
fn changed(resource: &Resource, old: Value, new: &Value) -> Value {
    let mut event = resource.event("Update", new);
    event["OldResourceProperties"] = old;
    event
}

/// The secrets that CloudFront has stay where they are: an update that loses them would shut everybody out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_update_to_another_place_or_without_what_was_made_is_refused() {
    let mut resource = resource().await;
    let first = resource.data("Create", "1").await;
    let old = resource.properties("1");
    let with = |name: &str, value: &str| {
        let mut properties = old.clone();
        properties[name] = value.into();
        properties
    };
    for new in [with("Bucket", "another"), with("RootDirectory", ""), with("RootDirectory", "some/")] {
        let reason = resource.failure(&changed(&resource, old.clone(), &new)).await;
        assert!(reason.contains("cannot change (from s3://") && reason.contains("set it back"), "{reason}");
        // CloudFormation takes it back by an update from what was refused.
        assert_eq!(
            resource.told(&changed(&resource, new, &old)).await["Data"]["OriginSecret"],
            first.text("OriginSecret")
        );
    }
    assert_eq!(resource.data_of("Update", with("RootDirectory", "/some/where")).await, first, "it is the same");

    // The function of another bucket finds nothing there, and says why.
    let elsewhere = |function: FunctionBuilder| function.env("REGISTRY_STORAGE_S3_ROOTDIRECTORY", "/other");
    let mut moved = Resource::start(resource.emulators.clone(), elsewhere).await;
    let reason = moved.failure(&changed(&moved, old.clone(), &with("RootDirectory", "other/"))).await;
    assert!(reason.contains("cannot change (from s3://") && reason.contains("/some/where to s3://"), "{reason}");

    // Nothing is made in the place of what is lost.
    let id = resource.stack;
    let path = |file: &str| format!("/some/where/berth/edge/{id}/{file}").parse().unwrap();
    let config = Config::parse("test.yml", &on_aws(&resource.emulators, ""), []).unwrap();
    let driver = Adapters::open(&config).await.unwrap().driver().clone();
    for file in ["secrets-1.json", "download-key.json", "secrets.json"] {
        let ctx = Context::background("test");
        let content = driver.get(&ctx, &path(file), 4096).await.unwrap();
        driver.delete(&ctx, &[path(file)]).await.unwrap();
        for version in ["1", "2"] {
            let reason = resource.failure(&resource.event("Update", &resource.properties(version))).await;
            assert!(reason.contains(&format!("{file} is missing")), "{reason}");
        }
        driver.put(&ctx, &path(file), content.into(), Default::default()).await.unwrap();
        assert_eq!(resource.data("Update", "1").await, first);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rules_say_whether_anybody_may_do_anything_unseen() {
    let mut resource = resource().await;
    let mut anonymous = async |kind: &str, rules: Option<&str>| {
        let mut properties = resource.properties("1");
        if let Some(rules) = rules {
            properties["Rules"] = rules.into();
        }
        resource.data_of(kind, properties).await.text("Anonymous").to_owned()
    };
    assert_eq!(anonymous("Create", None).await, "false");
    assert_eq!(anonymous("Update", Some("")).await, "false");
    assert_eq!(anonymous("Update", Some("allow account:123456789012 to pull, push on **")).await, "false");
    let open = "allow user:anna to push on **\nallow anonymous to pull on public/** # for all";
    assert_eq!(anonymous("Update", Some(open)).await, "true");
    assert_eq!(
        anonymous("Update", Some("allow user:anna to pull on **; # allow anonymous to pull on **")).await,
        "false"
    );
}

/// A role that was just made may be denied what it is allowed, for some seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_that_comes_late_fails_no_stack() {
    let mut resource = Resource::start(Shared::that_may_refuse().await, |function| function).await;
    for (operation, kind, version) in
        [("GetObject", "Create", "1"), ("PutObject", "Update", "2"), ("DeleteObjects", "Update", "3")]
    {
        resource.emulators.reset();
        resource.emulators.inject(Rule::new(Fault::AccessDenied).operation(operation).times(2));
        let data = resource.data(kind, version).await;
        let denied = resource.emulators.requests().iter().filter(|request| request.fault.is_some()).count();
        assert_eq!(denied, 2, "{operation}");
        assert_eq!(resource.imported(version).await, data.text("UploadKeys"));
    }
    resource.emulators.inject(Rule::new(Fault::AccessDenied).operation("ListObjectsV2").times(1));
    assert_eq!(resource.told(&resource.event("Delete", &json!({}))).await["Status"], "SUCCESS");
    assert_eq!(resource.files(), [""; 0]);
}

/// CloudFront reads it with the permissions of whoever deploys: one object, in which there is nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_deploys_needs_to_read_one_object_that_holds_the_upload_keys_alone() {
    let mut resource = Resource::start(Shared::that_may_refuse().await, |function| function).await;
    let data = resource.data("Create", "1").await;
    let arn = data.text("KeysArn").replace("arn:aws-cn:", "arn:aws:");
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Sid": "Import", "Effect": "Allow", "Action": "s3:GetObject", "Resource": arn }],
    });
    let deployer = Identity::named("deployer", Some(Policy::parse(&policy).unwrap()));
    resource.emulators.add_identity(deployer.clone());
    let configured = on_aws(&resource.emulators, "");
    let options = resource.emulators.options();
    let configured = configured.replace(&options.access_key, &deployer.access_key);
    let configured = configured.replace(&options.secret_key, &deployer.secret_key);
    let config = Config::parse("test.yml", &configured, []).unwrap();
    let driver = Adapters::open(&config).await.unwrap().driver().clone();
    let read = async |file: &str| {
        let path = format!("/some/where/berth/edge/{}/{file}", resource.stack).parse().unwrap();
        driver.get(&Context::background("test"), &path, 4096).await
    };
    let imported = String::from_utf8(read("keys-1.json").await.unwrap().to_vec()).unwrap();
    assert!(imported.contains(data.text("UploadKeys")));
    assert!(!imported.contains(data.text("OriginSecret")) && !imported.contains(data.text("PrivateKey")));
    for file in ["secrets.json", "secrets-1.json", "download-key.json"] {
        assert_eq!(read(file).await.unwrap_err().kind, DriverErrorKind::Denied, "{file}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registry_signs_with_the_key_that_cloudfront_is_told_of() {
    let data = Resource::start(Shared::start().await, |function| function).await.data("Create", "1").await;
    let pem = data.text("PublicKey").lines().filter(|line| !line.starts_with('-')).collect::<String>();
    let key = STANDARD.decode(pem).unwrap()[26..].to_vec();
    let emulators = Shared::start().await;
    let names = names(&emulators).parameter("RootDirectory", "some/where/");
    let function = described(&emulators, "RegistryFunction", &names)
        .env("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_KEYPAIRID", "K1")
        .env("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_PRIVATEKEY", data.text("PrivateKey"))
        .env("REGISTRY_STORAGE_REDIRECT_CLOUDFRONT_LIFE", "1h")
        .start()
        .await
        .unwrap();
    let door = function.door(DoorOptions::default()).unwrap();
    let http = logged_in(&door);
    let digest = push_blob(&http, "app", &"content".into()).await;
    let answer = http.get(&format!("/v2/app/blobs/{digest}")).await;
    assert_eq!(answer.status, 307, "{answer:?}");
    let (url, query) = answer.header("location").split_once('?').unwrap();
    let hex = digest.encoded();
    let key_in_bucket = format!("some/where/docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
    assert!(url.starts_with("http") && url.ends_with(&format!("://{}/{key_in_bucket}", door.address())), "{url}");
    assert!(emulators.s3().objects().contains_key(&key_in_bucket));
    let read = |name: &str| {
        let value = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).expect(name);
        STANDARD.decode(value.replace('-', "+").replace('_', "=").replace('~', "/")).unwrap()
    };
    let policy = read("Policy");
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, key).verify(&policy, &read("Signature")).unwrap();
    let policy: Value = serde_json::from_slice(&policy).unwrap();
    assert_eq!(policy["Statement"][0]["Resource"], url);
    let expires = policy["Statement"][0]["Condition"]["DateLessThan"]["AWS:EpochTime"].as_u64().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!((now + 3540..=now + 3601).contains(&expires), "{expires} {now}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_is_logged() {
    let loud = |function: FunctionBuilder| function.env("RUST_LOG", "trace").env("REGISTRY_LOG_LEVEL", "debug");
    let mut resource = Resource::start(Shared::start().await, loud).await;
    let mut secrets = Vec::new();
    for (kind, version) in [("Create", "1"), ("Update", "2"), ("Update", "2")] {
        let data = resource.data(kind, version).await;
        secrets.extend([data.secrets("OriginSecrets"), data.secrets("UploadKeys")].concat());
        secrets.push(data.text("PrivateKey").to_owned());
    }
    resource.failure(&resource.event("Update", &json!({ "Version": "?" }))).await;
    resource.function.log(|line| line.text.contains("could not be dealt with")).await;
    let logs = resource.function.logs();
    assert!(logs.iter().any(|line| line.text.contains("\"TRACE\"")), "it is logged loudly");
    for secret in secrets {
        // Bytes may be shown as text, or as numbers.
        let numbers = format!("{:?}", &secret.as_bytes()[..16]);
        let numbers = numbers.trim_matches(['[', ']']);
        for line in &logs {
            assert!(!line.text.contains(&secret[..16]) && !line.text.contains(numbers), "{}", line.text);
        }
    }
}
