//! What a deployment may have got wrong: one clear line in the log, an error with the request's id at the client.

use berth_local::{Identity, Policy};
use http::{Method, StatusCode};
use serde_json::Value;

use crate::{
    stack::{BASIC, Shared, Stack, code, described, names},
    support::http::{Answer, Http},
};

/// A registry that cannot use its bucket.
#[derive(Clone)]
struct Misconfigured<'a> {
    bucket: &'a str,
    policy: Option<Policy>,
    /// Whether it gives out tokens, for which it needs its bucket.
    tokens: bool,
}

/// Asks `method target` of a registry; the answer, and the lines of its log that are errors.
async fn ask(emulators: &Shared, how: &Misconfigured<'_>, method: Method, target: &str) -> (Answer, Vec<Value>) {
    let names = names(emulators).physical("Bucket", how.bucket);
    let mut function = described(emulators, "RegistryFunction", &names);
    if !how.tokens {
        function = function.without_env("REGISTRY_AUTH_BERTH_");
    }
    if let Some(policy) = &how.policy {
        let role = Identity::named("OtherRole", Some(policy.clone()));
        emulators.add_identity(role.clone());
        function = function.envs(emulators.env_of(&role));
    }
    let function = function.start().await.unwrap();
    let door = function.door(berth_local::lambda::DoorOptions::default()).unwrap();
    let headers = [("x-request-id", "the-request"), ("authorization", BASIC)];
    let answer = Http::new(&door.address().to_string()).send(method, target, &headers, bytes::Bytes::new()).await;
    function.log(|line| line.text.contains("\"access\"") && line.text.contains("the-request")).await;
    let lines = function.logs().into_iter().map(|line| serde_json::from_str::<Value>(&line.text).expect("JSON"));
    (answer, lines.filter(|line| line["level"] == "ERROR").collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bucket_that_cannot_be_used_is_said_to_be_so() {
    let emulators = Shared::that_may_refuse().await;
    emulators.s3().create_bucket_elsewhere("elsewhere", "eu-central-1");
    let elsewhere = serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::another/*" }],
    });
    let nothing = Policy::parse(&elsewhere).unwrap();
    let bucket = emulators.options().bucket.clone();
    for (bucket, policy, words) in [
        ("nowhere", None, ["there is no bucket", "nowhere"]),
        ("elsewhere", None, ["eu-central-1", "elsewhere"]),
        (bucket.as_str(), Some(nothing), ["AccessDenied", bucket.as_str()]),
    ] {
        for (method, target) in [
            (Method::GET, "/v2/app/manifests/v1"),
            (Method::HEAD, "/v2/app/manifests/v1"),
            (Method::GET, "/v2/_catalog"),
            (Method::POST, "/v2/app/blobs/uploads/"),
        ] {
            let how = Misconfigured { bucket, policy: policy.clone(), tokens: false };
            let (answer, errors) = ask(&emulators, &how, method.clone(), target).await;
            assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{bucket} {target}: {answer:?}");
            assert_eq!(answer.header("x-request-id"), "the-request");
            if method != Method::HEAD {
                assert_eq!(code(&answer), "UNKNOWN", "{bucket} {target}");
                let said = String::from_utf8(answer.body.to_vec()).unwrap();
                assert!(said.contains("(request the-request)"), "{said}");
                assert!(!said.contains(bucket), "what is behind the registry is not for its clients: {said}");
            }
            assert_eq!(errors.len(), 1, "{bucket} {target}: {errors:?}");
            assert_eq!(errors[0]["request_id"], "the-request");
            let cause = errors[0]["cause"].as_str().unwrap();
            assert!(words.iter().all(|word| cause.contains(word)), "{bucket} {target}: {cause}");
        }
        // Where the keys of tokens cannot be had, nobody gets in, and everybody may try again.
        let how = Misconfigured { bucket, policy, tokens: true };
        let (answer, errors) = ask(&emulators, &how, Method::GET, "/token").await;
        assert_eq!((answer.status, code(&answer).as_str()), (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"));
        assert_eq!(answer.header("retry-after"), "1");
        assert_eq!(errors.len(), 1, "{errors:?}");
        let cause = errors[0]["cause"].as_str().unwrap();
        assert!(words.iter().all(|word| cause.contains(word)), "{bucket}: {cause}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_rules_is_no_registry() {
    let nothing = [("REGISTRY_AUTH_RULES", "allow everybody"), ("REGISTRY_AUTH_HTPASSWD_USERS", "alice:secret")];
    for (name, value) in nothing {
        let stack = Stack::start(|function| function.env(name, value)).await;
        let answer = stack.stranger().get("/v2/").await;
        assert_eq!((answer.status, code(&answer).as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "UNAVAILABLE"));
        stack.function.log(|line| line.text.contains("every request is refused")).await;
        assert!(stack.function.logs().iter().all(|line| !line.text.contains("secret")), "secrets stay out of logs");
        assert_eq!(stack.emulators.requests(), []);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_function_that_would_let_everybody_in_serves_nobody() {
    let stack = Stack::start(|function| function.without_env("REGISTRY_AUTH_")).await;
    for (method, target) in [
        (Method::GET, "/v2/"),
        (Method::GET, "/v2/public/manifests/v1"),
        (Method::POST, "/v2/app/blobs/uploads/"),
        (Method::GET, "/token"),
    ] {
        let answer = stack.stranger().send(method, target, &[], bytes::Bytes::new()).await;
        assert_eq!((answer.status, code(&answer).as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "UNAVAILABLE"));
    }
    stack.function.log(|line| line.text.contains("nobody is asked who they are")).await;
    assert_eq!(stack.emulators.requests(), []);
}
