//! Instances: when they start, freeze, are chosen and end.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

#[path = "support/client.rs"]
mod client;

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use berth_local::lambda::{Door, Function, InvokeError, Scaling, State, Stream, WhenBusy};
use client::{door, get, probe};
use serde_json::json;

fn event(path: &str, argument: &str) -> String {
    json!({ "rawPath": path, "a": argument }).to_string()
}

/// The kernel's word for what a process is doing: T is stopped. None when it is gone, or a zombie.
fn state(pid: u32) -> Option<char> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let state = status.lines().find_map(|line| line.strip_prefix("State:")).unwrap().trim().chars().next();
    state.filter(|state| *state != 'Z')
}

async fn becomes(pid: u32, wanted: impl Fn(Option<char>) -> bool) {
    let begun = Instant::now();
    while !wanted(state(pid)) {
        assert!(begun.elapsed() < Duration::from_secs(10), "process {pid} is {:?}", state(pid));
        tokio::task::yield_now().await;
    }
}

async fn pid(door: &Door) -> u32 {
    u32::try_from(get(door, "/who").await.json()["pid"].as_u64().unwrap()).unwrap()
}

/// Begins `count` invocations that go on until the file that is returned is made; each is in an instance's hands.
async fn busy(function: &Function, count: usize, folder: &Path) -> (Vec<tokio::task::JoinHandle<Outcome>>, String) {
    let file = folder.join("go").display().to_string();
    let mut tasks = Vec::new();
    for _ in 0..count {
        let (function, event) = (function.clone(), event("/wait", &file));
        tasks.push(tokio::spawn(async move { function.invoke(event).await }));
    }
    let waits = |line: &berth_local::lambda::LogLine| line.text == format!("waiting for {file}");
    let begun = Instant::now();
    while function.logs().iter().filter(|line| waits(line)).count() < count {
        assert!(begun.elapsed() < Duration::from_secs(20));
        tokio::task::yield_now().await;
    }
    (tasks, file)
}

type Outcome = Result<bytes::Bytes, InvokeError>;

#[tokio::test]
async fn an_instance_is_stopped_between_events_and_runs_during_them() {
    let door = door(probe()).await;
    let first = pid(&door).await;
    for _ in 0..3 {
        door.function().settled().await;
        becomes(first, |state| state == Some('T')).await;
        assert_eq!(door.function().instances()[0].state, State::Frozen);
        assert_eq!(pid(&door).await, first);
    }
    let folder = tempfile::tempdir().unwrap();
    let (tasks, file) = busy(door.function(), 1, folder.path()).await;
    assert_ne!(state(first), Some('T'));
    assert_eq!(door.function().instances()[0].state, State::Busy);
    std::fs::write(file, "").unwrap();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn freezing_can_be_left_out() {
    let door = door(probe().freeze(false)).await;
    let pid = pid(&door).await;
    door.function().settled().await;
    assert_eq!(door.function().instances()[0].state, State::Idle);
    assert!(matches!(state(pid), Some('S' | 'R')));
}

#[tokio::test]
async fn an_instance_starts_only_when_all_are_busy_and_there_may_be_more() {
    let function = probe().instances(2).start().await.unwrap();
    assert_eq!(function.instances().len(), 0);
    for _ in 0..3 {
        function.invoke(event("/who", "")).await.unwrap();
        function.settled().await;
    }
    assert_eq!(function.counters().starts, 1);
    let folder = tempfile::tempdir().unwrap();
    let (tasks, file) = busy(&function, 2, folder.path()).await;
    let third = tokio::spawn({
        let function = function.clone();
        async move { function.invoke(event("/who", "")).await }
    });
    // The third is accepted and waits: only then is it known that it did not start one.
    while function.counters().invocations < 6 {
        tokio::task::yield_now().await;
    }
    assert_eq!((function.instances().len(), function.counters().starts), (2, 2));
    std::fs::write(file, "").unwrap();
    for task in tasks.into_iter().chain([third]) {
        task.await.unwrap().unwrap();
    }
    let counters = function.counters();
    assert_eq!((counters.starts, counters.cold_starts, counters.throttles), (2, 2, 0));
}

#[tokio::test]
async fn a_function_may_refuse_what_it_has_no_instance_for() {
    let door = door(probe().when_busy(WhenBusy::Refuse)).await;
    let function = door.function();
    let folder = tempfile::tempdir().unwrap();
    let (tasks, file) = busy(function, 1, folder.path()).await;
    assert_eq!(function.invoke("{}").await, Err(InvokeError::Throttled));
    let answer = get(&door, "/").await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (429, Some("TooManyRequestsException")));
    assert_eq!((function.counters().throttles, function.counters().invocations), (2, 1));
    std::fs::write(file, "").unwrap();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    function.settled().await;
    assert_eq!(get(&door, "/").await.status, 200);
}

