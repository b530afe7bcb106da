//! What the standard environment variables say. They are a process's, so each test is played by a process of its own.

use std::{process::Command, time::Duration};

use berth::{
    aws::{Account, http_client},
    driver::{
        DriverErrorKind, PresignedMethod, PutOptions, StorageDriver as _,
        s3::{S3Config, S3Driver},
    },
};
use berth_local::Emulators;
use bytes::Bytes;

use crate::store::{ctx, path};

/// Runs the ignored test `name` in the given environment.
async fn run(name: &str, env: Vec<(&'static str, String)>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", &format!("environment::{name}")]).env_clear().envs(env);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
}

async fn driver() -> S3Driver {
    let config = S3Config { force_path_style: true, account: Account::default(), ..S3Config::new("berth") };
    S3Driver::new(config, &http_client()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_says_where_and_who() {
    let emulators = Emulators::start().await.unwrap();
    run("plays_with_an_environment", emulators.env()).await;
    assert_eq!(emulators.s3().objects().len(), 1);
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn plays_with_an_environment() {
    driver().await.put(&ctx(), &path("/x"), Bytes::from("x").into(), PutOptions::default()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_the_driver_starts_and_is_denied() {
    run("plays_without_credentials", vec![("AWS_EC2_METADATA_DISABLED", "true".to_owned())]).await;
}

#[tokio::test]
#[ignore = "run by the test above"]
async fn plays_without_credentials() {
    let driver = driver().await;
    let error = driver.stat(&ctx(), &path("/x")).await.unwrap_err();
    assert_eq!(error.kind, DriverErrorKind::Denied, "{error}");
    let signed = driver.presign(&ctx(), &path("/x"), PresignedMethod::Get, Duration::from_secs(1)).await;
    assert_eq!(signed.unwrap_err().kind, DriverErrorKind::Denied);
}
