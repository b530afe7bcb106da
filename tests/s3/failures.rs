//! What S3's failures are to a caller.

use std::time::{Duration, Instant};

use berth::{
    aws::{Keys, http_client},
    driver::{
        DriverError, DriverErrorKind, PutOptions, StorageDriver as _,
        s3::{S3Config, S3Driver},
    },
};
use berth_local::{Fault, Rule};
use bytes::Bytes;

use crate::store::{ctx, ctx_for, path, store};

fn error(status: u16, code: &str) -> Fault {
    Fault::Error { status, code: code.to_owned() }
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let store = store().await;
    store.put("/x", Bytes::from("x"), PutOptions::default()).await.unwrap();
    store.emulator.inject(Rule::new(error(400, "RequestTimeout")).times(1));
    assert_eq!(store.content("/x").await.unwrap(), "x");
    for fault in [
        Fault::Throttle,
        Fault::InternalError,
        Fault::Reset,
        Fault::LoseAnswer,
        error(429, "TooManyRequests"),
        error(502, "BadGateway"),
    ] {
        store.asked();
        store.emulator.inject(Rule::new(fault.clone()).times(2));
        assert_eq!(store.content("/x").await.unwrap(), "x");
        assert_eq!(store.asked(), "3 GetObject", "{fault:?}");
        store.emulator.inject(Rule::new(fault.clone()).times(1));
        store.driver.stat(&ctx(), &path("/x")).await.unwrap();
        store.emulator.inject(Rule::new(fault.clone()).times(1));
        store.put("/y", Bytes::from("y"), PutOptions::default()).await.unwrap();
        store.emulator.inject(Rule::new(fault.clone()).times(1));
        store.driver.list(&ctx(), &berth::driver::Path::root()).await.unwrap();
        store.emulator.inject(Rule::new(fault).times(1));
        store.driver.delete(&ctx(), &[path("/y"), path("/z")]).await.unwrap();
    }
}

#[tokio::test]
async fn what_persists_is_reported_before_time_runs_out() {
    let store = store().await;
    for (fault, kind) in
        [(Fault::Throttle, DriverErrorKind::Throttled), (Fault::InternalError, DriverErrorKind::Failed)]
    {
        store.asked();
        store.emulator.inject(Rule::new(fault));
        let (started, time) = (Instant::now(), Duration::from_secs(2));
        let error = store.driver.get(&ctx_for(time), &path("/x"), 1).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(started.elapsed() < time, "{:?}", started.elapsed());
        assert!(store.emulator.requests().len() > 1);
        store.emulator.clear_faults();
    }
}

#[tokio::test]
async fn no_answer_within_the_deadline_is_a_timeout() {
    let store = store().await;
    store.emulator.inject(Rule::new(Fault::Hang));
    let ctx = ctx_for(Duration::from_millis(100));
    let error = store.driver.stat(&ctx, &path("/x")).await.unwrap_err();
    assert_eq!(error.kind, DriverErrorKind::Timeout, "{error}");
    let error =
        store.driver.presign(&ctx, &path("/x"), berth::driver::PresignedMethod::Get, Duration::from_secs(1)).await;
    assert_eq!(error.unwrap_err().kind, DriverErrorKind::Timeout);
    assert_eq!(store.asked(), "1 HeadObject");
    // That S3 throttled first is the better reason.
    store.emulator.clear_faults();
    store.emulator.inject(Rule::new(Fault::Throttle).times(1));
    store.emulator.inject(Rule::new(Fault::Hang));
    let error = store.driver.stat(&ctx_for(Duration::from_millis(500)), &path("/x")).await.unwrap_err();
    assert_eq!(error.kind, DriverErrorKind::Throttled, "{error}");
}

#[tokio::test]
async fn what_cannot_pass_is_not_tried_again() {
    let store = store().await;
    for (status, code, kind) in [
        (403, "AccessDenied", DriverErrorKind::Denied),
        (400, "ExpiredToken", DriverErrorKind::Denied),
        (403, "RequestTimeTooSkewed", DriverErrorKind::Denied),
        (400, "BadDigest", DriverErrorKind::Checksum),
        (412, "PreconditionFailed", DriverErrorKind::Precondition),
        (400, "AuthorizationHeaderMalformed", DriverErrorKind::Failed),
        (501, "NotImplemented", DriverErrorKind::Failed),
    ] {
        store.emulator.inject(Rule::new(error(status, code)).times(1));
        let error = store.put("/x", Bytes::from("x"), PutOptions::default()).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.message.contains(code), "{error}");
        assert_eq!(store.asked(), "1 PutObject", "{code}");
        assert_eq!(store.emulator.objects().len(), 0);
    }
    // Without a body there is the status alone.
    store.emulator.inject(Rule::new(Fault::AccessDenied).times(1));
    let error = store.driver.stat(&ctx(), &path("/x")).await.unwrap_err();
    assert_eq!(error.kind, DriverErrorKind::Denied, "{error}");
}

async fn refused(store: &crate::store::Store, change: impl FnOnce(&mut S3Config)) -> DriverError {
    let mut config = crate::store::config(&store.emulator);
    change(&mut config);
    let driver = S3Driver::new(config, &http_client()).await;
    driver.get(&ctx_for(Duration::from_secs(2)), &path("/x"), 1).await.unwrap_err()
}

#[tokio::test]
async fn a_wrong_configuration_says_what_to_do() {
    let store = store().await;
    let error = refused(&store, |config| config.bucket = "another".to_owned()).await;
    assert_eq!(error.kind, DriverErrorKind::Failed);
    assert!(error.message.contains("no bucket 'another'"), "{error}");

    let error = refused(&store, |config| config.account.region = Some("eu-central-1".to_owned())).await;
    assert_eq!(error.kind, DriverErrorKind::Failed);
    assert!(error.message.contains("'berth'") && error.message.contains("set the region"), "{error}");

    let wrong = Keys { access: store.emulator.options().access_key.clone(), secret: "wrong".to_owned() };
    let error = refused(&store, |config| config.account.keys = Some(wrong)).await;
    assert_eq!(error.kind, DriverErrorKind::Denied);
    assert!(error.message.contains("SignatureDoesNotMatch"), "{error}");

    let unknown = Keys { access: "AKIAUNKNOWN".to_owned(), secret: "wrong".to_owned() };
    let error = refused(&store, |config| config.account.keys = Some(unknown)).await;
    assert_eq!(error.kind, DriverErrorKind::Denied, "{error}");

    let error = refused(&store, |config| config.account.endpoint = Some("http://127.0.0.1:1".to_owned())).await;
    assert_eq!(error.kind, DriverErrorKind::Failed);
    assert!(error.message.contains("refused"), "{error}");
}

#[tokio::test]
async fn secrets_stay_out_of_debug_output() {
    let store = store().await;
    let config = crate::store::config(&store.emulator);
    assert!(!format!("{config:?} {:?}", store.driver).contains(&store.emulator.options().secret_key));
}
