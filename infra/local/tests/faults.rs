//! Faults on command, as the real SDKs see them.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::SdkError;
use berth_local::{Fault, Rule, Service};
use support::{MIB, Stack, code, noise, start};

async fn item(stack: &Stack) -> Result<(), String> {
    let key = || AttributeValue::S("k".to_owned());
    let get = stack.dynamodb.get_item().table_name(&stack.table).key("pk", key()).key("sk", key()).send().await;
    get.map(|_| ()).map_err(|error| code(Err::<(), _>(error)))
}

#[tokio::test]
async fn s3_refusals_have_their_codes() {
    let stack = start().await;
    stack.put("key", "x").await;
    for (fault, status, wanted) in [
        (Fault::Throttle, 503, "SlowDown"),
        (Fault::InternalError, 500, "InternalError"),
        (Fault::AccessDenied, 403, "AccessDenied"),
        (Fault::Error { status: 409, code: "ConditionalRequestConflict".into() }, 409, "ConditionalRequestConflict"),
    ] {
        stack.emulators.inject(Rule::new(fault.clone()).times(1));
        let error = stack.s3.get_object().bucket(&stack.bucket).key("key").send().await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status);
        assert_eq!(code(Err::<(), _>(error)), wanted);
        let last = stack.emulators.requests().pop().unwrap();
        assert_eq!((last.status, last.fault.as_deref()), (Some(status), Some(fault.name())));
        stack.get("key").await;
    }
}

#[tokio::test]
async fn dynamodb_refusals_have_their_codes() {
    let stack = start().await;
    for (fault, wanted) in [
        (Fault::Throttle, "ProvisionedThroughputExceededException"),
        (Fault::InternalError, "InternalServerError"),
        (Fault::AccessDenied, "AccessDeniedException"),
        (Fault::Error { status: 400, code: "ThrottlingException".into() }, "ThrottlingException"),
    ] {
        stack.emulators.inject(Rule::new(fault).service(Service::DynamoDb).times(1));
        assert_eq!(item(&stack).await, Err(wanted.to_owned()));
        item(&stack).await.unwrap();
    }
}

#[tokio::test]
async fn a_rule_hits_only_what_it_matches() {
    let stack = start().await;
    let rule = Rule::new(Fault::Throttle).service(Service::S3).operation("PutObject").key("/blobs/").skip(1).times(2);
    stack.emulators.inject(rule);
    let put = async |key: &str| {
        stack.s3.put_object().bucket(&stack.bucket).key(key).body(b"x".to_vec().into()).send().await.is_ok()
    };
    assert!(put("a/links/1").await);
    assert!(put("a/blobs/1").await, "skipped");
    assert!(!put("a/blobs/2").await);
    stack.get("a/blobs/1").await;
    assert!(!put("a/blobs/3").await);
    assert!(put("a/blobs/4").await, "used up");
    assert!(stack.emulators.faults().is_empty());
}

#[tokio::test]
async fn cleared_faults_hit_nothing() {
    let stack = start().await;
    stack.emulators.inject(Rule::new(Fault::InternalError));
    item(&stack).await.unwrap_err();
    stack.emulators.clear_faults();
    item(&stack).await.unwrap();
}

#[tokio::test]
async fn a_refused_upload_stores_nothing_whatever_its_size() {
    let stack = start().await;
    stack.emulators.inject(Rule::new(Fault::Throttle).times(1));
    let put = stack.s3.put_object().bucket(&stack.bucket).key("key").body(noise(20 * MIB).into());
    assert_eq!(code(put.send().await), "SlowDown", "the client reads the answer although it has not sent everything");
    assert!(!stack.exists("key").await);
}

#[tokio::test]
async fn a_delayed_request_is_carried_out() {
    let stack = start().await;
    stack.emulators.inject(Rule::new(Fault::Delay(Duration::from_millis(150))).times(1));
    let begun = Instant::now();
    stack.put("key", "x").await;
    assert!(begun.elapsed() >= Duration::from_millis(150));
    assert_eq!(stack.get("key").await, b"x");
}

#[tokio::test]
async fn a_reset_request_is_not_carried_out_and_a_lost_answer_was() {
    let stack = start().await;
    for (fault, stored) in [(Fault::Reset, false), (Fault::LoseAnswer, true)] {
        stack.emulators.inject(Rule::new(fault).operation("PutObject").times(1));
        let put = stack.s3.put_object().bucket(&stack.bucket).key("key").body(b"x".to_vec().into()).send().await;
        assert!(matches!(put, Err(SdkError::DispatchFailure(_))), "{put:?}");
        assert_eq!(stack.exists("key").await, stored);
    }
    assert_eq!(stack.emulators.requests()[0].status, None);
}

#[tokio::test]
async fn a_hanging_request_is_never_answered() {
    let stack = start().await;
    stack.emulators.inject(Rule::new(Fault::Hang).times(1));
    let get = stack.s3.list_objects_v2().bucket(&stack.bucket).send();
    assert!(tokio::time::timeout(Duration::from_millis(100), get).await.is_err());
    stack.s3.list_objects_v2().bucket(&stack.bucket).send().await.unwrap();
}

#[tokio::test]
async fn a_cut_answer_breaks_in_its_body() {
    let stack = start().await;
    stack.put("key", noise(MIB)).await;
    stack.emulators.inject(Rule::new(Fault::CutAnswer(1000)).operation("GetObject").times(1));
    let get = stack.s3.get_object().bucket(&stack.bucket).key("key").send().await.unwrap();
    assert_eq!(get.content_length(), Some(MIB as i64));
    get.body.collect().await.unwrap_err();
    assert_eq!(stack.get("key").await, noise(MIB));
}

#[tokio::test]
async fn the_sdk_s_retries_are_each_recorded() {
    let stack = start().await;
    let options = stack.emulators.options();
    let config = support::s3_config(&stack.emulators, &options.access_key, &options.secret_key);
    let retries = RetryConfig::standard().with_max_attempts(3).with_initial_backoff(Duration::from_millis(1));
    let sleep = aws_smithy_async::rt::sleep::TokioSleep::new();
    let client = aws_sdk_s3::Client::from_conf(config.retry_config(retries).sleep_impl(sleep).build());
    stack.emulators.inject(Rule::new(Fault::Throttle).times(2));
    client.put_object().bucket(&stack.bucket).key("key").body(b"x".to_vec().into()).send().await.unwrap();
    assert_eq!(stack.count("PutObject"), 3);
}
