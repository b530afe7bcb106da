//! Proofs that are none: each is refused before AWS is asked anything, unless it is AWS's answer that refuses it.

use berth::auth::proof::aws::sign;

use crate::{
    sts::{Sts, closed, credentials, opened},
    world::{REGISTRY, refused},
};

/// What a proof is made to say instead of what it says.
struct Doctored {
    from: &'static str,
    to: &'static str,
}

#[tokio::test]
async fn what_is_not_exactly_the_question_is_not_asked() {
    let sts = Sts::start().await;
    let url = opened(&sts.proof());
    let host = "https://sts.eu-central-1.amazonaws.com/";
    let replaced = |from, to| Doctored { from, to };
    for Doctored { from, to } in [
        // Another host, a look-alike, or one that reads differently twice.
        replaced(host, "https://evil.example/"),
        replaced(host, "https://sts.eu-central-1.amazonaws.com.evil.example/"),
        replaced(host, "https://sts.eu-central-1.amazonaws.com@evil.example/"),
        replaced(host, "https://evil.example#@sts.eu-central-1.amazonaws.com/"),
        replaced(host, "https://evil.example\\@sts.eu-central-1.amazonaws.com/"),
        replaced(host, "https://user@sts.eu-central-1.amazonaws.com/"),
        replaced(host, "https://sts.eu-central-1.amazonaws.com./"),
        replaced(host, "https://sts.eu-central-1.amazonaws.com:443/"),
        replaced(host, "https://sts.eu-central-1.amazonaws.com:8443/"),
        replaced(host, "https://STS.eu-central-1.amazonaws.com/"),
        replaced(host, "https://sts.eu-central-1.amazon\u{430}ws.com/"),
        replaced(host, "https://sts.eu-central-1.s3.amazonaws.com/"),
        replaced(host, "https://sts.bucket.amazonaws.com/"),
        replaced(host, "https://s3.eu-central-1.amazonaws.com/"),
        replaced(host, "https://iam.amazonaws.com/"),
        replaced(host, "https://169.254.169.254/"),
        replaced(host, "https://[::1]/"),
        replaced(host, "http://sts.eu-central-1.amazonaws.com/"),
        replaced(host, "//sts.eu-central-1.amazonaws.com/"),
        replaced(host, "https://sts.eu-central-1.amazonaws.com/path"),
        replaced(host, "https://sts.eu-central-1.amazonaws.com//"),
        replaced(host, "https://sts.eu-central-1.amazonaws.com/%2F"),
        replaced(host, "https://sts.eu-central-1.amazonaws.com"),
        replaced(host, " https://sts.eu-central-1.amazonaws.com/"),
        replaced(host, "https://sts.eu-central-1.amazonaws.com/\r\nX: y"),
        // Another region than that which signed.
        replaced(host, "https://sts.us-west-2.amazonaws.com/"),
        replaced(host, "https://sts.amazonaws.com/"),
        // Another action, and every other parameter that is fixed.
        replaced("Action=GetCallerIdentity", "Action=AssumeRole"),
        replaced("Action=GetCallerIdentity", "Action=GetSessionToken"),
        replaced("Action=GetCallerIdentity", "Action=getcalleridentity"),
        replaced("Action=GetCallerIdentity", "Action="),
        replaced("Action=GetCallerIdentity", "Action"),
        replaced("Action=GetCallerIdentity&", ""),
        replaced("Action=GetCallerIdentity", "Action=GetCallerIdentity&Action=AssumeRole"),
        replaced("Action=GetCallerIdentity", "Action=AssumeRole&Action=GetCallerIdentity"),
        replaced("Action=GetCallerIdentity", "Action=GetCallerIdentity&action=AssumeRole"),
        replaced("Action=GetCallerIdentity", "Actio%6E=GetCallerIdentity"),
        replaced("Action=GetCallerIdentity", "Action=%47etCallerIdentity"),
        replaced("Version=2011-06-15", "Version=2012-06-15"),
        replaced("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"),
        replaced("%2Fsts%2F", "%2Fs3%2F"),
        replaced("%2Faws4_request", "%2Faws4_request%2Fmore"),
        replaced("%2Faws4_request", ""),
        // Parameters that are not allowed, or there twice.
        replaced("&X-Amz-Date=", "&RoleArn=x&X-Amz-Date="),
        replaced("&X-Amz-Date=", "&&X-Amz-Date="),
        replaced("&X-Amz-Date=", ";X-Amz-Date="),
        replaced("&X-Amz-Date=", "&X-Amz-Date=20200101T000000Z&X-Amz-Date="),
        replaced("&X-Amz-Date=", "&x-amz-date="),
        replaced("X-Amz-Expires=900", "X-Amz-Expires=900&X-Amz-Expires=900"),
        // The header that binds it is not signed, or is one of several.
        replaced("host%3Bx-berth-registry", "host"),
        replaced("host%3Bx-berth-registry", "x-berth-registry"),
        replaced("host%3Bx-berth-registry", "accept%3Bhost%3Bx-berth-registry"),
        replaced("host%3Bx-berth-registry", "host%3Bx-berth-registry%3Bx-evil"),
        replaced("host%3Bx-berth-registry", "host%3BX-Berth-Registry"),
        replaced("host%3Bx-berth-registry", "host%3bx-berth-registry"),
        replaced("#registry.example.com", ""),
        replaced("#registry.example.com", "#"),
        replaced("#registry.example.com", "#registry.example.com#other.example"),
        replaced("#registry.example.com", "#registry.example.com\r\nhost: evil.example"),
        // It is for another registry.
        replaced("#registry.example.com", "#registry.example.com.evil.example"),
        replaced("#registry.example.com", "#evil.example"),
        replaced("#registry.example.com", "#registry.example.com:5000"),
        // A life that is longer than allowed, or no number.
        replaced("X-Amz-Expires=900", "X-Amz-Expires=901"),
        replaced("X-Amz-Expires=900", "X-Amz-Expires=604800"),
        replaced("X-Amz-Expires=900", "X-Amz-Expires=0"),
        replaced("X-Amz-Expires=900", "X-Amz-Expires=-1"),
        replaced("X-Amz-Expires=900", "X-Amz-Expires=%2B900"),
        replaced("X-Amz-Expires=900", "X-Amz-Expires=0900"),
        replaced("X-Amz-Expires=900", "X-Amz-Expires=99999999999999999999"),
    ] {
        assert!(url.contains(from), "{from} is in {url}");
        refused(&sts.verifier, &closed(url.replacen(from, to, 1)), to).await;
    }
    assert_eq!(sts.asked(), 0);
}

