//! What is tried again, and when.

use std::time::Duration;

use berth::distribution::{Paging, Repository as _};

use crate::{
    client::{Client, RETRIES, says},
    server::{Reply, Server, reply},
};

#[tokio::test]
async fn what_is_busy_is_asked_again_after_the_time_that_it_asks_for() {
    let server = Server::start(|asked| match asked.number {
        0 => reply(503, &[("Retry-After", "7")], ""),
        1 => reply(429, &[("Retry-After", "100000")], ""),
        2 => Reply::Raw(Vec::new()),
        _ => reply(200, &[], r#"{"tags":["a"]}"#),
    })
    .await;
    let client = Client::of(&server);
    let page = client.repository().tags().list(&client.ctx, &Paging::default()).await.unwrap();
    assert_eq!(page.entries.len(), 1);
    let pauses = client.pauses.lock().unwrap().clone();
    let seconds = Duration::from_secs;
    assert!(pauses[0] >= seconds(7) && pauses[0] < seconds(8), "{pauses:?}");
    assert_eq!(pauses[1], seconds(20), "no longer than the client's own limit");
    assert!(pauses[2] <= seconds(1) && pauses.len() == 3, "{pauses:?}");
}

#[tokio::test]
async fn what_stays_busy_is_given_up() {
    for status in [429, 502, 503, 504] {
        let server = Server::start(move |_| reply(status, &[], "")).await;
        let client = Client::of(&server);
        let result = client.repository().tags().list(&client.ctx, &Paging::default()).await;
        says(result, &[&server.addr.to_string(), &status.to_string(), "try again later"]);
        assert_eq!(server.asked().len(), 1 + RETRIES as usize);
    }
}

#[tokio::test]
async fn what_will_not_change_is_asked_once() {
    for status in [400, 403, 404, 405, 500, 501] {
        let server = Server::start(move |_| reply(status, &[], "")).await;
        let client = Client::of(&server);
        client.repository().tags().list(&client.ctx, &Paging::default()).await.unwrap_err();
        assert_eq!(server.asked().len(), 1, "{status}");
    }
}

/// The first try was done, though nobody heard of it.
#[tokio::test]
async fn a_deletion_whose_answer_was_lost_is_done() {
    let server = Server::start(|asked| match asked.number {
        0 => Reply::Raw(Vec::new()),
        _ => reply(404, &[], ""),
    })
    .await;
    let client = Client::of(&server);
    client.repository().tags().untag(&client.ctx, &"v1".parse().unwrap()).await.unwrap();
    let unknown = client.repository().tags().untag(&client.ctx, &"v1".parse().unwrap()).await;
    says(unknown, &["v1", "unknown"]);
}
