//! Starting and stopping.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use std::net::TcpStream;
use std::time::{Duration, Instant};

use berth_local::{DynamoDbEmulator, Emulators, Error, Options, S3Emulator};

#[tokio::test]
async fn each_starts_alone() {
    let s3 = S3Emulator::start().await.unwrap();
    assert!(TcpStream::connect(s3.address()).is_ok());
    assert_eq!(s3.endpoint(), format!("http://{}", s3.address()));
    let dynamodb = DynamoDbEmulator::start().await.unwrap();
    assert!(TcpStream::connect(dynamodb.address()).is_ok());
}

#[tokio::test]
async fn many_run_side_by_side_and_share_nothing() {
    let (one, two) = (support::start().await, support::start().await);
    one.put("key", "one").await;
    assert!(!two.exists("key").await);
    assert_eq!(one.emulators.requests().len(), 1);
}

#[tokio::test]
async fn dropped_emulators_stop_listening() {
    let emulators = Emulators::start().await.unwrap();
    let addresses = [emulators.s3().address(), emulators.dynamodb().address()];
    drop(emulators);
    let begun = Instant::now();
    for address in addresses {
        while TcpStream::connect(address).is_ok() {
            assert!(begun.elapsed() < Duration::from_secs(5), "still listens");
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_names_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let options = Options { s3_address: taken.local_addr().unwrap(), ..Options::default() };
    let error = Emulators::start_with(options).await.unwrap_err();
    assert!(matches!(error, Error::Address(..)));
    assert!(error.to_string().contains(&taken.local_addr().unwrap().to_string()));
}

#[test]
fn they_serve_a_runtime_that_ended() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let emulators = runtime.block_on(Emulators::start()).unwrap();
    drop(runtime);
    assert!(TcpStream::connect(emulators.s3().address()).is_ok());
}

#[tokio::test]
async fn the_environment_names_all() {
    let emulators = Emulators::start().await.unwrap();
    let env: std::collections::HashMap<_, _> = emulators.env().into_iter().collect();
    assert_eq!(env["AWS_ENDPOINT_URL_S3"], emulators.s3().endpoint());
    assert_eq!(env["AWS_ENDPOINT_URL_DYNAMODB"], emulators.dynamodb().endpoint());
    assert_eq!(env["AWS_ENDPOINT_URL_STS"], emulators.sts().endpoint());
    assert_eq!(env["AWS_REGION"], "us-east-1");
    assert!(!env["AWS_ACCESS_KEY_ID"].is_empty() && !env["AWS_SECRET_ACCESS_KEY"].is_empty());
}
