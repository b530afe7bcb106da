//! STS that does not answer as it should: nobody is let in, and who asks hears whether to try again.

use std::time::{Duration, Instant};

use berth::{
    auth::proof::{Offer, ProofError, Verifier as _},
    context::{Caller, Context},
};
use berth_local::{Fault, Rule, Service};

use crate::{
    sts::{Sts, verifier},
    world::{REGISTRY, proven, refused, unavailable},
};

#[tokio::test]
async fn a_failing_sts_is_unavailable_and_lets_nobody_in() {
    let sts = Sts::start().await;
    let error = |status, code: &str| Fault::Error { status, code: code.to_owned() };
    for fault in [
        Fault::Throttle,
        Fault::InternalError,
        Fault::Reset,
        Fault::LoseAnswer,
        Fault::CutAnswer(20),
        error(503, "ServiceUnavailable"),
        error(429, "TooManyRequests"),
        error(400, "ThrottlingException"),
        error(408, "RequestTimeout"),
        error(500, "InternalFailure"),
        error(200, "NotWhatWasAskedFor"),
        error(204, "Nothing"),
    ] {
        let proof = sts.proof();
        sts.emulators.inject(Rule::new(fault.clone()).service(Service::Sts).times(1));
        let reason = unavailable(&sts.verifier, &proof, &fault).await;
        assert!(!reason.contains("X-Amz"), "the log never holds the proof: {reason}");
        proven(&sts.verifier, &proof).await;
        sts.hands.turn(1); // the next proof is another one
    }
}

#[tokio::test]
async fn a_refusing_sts_is_final() {
    let sts = Sts::start().await;
    for (status, code) in [(403, "AccessDenied"), (403, "ExpiredToken"), (400, "InvalidParameter"), (404, "What")] {
        let fault = Fault::Error { status, code: code.to_owned() };
        sts.emulators.inject(Rule::new(fault).service(Service::Sts).times(1));
        let reason = refused(&sts.verifier, &sts.proof(), code).await;
        assert_eq!(reason, format!("AWS does not accept these credentials: {code}"));
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let sts = Sts::start().await;
    sts.emulators.sts().redirect(Some(format!("{}/elsewhere", sts.emulators.s3().endpoint())));
    let reason = refused(&sts.verifier, &sts.proof(), "redirect").await;
    assert!(reason.contains("redirect"), "{reason}");
    assert_eq!(sts.emulators.s3().requests().len(), 0);
    assert_eq!(sts.asked(), 1);
}

#[tokio::test]
async fn a_silent_sts_is_waited_for_until_the_request_must_be_answered() {
    let sts = Sts::start().await;
    sts.emulators.inject(Rule::new(Fault::Hang).service(Service::Sts));
    let proof = sts.proof();
    let deadline = Instant::now() + Duration::from_millis(100);
    let ctx = Context::new("test".to_owned(), Caller::Anonymous, Some(deadline), tracing::Span::none());
    let offer = Offer { host: REGISTRY, name: "aws", password: &proof };
    let result = sts.verifier.verify(&ctx, &offer).await;
    assert!(matches!(result, Err(ProofError::Unavailable(_))), "{result:?}");
}

#[tokio::test]
async fn an_sts_that_is_not_there_is_unavailable() {
    let sts = Sts::start().await;
    // A port that was free a moment ago.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let verifier = verifier(format!("http://{gone}"), &sts.hands);
    unavailable(&verifier, &sts.proof(), "gone").await;
}
