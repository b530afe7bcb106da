//! DynamoDB that fails: errors told apart, and what is tried again.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aws_credential_types::provider::{ProvideCredentials, error::CredentialsError, future};
use aws_sdk_dynamodb::config::SharedCredentialsProvider;
use berth::{
    cache::{
        DescriptorCache as _, LinkSet,
        dynamodb::{self, DynamoDbCache},
    },
    context::{Caller, Context},
    distribution::{BackendError, BackendErrorKind, BlobDescriptorService, BlobError},
};
use berth_local::{Fault, Rule};

use crate::{
    scripted::{Answer, Scripted},
    subject::{self, Time, ctx, known, layer, name, sha512},
};

/// What a failed look-up, a failed batch and a failed set say.
async fn failures(cache: &Arc<dyn BlobDescriptorService>) -> [BackendError; 3] {
    let backend = |error| match error {
        BlobError::Backend(error) => error,
        other => panic!("{other}"),
    };
    [
        backend(cache.stat(&ctx(), &layer(1).digest).await.unwrap_err()),
        cache.stat_many(&ctx(), &[layer(1).digest, layer(2).digest]).await.unwrap_err(),
        backend(cache.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap_err()),
    ]
}

#[tokio::test]
async fn failures_are_told_apart() {
    let subject = subject::dynamodb().await;
    let code = |status, code: &str| Fault::Error { status, code: code.to_owned() };
    let faults = [
        (Fault::Throttle, BackendErrorKind::Throttled),
        (code(400, "ThrottlingException"), BackendErrorKind::Throttled),
        (code(400, "RequestLimitExceeded"), BackendErrorKind::Throttled),
        (Fault::AccessDenied, BackendErrorKind::Denied),
        (code(400, "UnrecognizedClientException"), BackendErrorKind::Denied),
        (code(400, "ExpiredTokenException"), BackendErrorKind::Denied),
        (Fault::InternalError, BackendErrorKind::Failed),
        (code(503, "ServiceUnavailable"), BackendErrorKind::Failed),
        (code(400, "ValidationException"), BackendErrorKind::Failed),
        (Fault::Reset, BackendErrorKind::Failed),
        (Fault::CutAnswer(1), BackendErrorKind::Failed),
    ];
    for (fault, kind) in faults {
        subject.emulator().inject(Rule::new(fault.clone()));
        for (error, operation) in
            failures(&subject.layers("a")).await.iter().zip(["GetItem", "BatchGetItem", "PutItem"])
        {
            assert_eq!(error.kind, kind, "{fault:?}: {error}");
            assert!(error.message.contains(&format!("{operation} on table berth")), "{error}");
        }
        subject.emulator().clear_faults();
    }
}

#[tokio::test]
async fn a_transaction_that_fails_is_told_apart_too() {
    let subject = subject::dynamodb().await;
    let layers = subject.layers("a");
    for (fault, kind) in [
        (Fault::Throttle, BackendErrorKind::Throttled),
        (Fault::AccessDenied, BackendErrorKind::Denied),
        (Fault::InternalError, BackendErrorKind::Failed),
    ] {
        subject.emulator().inject(Rule::new(fault));
        match layers.set_descriptor(&ctx(), &sha512(1), &layer(1)).await.unwrap_err() {
            BlobError::Backend(error) => assert_eq!(error.kind, kind),
            other => panic!("{other}"),
        }
        subject.emulator().clear_faults();
    }
    assert_eq!(known(&layers, &sha512(1)).await, None);
}

#[tokio::test]
async fn a_failure_that_passes_is_tried_again_once() {
    let subject = subject::dynamodb().await;
    let layers = subject.layers("a");
    for fault in [Fault::Throttle, Fault::InternalError, Fault::Reset, Fault::LoseAnswer] {
        for times in [1, 2] {
            subject.emulator().clear_faults();
            subject.emulator().reset();
            subject.emulator().inject(Rule::new(fault.clone()).times(times));
            let outcome = layers.set_descriptor(&ctx(), &sha512(1), &layer(1)).await;
            assert_eq!(outcome.is_ok(), times == 1, "{fault:?} {times} times: {outcome:?}");
            assert_eq!(subject.emulator().requests().len(), 2);
        }
    }
}

#[tokio::test]
async fn a_clear_is_tried_until_it_is_done() {
    let subject = subject::dynamodb().await;
    let layers = subject.layers("a");
    let conflict = Fault::Error { status: 400, code: "TransactionConflictException".to_owned() };
    for (n, fault, times) in [(1, Fault::Throttle, 5), (2, Fault::InternalError, 5), (3, conflict, 3)] {
        layers.set_descriptor(&ctx(), &layer(n).digest, &layer(n)).await.unwrap();
        subject.emulator().inject(Rule::new(fault).operation("PutItem").times(times));
        layers.clear(&ctx(), &layer(n).digest).await.unwrap();
        assert_eq!(known(&layers, &layer(n).digest).await, None);
    }
    subject.emulator().inject(Rule::new(Fault::AccessDenied));
    subject.emulator().reset();
    assert!(matches!(layers.clear(&ctx(), &layer(4).digest).await, Err(BlobError::Backend(_))));
    assert_eq!(subject.emulator().requests().len(), 1, "what does not pass is not tried again");
}

