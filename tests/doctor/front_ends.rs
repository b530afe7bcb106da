//! Front ends that rename or lose the challenge.

use crate::{
    desk::Desk,
    fake::{Fake, host, nothing},
    server::reply,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renamed_challenge_is_named_and_does_not_stop_the_other_checks() {
    for challenge in ["x-amzn-remapped-www-authenticate", "x-berth-challenge"] {
        let server = Fake { challenge, ..Fake::default() }.start(nothing).await;
        let report = Desk::new().doctor_as_alice(&host(&server), &[]);
        report.fails("challenge", &format!("is in {challenge} instead of www-authenticate"), "Front=cloudfront");
        report.fails("challenge", "Docker, podman and most other clients cannot log in", "Front=http-api");
        for check in ["login", "push", "pull", "cleanup"] {
            report.ok(check);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_response_function_that_did_not_run() {
    let server = Fake { challenge: "x-berth-challenge", unauthorized: 300, ..Fake::default() }.start(nothing).await;
    let report = Desk::new().doctor_as_alice(&host(&server), &[]);
    report.fails("challenge", "arrives as 300", "viewer-response of every cache behavior");
    report.ok("push");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_challenge_that_is_missing_or_not_understood() {
    for (value, problem) in [(None, "has no WWW-Authenticate"), (Some("Negotiate"), "neither Basic nor Bearer")] {
        let server = Fake::default()
            .start(move |_| {
                let headers: Vec<_> = value.into_iter().map(|value| ("www-authenticate", value)).collect();
                Some(reply(401, &headers, ""))
            })
            .await;
        let report = Desk::new().doctor_as_alice(&host(&server), &[]);
        assert_eq!(report.failed(), ["challenge", "login"]);
        assert!(report.ended.said.contains(problem), "{}", report.ended.said);
    }
}
