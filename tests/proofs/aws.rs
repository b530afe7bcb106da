//! AWS credentials, by a question that their holder signs and STS answers.

use std::time::Duration;

use aws_credential_types::Credentials;
use berth::auth::proof::{
    Offer, Verifier as _,
    aws::{SignError, sign},
};
use berth::context::Context;
use berth_local::Signer;
use proptest::prelude::*;

use crate::{
    sts::{ACCESS_KEY, ROLE, Sts, closed, credentials, opened, signer},
    world::{REGISTRY, proven, refused, verify},
};

#[tokio::test]
async fn credentials_prove_who_holds_them() {
    let sts = Sts::start().await;
    for (arn, identity) in [
        (ROLE, "role:123456789012/Deployer"),
        ("arn:aws:sts::123456789012:assumed-role/Deployer/another", "role:123456789012/Deployer"),
        ("arn:aws:iam::123456789012:user/anna", "iamuser:123456789012/anna"),
        ("arn:aws:iam::123456789012:user/a/path/anna@example.com", "iamuser:123456789012/anna@example.com"),
        ("arn:aws:iam::123456789012:root", "account:123456789012"),
    ] {
        sts.emulators.sts().add(signer(arn));
        // Each in a second of its own, so that none is remembered.
        sts.hands.turn(1);
        assert_eq!(proven(&sts.verifier, &sts.proof()).await, identity);
    }
}

#[tokio::test]
async fn whoever_is_neither_a_role_nor_a_user_is_refused() {
    let sts = Sts::start().await;
    for arn in [
        "arn:aws:sts::123456789012:federated-user/anna",
        "arn:aws:sts::123456789012:assumed-role/Deployer",
        "arn:aws:sts::123456789012:assumed-role/Deployer/a/b",
        "arn:aws:sts::123456789012:assumed-role//session",
        "arn:aws:iam::123456789012:group/anna",
        "arn:aws:iam::123456789012:role/Deployer",
        "arn:aws:iam::123456789012:user/",
        "arn:aws:iam::123456789012:user/an na",
        "arn:aws:iam::1234:user/anna",
        "arn:aws-cn:iam::123456789012:user/anna",
        "arn:aws:iam:us-east-1:123456789012:user/anna",
        "anna",
        "",
    ] {
        sts.emulators.sts().add(signer(arn));
        refused(&sts.verifier, &sts.proof(), arn).await;
    }
}

#[tokio::test]
async fn sts_is_asked_once_and_told_no_more_than_it_needs() {
    let sts = Sts::start().await;
    let proof = sts.proof();
    for _ in 0..3 {
        proven(&sts.verifier, &proof).await;
    }
    let asked = sts.emulators.sts().asked();
    let [asked] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(asked.host.as_deref(), Some("sts.eu-central-1.amazonaws.com"));
    assert_eq!(asked.registry.as_deref(), Some(REGISTRY));
    assert_eq!(asked.headers, ["accept", "host", "x-berth-registry"]);
    assert!(asked.target.starts_with("/?Action=GetCallerIdentity&"), "{}", asked.target);
    assert_eq!(sts.emulators.counts()["sts:GetCallerIdentity"], 1);
}

#[tokio::test]
async fn many_who_offer_the_same_at_once_cost_one_question() {
    let sts = Sts::start().await;
    let proof = sts.proof();
    let all = futures_util::future::join_all((0..20).map(|_| proven(&sts.verifier, &proof))).await;
    assert!(all.iter().all(|identity| identity == "role:123456789012/Deployer"), "{all:?}");
    assert_eq!(sts.asked(), 1);
}

#[tokio::test]
async fn a_proof_is_good_for_its_life_and_no_longer() {
    let sts = Sts::start().await;
    let proof = sts.proof();
    proven(&sts.verifier, &proof).await;
    sts.hands.turn(890);
    proven(&sts.verifier, &proof).await;
    sts.hands.turn(11);
    assert!(refused(&sts.verifier, &proof, "replayed").await.contains("expired"));
    assert_eq!(sts.asked(), 1, "what has expired is no question to AWS");
}

#[tokio::test]
async fn a_failure_is_not_remembered() {
    let sts = Sts::start().await;
    sts.emulators.sts().remove(ACCESS_KEY);
    let proof = sts.proof();
    let reason = refused(&sts.verifier, &proof, "unknown key").await;
    assert_eq!(reason, "AWS does not accept these credentials: InvalidClientTokenId");
    sts.emulators.sts().add(signer(ROLE));
    proven(&sts.verifier, &proof).await;
}