/// Which of the instances handled each of a few events, one after the other.
async fn choices(seed: u64) -> Vec<u64> {
    let function = probe().instances(4).seed(seed).start().await.unwrap();
    let mut pids: Vec<_> = function.instances().iter().map(|instance| u64::from(instance.pid)).collect();
    assert_eq!((pids.len(), function.counters().starts, function.counters().cold_starts), (4, 4, 0));
    let mut chosen = Vec::new();
    for _ in 0..16 {
        function.settled().await;
        let answer: serde_json::Value =
            serde_json::from_slice(&function.invoke(event("/who", "")).await.unwrap()).unwrap();
        let answer: serde_json::Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        chosen.push(pids.iter().position(|pid| answer["pid"] == *pid).unwrap() as u64);
    }
    pids.dedup();
    assert_eq!(pids.len(), 4);
    assert_eq!(function.counters().starts, 4);
    chosen
}

#[tokio::test]
async fn an_instance_is_chosen_at_random_and_again_so_by_the_same_seed() {
    let (one, again, other) = (choices(1).await, choices(1).await, choices(2).await);
    assert_eq!(one, again);
    assert_ne!(one, other);
    assert_eq!(one.iter().collect::<HashSet<_>>().len(), 4, "{one:?}");
}

#[tokio::test]
async fn an_instance_ends_after_so_many_events() {
    let function = probe().recycle_after(2).start().await.unwrap();
    let door = function.door(Default::default()).unwrap();
    let mut pids = Vec::new();
    for _ in 0..6 {
        pids.push(pid(&door).await);
    }
    assert_eq!((pids[0], pids[2], pids[4]), (pids[1], pids[3], pids[5]));
    assert_eq!(pids.iter().collect::<HashSet<_>>().len(), 3);
    function.settled().await;
    for pid in pids {
        becomes(pid, |state| state.is_none()).await;
    }
}

#[tokio::test]
async fn a_fresh_process_for_each_event_also_of_those_started_ahead() {
    let function = probe().recycle_after(1).instances(3).seed(3).start().await.unwrap();
    let door = function.door(Default::default()).unwrap();
    let mut pids = HashSet::new();
    for _ in 0..9 {
        pids.insert(pid(&door).await);
    }
    assert_eq!(pids.len(), 9);
    function.settled().await;
    assert_eq!(function.instances().len(), 3, "those that ended are replaced");
}

#[tokio::test]
async fn recycling_ends_the_idle_and_spares_the_busy() {
    let function = probe().instances(2).scaling(Scaling::AllAtRandom).start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (tasks, file) = busy(&function, 1, folder.path()).await;
    let idle = function.instances().into_iter().find(|instance| instance.state == State::Frozen).unwrap();
    assert_eq!(function.recycle(), 1);
    becomes(idle.pid, |state| state.is_none()).await;
    std::fs::write(file, "").unwrap();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    function.settled().await;
    assert!(function.instances().iter().all(|instance| instance.id != idle.id));
    assert_eq!(function.instances().len(), 2);
}

