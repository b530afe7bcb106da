//! Instances that fail, are killed, or never start.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

#[path = "support/client.rs"]
mod client;

use std::time::Duration;

use berth_local::lambda::{Function, InvokeError, Scaling, State};
use client::{becomes, busy, door, event, get, pid, probe};

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
async fn a_caller_that_goes_away_does_not_stop_its_invocation() {
    let function = probe().start().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (tasks, file) = busy(&function, 1, folder.path()).await;
    tasks[0].abort();
    std::fs::write(file, "").unwrap();
    function.log(|line| line.text.starts_with("posted 202")).await;
    assert_eq!(function.counters().errors, 0);
}