#[tokio::test]
async fn another_kind_of_password_is_nobody_here() {
    let sts = Sts::start().await;
    for password in ["", "wonderland", "berth-aws-v2.abc", "berth_key_x", "eyJ.eyJ.x", "Berth-aws-v1.aHR0cHM6"] {
        assert_eq!(verify(&sts.verifier, password).await.unwrap(), None, "{password}");
    }
}

#[tokio::test]
async fn hosts_are_the_same_in_any_case_and_with_the_port_that_https_has() {
    let sts = Sts::start().await;
    for (signed, reached) in [
        ("Registry.Example.com:443", "registry.example.com"),
        ("registry.example.com", "REGISTRY.example.com:443"),
        ("localhost:5000", "localhost:5000"),
    ] {
        let password = sts.proof_for(signed);
        let offer = Offer { host: reached, name: "aws", password: &password };
        assert!(sts.verifier.verify(&Context::background("test"), &offer).await.unwrap().is_some(), "{signed}");
    }
}

#[test]
fn what_cannot_be_signed_is_said() {
    let now = std::time::SystemTime::now();
    let sign = |region, registry| sign(&credentials(), region, registry, now).map(|_| ());
    assert_eq!(sign("us-east-1", REGISTRY), Ok(()));
    for region in ["", "nowhere", "us-east-1.evil.example/", "us-east"] {
        assert_eq!(sign(region, REGISTRY), Err(SignError::Region(region.to_owned())));
    }
    for registry in ["", "https://registry.example.com", "registry.example.com/path", "a b", "a#b", "\u{fc}ber.example"]
    {
        assert!(matches!(sign("us-east-1", registry), Err(SignError::Registry(_))), "{registry}");
    }
    let credentials = |left: i64| {
        let expiry = if left < 0 { now - Duration::from_secs(1) } else { now + Duration::from_secs(60) };
        Credentials::new("AKIAEXAMPLEEXAMPLE00", "secret", None, Some(expiry), "test")
    };
    assert_eq!(berth::auth::proof::aws::sign(&credentials(-1), "us-east-1", REGISTRY, now), Err(SignError::Expired));
    let short = berth::auth::proof::aws::sign(&credentials(60), "us-east-1", REGISTRY, now).unwrap();
    assert!(opened(&short).contains("X-Amz-Expires=60&"), "no longer than the credentials");
}

/// A key, its secret, a token if any; a region; a registry.
fn signed() -> impl Strategy<Value = (String, String, Option<String>, &'static str, String)> {
    let regions = ["us-east-1", "eu-central-1", "ap-southeast-2", "mx-central-1", "il-central-1"];
    let registry = "[a-z0-9]{1,20}(\\.[a-z0-9-]{1,20}){0,3}(:[1-9][0-9]{3})?";
    let token = proptest::option::of("[A-Za-z0-9+/]{1,1200}={0,2}");
    ("AKIA[A-Z0-9]{16}", "[ -~]{1,60}", token, proptest::sample::select(regions.to_vec()), registry)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn what_is_made_is_taken_and_with_any_change_it_is_not(
        (access_key, secret_key, session_token, region, registry) in signed(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), 32_u8..127, any::<bool>()), 8),
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let sts = Sts::start().await;
            let arn = ROLE.to_owned();
            let credentials = Credentials::new(&access_key, &secret_key, session_token.clone(), None, "test");
            sts.emulators.sts().add(Signer { access_key, secret_key, session_token, arn });
            let proof = sign(&credentials, region, &registry, sts.hands.now()).unwrap();
            let ask = async |password: &str| {
                let offer = Offer { host: &registry, name: "aws", password };
                sts.verifier.verify(&Context::background("test"), &offer).await
            };
            assert!(ask(&proof).await.unwrap().is_some());
            for (at, byte, is_inside) in changes {
                let mut changed = if is_inside { opened(&proof).into_bytes() } else { proof.clone().into_bytes() };
                let at = at.index(changed.len());
                changed[at] = if changed[at] == byte { b'!' } else { byte };
                let changed = if is_inside { closed(&changed) } else { String::from_utf8(changed).unwrap() };
                if changed != proof {
                    assert!(!matches!(ask(&changed).await, Ok(Some(_))), "{at} {byte} {is_inside}");
                }
            }
        });
    }

    #[test]
    fn nothing_else_is_taken_for_a_proof(text in "\\PC{0,200}", tail in "[ -~]{0,200}") {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let sts = Sts::start().await;
            for url in [text.clone(), tail.clone(), format!("https://sts.amazonaws.com/?{tail}")] {
                refused(&sts.verifier, &closed(&url), &url).await;
            }
            refused(&sts.verifier, &format!("berth-aws-v1.{text}"), &text).await;
            assert_eq!(sts.asked(), 0);
        });
    }
}