#[tokio::test]
async fn without_a_table_look_ups_fail_and_there_is_nothing_to_clear() {
    let subject = subject::dynamodb().await;
    let layers = subject.layers("a");
    layers.set_descriptor(&ctx(), &sha512(1), &layer(1)).await.unwrap();
    subject.emulator().drop_table().unwrap();
    for error in failures(&layers).await {
        assert_eq!(error.kind, BackendErrorKind::Failed);
        assert!(error.message.starts_with("the table does not exist"), "{error}");
    }
    layers.clear(&ctx(), &layer(1).digest).await.unwrap();
    layers.clear(&ctx(), &sha512(1)).await.unwrap();
    subject.emulator().create_table().unwrap();
    assert_eq!(known(&layers, &sha512(1)).await, None);
    layers.set_descriptor(&ctx(), &sha512(1), &layer(1)).await.unwrap();
    assert_eq!(known(&layers, &sha512(1)).await, Some(layer(1)));
}

fn until(deadline: Instant) -> Context {
    Context::new("test".to_owned(), Caller::Anonymous, Some(deadline), tracing::Span::none())
}

#[tokio::test]
async fn no_request_outlives_the_call() {
    let subject = subject::dynamodb().await;
    let layers = subject.layers("a");
    subject.emulator().inject(Rule::new(Fault::Hang));
    let late = |error: BlobError| matches!(error, BlobError::Backend(error) if error.kind == BackendErrorKind::Timeout);
    let soon = until(Instant::now() + Duration::from_millis(50));
    assert!(late(layers.stat(&soon, &layer(1).digest).await.unwrap_err()));
    subject.emulator().reset();
    assert!(late(layers.stat(&soon, &layer(1).digest).await.unwrap_err()));
    assert!(late(layers.clear(&soon, &layer(1).digest).await.unwrap_err()));
    assert!(late(layers.set_descriptor(&soon, &layer(1).digest, &layer(1)).await.unwrap_err()));
    assert_eq!(subject.emulator().requests().len(), 0, "there was no time to ask in");
}

#[tokio::test]
async fn a_table_that_does_not_answer_is_given_up() {
    let subject = subject::dynamodb().await;
    subject.emulator().inject(Rule::new(Fault::Hang));
    let error = subject.layers("a").stat(&ctx(), &layer(1).digest).await.unwrap_err();
    assert!(matches!(error, BlobError::Backend(error) if error.kind == BackendErrorKind::Timeout));
    assert!(subject.emulator().requests().len() <= 2);
}

#[tokio::test]
async fn an_endpoint_where_nobody_listens_is_a_failure() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for error in failures(&layers(&format!("http://{closed}"))).await {
        assert_eq!(error.kind, BackendErrorKind::Failed);
    }
}

#[derive(Debug)]
struct NoKeys;

impl ProvideCredentials for NoKeys {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("there are no keys here")))
    }
}

#[tokio::test]
async fn without_credentials_access_is_denied_before_anything_is_asked() {
    let subject = subject::dynamodb().await;
    let sdk = subject::sdk(&subject.emulator().endpoint(), "us-east-1");
    let sdk = sdk.into_builder().credentials_provider(SharedCredentialsProvider::new(NoKeys)).build();
    let options = dynamodb::Options { table: "berth".to_owned(), clock: subject.time.clock() };
    let cache = DynamoDbCache::new(&sdk, options).global();
    for error in failures(&cache).await {
        assert_eq!(error.kind, BackendErrorKind::Denied);
        assert!(error.message.contains("there are no keys here"), "{error}");
    }
    assert_eq!(subject.emulator().requests().len(), 0);
}

fn layers(endpoint: &str) -> Arc<dyn BlobDescriptorService> {
    let options = dynamodb::Options { table: "berth".to_owned(), clock: Time::default().clock() };
    let cache = DynamoDbCache::new(&subject::sdk(endpoint, "us-east-1"), options);
    cache.scoped(&name("a"), LinkSet::Layers)
}

#[tokio::test]
async fn keys_that_a_batch_leaves_are_asked_for_again() {
    let server = Scripted::start([Answer::LeaveKeys(3), Answer::LeaveKeys(1), Answer::Rows]).await;
    let digests: Vec<_> = (1..=5).map(|n| layer(n).digest).collect();
    let found = layers(&server.endpoint()).stat_many(&ctx(), &digests).await.unwrap();
    assert_eq!(found.iter().flatten().map(|found| found.digest).collect::<Vec<_>>(), digests);
    assert_eq!(server.keys_asked(), [5, 3, 1]);
}

#[tokio::test]
async fn keys_that_are_left_again_and_again_are_a_throttled_batch() {
    let server = Scripted::start((0..10).map(|_| Answer::LeaveKeys(2))).await;
    let error = layers(&server.endpoint()).stat_many(&ctx(), &[layer(1).digest, layer(2).digest]).await.unwrap_err();
    assert_eq!(error.kind, BackendErrorKind::Throttled);
    assert_eq!(server.keys_asked(), [2, 2, 2, 2]);
}

#[tokio::test]
async fn a_cancelled_transaction_is_taken_by_its_reasons() {
    let entries: Vec<_> = (1..=3).map(|n| (layer(n).digest, layer(n))).collect();
    for (reasons, again, outcome) in [
        (["None", "TransactionConflict", "ConditionalCheckFailed"], 1, None),
        (["None", "ThrottlingError", "None"], 0, Some(BackendErrorKind::Throttled)),
        (["None", "ProvisionedThroughputExceeded", "ConditionalCheckFailed"], 0, Some(BackendErrorKind::Throttled)),
        (["ValidationError", "None", "None"], 0, Some(BackendErrorKind::Failed)),
    ] {
        let server = Scripted::start([Answer::Cancelled(reasons.to_vec()), Answer::Done]).await;
        let set = layers(&server.endpoint()).set_many(&ctx(), &entries).await;
        let kind = set.err().map(|error| match error {
            BlobError::Backend(error) => error.kind,
            other => panic!("{other}"),
        });
        assert_eq!(kind, outcome, "{reasons:?}");
        assert_eq!(server.keys_asked().len(), 1 + again);
    }
}
