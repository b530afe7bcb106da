//! The gateway may be killed at any moment. Its client pushes again through another, and nothing arrives twice.

use berth::digest::Digest;
use berth_local::{Fault, Rule};
use http::StatusCode;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    house::{House, content},
    old_client::{pull, push, send},
    process::Home,
};

/// Moments of the close, at which everything is done that matters.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// At that request to the registry, before or after it is carried out.
    Registry(usize, bool),
    /// While the content is sent to storage: it does not arrive.
    Storage,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_gateway_leaves_nothing_and_what_arrived_is_not_sent_again() {
    // The login, the announcement and the close, each before and after; then storage.
    let registry = (0..4).flat_map(|at| [Moment::Registry(at, false), Moment::Registry(at, true)]);
    let mut killed = 0;
    for (number, moment) in registry.chain([Moment::Storage]).enumerate() {
        let house = House::new().await;
        let home = Home::of("alice", house.host());
        let (mut gateway, blob) = (home.start(house.host()), content(number as u32, 2_000_000));
        let digest = Digest::canonical(&blob);
        let http = gateway.http();
        let sent = send(&http, "a/app", &blob).await;
        house.gate.take();
        match moment {
            Moment::Registry(at, done) => house.gate.stop(at, done),
            Moment::Storage => house.s3.inject(Rule::new(Fault::Hang).presigned(true).times(1)),
        }
        let target = sent.closing(&digest);
        let closing = tokio::spawn(close(gateway.host.clone(), target));
        let is_stuck = async {
            while !house.s3.requests().iter().any(|request| request.fault.is_some()) {
                tokio::task::yield_now().await;
            }
        };
        let was_reached = tokio::select! {
            () = house.gate.stopped.notified() => true,
            () = is_stuck => true,
            // The client of a gateway that is killed gets no answer; this one got its own.
            _ = wait(&closing) => false,
        };
        gateway.process.kill().unwrap();
        gateway.process.wait().unwrap();
        assert_eq!(home.spooled(), 0, "{moment:?}");
        if !was_reached {
            continue;
        }
        killed += 1;
        house.gate.take();
        house.s3.clear_faults();
        house.gate.stop(usize::MAX, false);

        let arrived = |house: &House| {
            let puts = house.s3.requests().into_iter().filter(|request| request.presigned && request.method == "PUT");
            puts.filter(|request| request.status == Some(200)).count()
        };
        assert!(arrived(&house) <= 1);
        let again = home.start(house.host());
        let http = again.http();
        let head = http.head(&format!("/v2/a/app/blobs/{digest}")).await;
        if head.status == StatusCode::NOT_FOUND {
            let pushed = push(&http, "a/app", &blob, &digest).await;
            assert_eq!(pushed.status, StatusCode::CREATED, "{moment:?}: {pushed:?}");
        }
        assert_eq!(arrived(&house), 1, "{moment:?}: sent once");
        assert!(pull(&http, "a/app", &digest).await.body == blob, "{moment:?}");
    }
    println!("killed at {killed} moments of a close");
    assert!(killed >= 6, "{killed}");
}

/// Closes an upload; whatever comes back.
async fn close(host: String, target: String) {
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let head = format!("PUT {target} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
}

async fn wait<T>(task: &tokio::task::JoinHandle<T>) {
    while !task.is_finished() {
        tokio::task::yield_now().await;
    }
}
