//! STS: what it answers to requests that were signed by AWS's own code, and to others.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

use std::time::{Duration, SystemTime};

use aws_sdk_s3::config::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign};
use aws_sigv4::sign::v4;
use berth_local::{Emulators, Signer};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

const ARN: &str = "arn:aws:iam::123456789012:user/anna";

async fn start() -> Emulators {
    let emulators = Emulators::start().await.unwrap();
    emulators.sts().add(Signer {
        access_key: "AKIAANNA".to_owned(),
        secret_key: "secret".to_owned(),
        session_token: None,
        arn: ARN.to_owned(),
    });
    emulators
}

/// Path and query of a question to the host `sts.amazonaws.com`, signed with the header `x-bind: a` at `time`.
fn question(access_key: &str, secret: &str, time: SystemTime) -> String {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(900));
    let identity = Credentials::new(access_key, secret, None, None, "test").into();
    let params = v4::SigningParams::builder().identity(&identity).region("us-east-1").name("sts");
    let params = params.time(time).settings(settings).build().unwrap().into();
    let url = "https://sts.amazonaws.com/?Action=GetCallerIdentity&Version=2011-06-15";
    let signable = SignableRequest::new("GET", url, [("x-bind", "a")].into_iter(), SignableBody::Bytes(&[])).unwrap();
    let mut request = http::Request::get(url).body(()).unwrap();
    sign(signable, &params).unwrap().into_parts().0.apply_to_request_http1x(&mut request);
    request.uri().path_and_query().unwrap().to_string()
}

async fn ask(emulators: &Emulators, target: &str, bind: &str, accept: &str) -> (u16, String) {
    let request = http::Request::get(format!("{}{target}", emulators.sts().endpoint()))
        .header("host", "sts.amazonaws.com")
        .header("accept", accept)
        .header("x-bind", bind)
        .body(Empty::<Bytes>::new())
        .unwrap();
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await.unwrap();
    let status = response.status().as_u16();
    (status, String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

#[tokio::test]
async fn a_signed_question_is_answered_in_json_and_in_xml() {
    let emulators = start().await;
    let target = question("AKIAANNA", "secret", SystemTime::now());
    let (status, body) = ask(&emulators, &target, "a", "application/json").await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    let found = &body["GetCallerIdentityResponse"]["GetCallerIdentityResult"];
    assert_eq!((status, &found["Arn"], &found["Account"]), (200, &ARN.into(), &"123456789012".into()));
    let (status, body) = ask(&emulators, &target, "a", "*/*").await;
    assert!(status == 200 && body.contains(&format!("<Arn>{ARN}</Arn>")), "{body}");
    assert_eq!(emulators.counts()["sts:GetCallerIdentity"], 2);
}

#[tokio::test]
async fn what_is_signed_otherwise_is_refused_as_at_aws() {
    let emulators = start().await;
    let now = SystemTime::now();
    let good = question("AKIAANNA", "secret", now);
    for (target, bind, status, code) in [
        (good.clone(), "b", 403, "SignatureDoesNotMatch"),
        (question("AKIAANNA", "other", now), "a", 403, "SignatureDoesNotMatch"),
        (question("AKIAANNA", "secret", now - Duration::from_secs(901)), "a", 403, "SignatureDoesNotMatch"),
        (question("AKIANOBODY", "secret", now), "a", 403, "InvalidClientTokenId"),
        (good.replace("GetCallerIdentity", "AssumeRole"), "a", 400, "InvalidAction"),
        (good.replace("X-Amz-Expires=900", "X-Amz-Expires=901"), "a", 403, "SignatureDoesNotMatch"),
        (format!("{good}&More=1"), "a", 403, "SignatureDoesNotMatch"),
        ("/?Action=GetCallerIdentity&Version=2011-06-15".to_owned(), "a", 403, "InvalidClientTokenId"),
    ] {
        let (is, body) = ask(&emulators, &target, bind, "application/json").await;
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((is, &body["Error"]["Code"]), (status, &code.into()), "{target}");
    }
}
