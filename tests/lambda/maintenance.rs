//! The maintenance function does what is due, within its role.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use berth::{
    config::Config,
    context::Context,
    driver::{PutOptions, StorageDriver},
    wire::Adapters,
};
use berth_local::Emulators;
use bytes::Bytes;
use serde_json::{Value, json};
use uuid::{NoContext, Timestamp, Uuid};

use crate::{
    stack::{Shared, described, names},
    support::registry::on_aws,
};

/// Puts uploads in the bucket: of Berth and of distribution, old and new. Returns the keys of the old.
pub(crate) async fn abandoned(emulators: &Emulators) -> Vec<String> {
    let config = Config::parse("test.yml", &on_aws(emulators, ""), []).unwrap();
    let adapters = Adapters::open(&config).await.unwrap();
    let at = |days: u64| {
        let time = SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        Uuid::new_v7(Timestamp::from_unix(NoContext, time.duration_since(UNIX_EPOCH).unwrap().as_secs(), 0))
    };
    let root = "docker/registry/v2/repositories";
    let old = vec![
        format!("{root}/app/_uploads/{}/chunks/a", at(8)),
        format!("{root}/team/app/_uploads/7bd1d7f1-2d5e-4b8c-8f5c-9d6f3b1e0a11/startedat"),
        format!("{root}/team/app/_uploads/7bd1d7f1-2d5e-4b8c-8f5c-9d6f3b1e0a11/data"),
    ];
    let young = format!("{root}/app/_uploads/{}/chunks/a", at(6));
    for key in old.iter().chain([&young]) {
        put(&**adapters.driver(), key, "2015-03-01T10:20:30Z").await;
    }
    old
}

async fn put(driver: &dyn StorageDriver, key: &str, content: &'static str) {
    let path = format!("/{key}").parse().unwrap();
    let content = Bytes::from(content).into();
    driver.put(&Context::background("test"), &path, content, PutOptions::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn uploads_that_nobody_finished_are_removed_by_the_schedule() {
    let emulators = Shared::start().await;
    let names = names(&emulators);
    let function = described(&emulators, "MaintenanceFunction", &names).start().await.unwrap();
    let old = abandoned(&emulators).await;
    let before: Vec<_> = emulators.s3().objects().into_keys().collect();

    // As EventBridge sends it, and as a person does.
    for (event, removed, found) in [(r#"{"source":"aws.events","detail-type":"Scheduled Event"}"#, 2, 3), ("{}", 0, 1)]
    {
        let answer: Value = serde_json::from_slice(&function.invoke(event).await.unwrap()).unwrap();
        assert_eq!(answer, json!({ "uploads": { "found": found, "removed": removed, "undated": 0 } }));
    }
    let kept: Vec<_> = before.into_iter().filter(|key| !old.contains(key)).collect();
    assert_eq!(emulators.s3().objects().into_keys().collect::<Vec<_>>(), kept);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_is_the_functions_own() {
    let emulators = Shared::that_may_refuse().await;
    let names = names(&emulators).physical("Bucket", "nowhere");
    let function = described(&emulators, "MaintenanceFunction", &names).start().await.unwrap();
    assert!(function.invoke("{}").await.is_err(), "Lambda counts it as an error, and alarms see it");
    let line = function.log(|line| line.text.contains("maintenance was not done")).await;
    assert!(line.text.contains("nowhere"), "{}", line.text);
}
