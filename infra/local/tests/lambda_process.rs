//! What a process is given, what is seen of it, and that it ends with its function.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

#[path = "support/client.rs"]
mod client;

use std::time::{Duration, Instant};

use berth_local::lambda::{InvokeError, Scaling, Stream};
use client::{busy, door, get, probe, state};

#[tokio::test]
async fn the_environment_is_lambdas_and_the_callers_and_nothing_else() {
    let function = probe().name("images").handler("maintenance").memory(256).region("eu-west-1").env("GIVEN", "1");
    let door = door(function.env("AWS_ACCESS_KEY_ID", "AKIA").env("TZ", ":CET")).await;
    let environment = get(&door, "/env").await.json();
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "images"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/images"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("_HANDLER", "maintenance"),
        ("GIVEN", "1"),
        ("AWS_ACCESS_KEY_ID", "AKIA"),
        ("TZ", ":CET"),
    ] {
        assert_eq!(environment[name], value, "{name}");
    }
    assert!(environment["AWS_LAMBDA_RUNTIME_API"].as_str().unwrap().starts_with("127.0.0.1:"));
    assert_eq!(environment.get("CARGO_MANIFEST_DIR"), None, "that of the test itself");
    assert_eq!(environment.get("HOME"), None);
}

#[tokio::test]
async fn lines_are_kept_in_order_with_their_instance() {
    let door = door(probe()).await;
    get(&door, "/log?a=hello").await;
    let function = door.function();
    let line = function.log(|line| line.text == "hello").await;
    assert_eq!((line.instance, line.stream), (function.instances()[0].id, Stream::Stdout));
    assert_eq!(function.log(|line| line.text == "error: hello").await.stream, Stream::Stderr);
    function.log(|line| line.text.starts_with("posted 202")).await;
    let lines: Vec<_> = function.logs().into_iter().filter(|line| line.stream == Stream::Stdout).collect();
    assert_eq!((lines[0].text.as_str(), &lines[1].text[..10]), ("hello", "posted 202"));
}

#[tokio::test]
async fn starts_and_memory_are_measured_and_time_is_billed() {
    let function = probe().env("PROBE_INIT", "slow").start().await.unwrap();
    function.invoke("{}").await.unwrap();
    function.settled().await;
    let [start] = function.starts().try_into().unwrap();
    let (poll, answer) = (start.first_poll.unwrap(), start.first_answer.unwrap());
    assert!(Duration::from_millis(200) <= poll && poll < answer, "{start:?}");
    assert!(start.spawned_at.elapsed().unwrap() >= answer);
    let [instance] = function.instances().try_into().unwrap();
    assert_eq!((start.instance, start.pid, instance.invocations), (instance.id, instance.pid, 1));
    assert!(instance.resident.unwrap() > 100_000 && instance.peak_resident >= instance.resident, "{instance:?}");
    let billed = function.counters().billed_ms;
    assert!(u128::from(billed) >= answer.as_millis(), "the start is billed with the first event: {billed}");
    function.invoke("{}").await.unwrap();
    function.settled().await;
    let (counters, starts) = (function.counters(), function.starts());
    assert_eq!((counters.invocations, starts[0].first_answer), (2, Some(answer)));
    assert!(billed < counters.billed_ms && counters.billed_ms < billed + 200, "only with the first: {counters:?}");
}

#[tokio::test]
async fn nothing_is_left_of_a_function_that_is_dropped() {
    let function = probe().instances(3).scaling(Scaling::AllAtRandom).start().await.unwrap();
    let door = function.door(Default::default()).unwrap();
    let (address, pids) = (door.address(), function.instances().into_iter().map(|instance| instance.pid));
    let pids: Vec<_> = pids.collect();
    drop(function);
    assert_eq!(get(&door, "/").await.status, 200, "a door keeps its function");
    drop(door);
    assert!(pids.iter().all(|pid| state(*pid).is_none()));
    let begun = Instant::now();
    while std::net::TcpStream::connect(address).is_ok() {
        assert!(begun.elapsed() < Duration::from_secs(5), "still listens");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_function_that_is_stopped_ends_what_runs_and_takes_no_more() {
    let function = probe().instances(2).scaling(Scaling::AllAtRandom).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (tasks, _) = busy(&function, 1, folder.path()).await;
    let pids: Vec<_> = function.instances().into_iter().map(|instance| instance.pid).collect();
    function.stop();
    assert!(pids.iter().all(|pid| state(*pid).is_none()));
    for task in tasks {
        assert_eq!(task.await.unwrap(), Err(InvokeError::Stopped));
    }
    assert_eq!(function.invoke("{}").await, Err(InvokeError::Stopped));
    assert_eq!(function.instances().len(), 0);
}

#[test]
fn a_function_serves_a_runtime_that_ended() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let function = runtime().block_on(probe().start()).unwrap();
    assert!(runtime().block_on(function.invoke("{}")).is_ok());
}