#[tokio::test]
async fn a_proof_that_is_old_or_of_the_future_is_not_asked() {
    let sts = Sts::start().await;
    for (turn, reason) in [(901, "expired"), (30_000_000, "expired"), (-310, "future"), (-3_000_000, "future")] {
        let proof = sts.proof();
        sts.hands.turn(turn);
        let said = refused(&sts.verifier, &proof, &turn).await;
        assert!(said.contains(reason), "{turn}: {said}");
        sts.hands.turn(-turn);
    }
    assert_eq!(sts.asked(), 0);
}

#[tokio::test]
async fn the_date_is_written_in_one_way() {
    let sts = Sts::start().await;
    let url = opened(&sts.proof());
    let at = url.find("X-Amz-Date=").unwrap() + "X-Amz-Date=".len();
    let date = &url[at..at + 16];
    for other in
        [format!("%2B{}", &date[1..]), date.replace('Z', ""), date.replace('T', "t"), "20261332T000000Z".to_owned()]
    {
        refused(&sts.verifier, &closed(url.replacen(date, &other, 1)), &other).await;
    }
    assert_eq!(sts.asked(), 0);
}

#[tokio::test]
async fn a_proof_for_another_registry_is_good_for_nothing_here() {
    let sts = Sts::start().await;
    let other = sts.proof_for("other.example");
    assert!(refused(&sts.verifier, &other, "another registry's").await.contains(REGISTRY));
    assert_eq!(sts.asked(), 0);
    // Said to be for this one: what was signed is another thing.
    let forged = closed(opened(&other).replace("#other.example", &format!("#{REGISTRY}")));
    let reason = refused(&sts.verifier, &forged, "forged").await;
    assert_eq!(reason, "AWS does not accept these credentials: SignatureDoesNotMatch");
    assert_eq!(sts.asked(), 1);
}

#[tokio::test]
async fn accounts_of_another_partition_are_others() {
    let sts = Sts::start().await;
    for region in ["cn-north-1", "us-gov-west-1", "eusc-de-east-1"] {
        let proof = sign(&credentials(), region, REGISTRY, sts.hands.now()).unwrap();
        assert!(refused(&sts.verifier, &proof, region).await.contains("partition"), "{region}");
    }
    assert_eq!(sts.asked(), 0);
}

#[tokio::test]
async fn a_signature_of_somebody_else_is_refused_by_aws() {
    let sts = Sts::start().await;
    let url = opened(&sts.proof());
    let signature = url.split("X-Amz-Signature=").nth(1).unwrap().get(..64).unwrap();
    let forged = url.replace(signature, &"0".repeat(64));
    refused(&sts.verifier, &closed(forged), "forged").await;
    assert_eq!(sts.asked(), 1);
    for other in [signature.to_uppercase(), signature[1..].to_owned(), format!("{signature}0"), "%30".repeat(64)] {
        let forged = closed(url.replace(signature, &other));
        if other != signature {
            refused(&sts.verifier, &forged, &other).await;
        }
    }
    assert_eq!(sts.asked(), 1);
}

#[tokio::test]
async fn what_is_too_long_or_not_base64_is_not_looked_at() {
    let sts = Sts::start().await;
    let proof = sts.proof();
    for password in [
        format!("berth-aws-v1.{}", "A".repeat(1 << 20)),
        closed(
            opened(&proof).replace("X-Amz-Security-Token=", &format!("X-Amz-Security-Token={}", "A".repeat(8 << 10))),
        ),
        format!("{proof}="),
        format!("{proof}\n"),
        format!(" {proof}"),
        proof.replacen("berth-aws-v1.", "berth-aws-v1.berth-aws-v1.", 1),
        proof.replacen("berth-aws-v1.", "berth-aws-v1..", 1),
        closed([0xff, 0xfe]),
        "berth-aws-v1.".to_owned(),
    ] {
        // The one with a space before it is no proof at all.
        if password.starts_with("berth") {
            refused(&sts.verifier, &password, &password.chars().take(40).collect::<String>()).await;
        }
    }
    assert_eq!(sts.asked(), 0);
}

#[tokio::test]
async fn a_refusal_shows_nothing_secret() {
    let sts = Sts::start().await;
    let url = opened(&sts.proof());
    let signature = url.split("X-Amz-Signature=").nth(1).unwrap().get(..64).unwrap();
    for (from, to) in [("Action=", "Other="), ("#registry", "#other"), ("X-Amz-Expires=900", "X-Amz-Expires=9000")] {
        let reason = refused(&sts.verifier, &closed(url.replacen(from, to, 1)), to).await;
        assert!(!reason.contains(signature) && !reason.contains("token=="), "{reason}");
    }
}