#[tokio::test]
async fn killing_in_mid_request_is_a_502_and_the_next_finds_a_fresh_one() {
    let door = door(probe()).await;
    let function = door.function();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("go").display().to_string();
    let path = format!("/wait?a={file}");
    let (answer, killed) = tokio::join!(get(&door, &path), async {
        function.log(|line| line.text.starts_with("waiting")).await;
        let pid = function.instances()[0].pid;
        assert_eq!(function.kill_all(), 1);
        pid
    });
    assert_eq!((answer.status, answer.text()), (502, "Internal Server Error"));
    becomes(killed, |state| state.is_none()).await;
    assert_ne!(pid(&door).await, killed);
    assert_eq!(function.counters().errors, 1);
}

#[tokio::test]
async fn one_can_be_killed_and_a_frozen_one_too() {
    let function = probe().instances(2).scaling(Scaling::AllAtRandom).start().await.unwrap();
    let [one, other] = function.instances().try_into().unwrap();
    assert_eq!((one.state, other.state), (State::Frozen, State::Frozen));
    assert!(function.kill(one.id));
    assert!(!function.kill(one.id));
    becomes(one.pid, |state| state.is_none()).await;
    becomes(other.pid, |state| state == Some('T')).await;
}

#[tokio::test]
async fn an_instance_that_exits_in_mid_request_is_a_502() {
    let door = door(probe()).await;
    assert_eq!(get(&door, "/exit?a=3").await.status, 502);
    let error = door.function().invoke(event("/exit", "3")).await.unwrap_err();
    assert_eq!(error, InvokeError::Exited("exit status: 3".to_owned()));
    assert_eq!(get(&door, "/").await.status, 200);
    assert_eq!((door.function().counters().starts, door.function().counters().errors), (3, 2));
}

#[tokio::test]
async fn an_instance_that_does_not_start_is_a_502() {
    for (init, said) in [("exit", "exit status: 9"), ("error", "no configuration"), ("hang", "no poll within 500ms")] {
        for scaling in [Scaling::OnDemand, Scaling::AllAtRandom] {
            let function = probe().env("PROBE_INIT", init).init_timeout(Duration::from_millis(500)).scaling(scaling);
            let door = door(function).await;
            assert_eq!(get(&door, "/").await.status, 502);
            let error = door.function().invoke("{}").await.unwrap_err();
            assert!(matches!(&error, InvokeError::Init(text) if text.contains(said)), "{init}: {error}");
            assert_eq!(door.function().instances().len(), 0, "it is not tried again for nobody");
        }
    }
}

#[tokio::test]
async fn a_program_that_is_none_is_an_error_that_names_it() {
    for path in ["/nowhere/bootstrap", env!("CARGO_MANIFEST_DIR"), concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")] {
        let error = Function::builder(path).start().await.unwrap_err();
        assert!(error.to_string().contains(path), "{error}");
    }
}

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
    let function = probe().start().await.unwrap();
    function.invoke("{}").await.unwrap();
    function.settled().await;
    let [start] = function.starts().try_into().unwrap();
    let (poll, answer) = (start.first_poll.unwrap(), start.first_answer.unwrap());
    assert!(Duration::ZERO < poll && poll < answer, "{start:?}");
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
    assert!(counters.billed_ms > billed);
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

#[test]
fn a_function_serves_a_runtime_that_ended() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let function = runtime().block_on(probe().start()).unwrap();
    assert!(runtime().block_on(function.invoke("{}")).is_ok());
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_stop_its_invocation() {
    let function = probe().start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (tasks, file) = busy(&function, 1, folder.path()).await;
    tasks[0].abort();
    std::fs::write(file, "").unwrap();
    function.log(|line| line.text.starts_with("posted 202")).await;
    assert_eq!(function.counters().errors, 0);
}
