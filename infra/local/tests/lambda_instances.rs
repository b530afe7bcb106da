//! Instances: when they start and freeze, and which is chosen.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

#[path = "support/client.rs"]
mod client;

use std::collections::HashSet;

use berth_local::lambda::{InvokeError, Scaling, State, WhenBusy};
use client::{becomes, busy, door, event, get, pid, probe, state};

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
