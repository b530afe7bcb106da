//! What an edge stored, committed by the deployment: the edge's own part is played by whoever owns the bucket.

use std::sync::Arc;

use berth::{
    config::Config,
    context::Context,
    digest::{Algorithm, Digest},
    driver::{PutOptions, StorageDriver},
    storage::PathSpec,
    wire::Adapters,
};
use berth_local::{Fault, Rule};
use bytes::Bytes;
use http::StatusCode;

use crate::{
    image::noise,
    stack::{Stack, pull_blob, push_blob},
    support::{
        http::{Answer, Http},
        registry::on_aws,
    },
};

async fn bucket(stack: &Stack) -> Arc<dyn StorageDriver> {
    let config = Config::parse("edge.yml", &on_aws(&stack.emulators, ""), []).unwrap();
    Adapters::open(&config).await.unwrap().driver().clone()
}

/// Opens a session in "app" and puts `blob` on its stage; where the edge sends its client then.
async fn stored(http: &Http, bucket: &dyn StorageDriver, blob: &Bytes, digest: &Digest) -> String {
    let opened = http.post("/v2/app/blobs/uploads/").await;
    assert_eq!(opened.status, StatusCode::ACCEPTED, "{opened:?}");
    let id = opened.header("docker-upload-uuid");
    let stage = PathSpec::UploadStaged(&"app".parse().unwrap(), id, digest).path().unwrap();
    let ctx = Context::background("edge");
    bucket.put(&ctx, &stage, blob.clone().into(), PutOptions::default()).await.unwrap();
    format!("{}&size={}&commit=edge", opened.closing(digest), blob.len())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_invocations_and_eight_requests_are_enough_for_a_blob_of_an_unchanged_client() {
    let stack = Stack::start(|function| function.instances(1)).await;
    let (http, bucket) = (stack.http(), bucket(&stack).await);
    push_blob(&http, "app", &Bytes::from("warm")).await;
    for (number, size) in [(1, 20_000), (2, 200_000_000)] {
        let blob = noise(number, size);
        let digest = Digest::canonical(&blob);
        stack.function.settled().await;
        stack.emulators.reset();
        let before = stack.function.counters().invocations;
        assert_eq!(http.head(&format!("/v2/app/blobs/{digest}")).await.status, StatusCode::NOT_FOUND);
        let commit = stored(&http, &*bucket, &blob, &digest).await;
        let committed = http.get(&commit).await;
        assert_eq!(committed.status, StatusCode::CREATED, "{committed:?}");
        stack.function.settled().await;
        assert_eq!(stack.function.counters().invocations - before, 3);
        let requests = stack.emulators.requests();
        let own = requests.iter().filter(|request| {
            // The bucket's owner signs with another key than the function has.
            request.identity.as_deref() != Some("default")
        });
        let own: Vec<_> = own.map(|request| request.operation.as_str()).collect();
        println!("{size} bytes by the edge: 3 invocations, {} requests to AWS {own:?}", own.len());
        assert!(own.len() <= 8, "{own:?}");
        assert!(pull_blob(&http, "app", &digest).await.body == blob);
    }
}

/// Kills all instances once a fault has been played, which stops the request that an instance is at.
async fn kill_when_stuck(stack: &Stack) {
    while !stack.emulators.requests().iter().any(|request| request.fault.is_some()) {
        tokio::task::yield_now().await;
    }
    stack.emulators.clear_faults();
    assert!(stack.function.kill_all() > 0);
}

/// The commit, again when its instance is gone; how often it was.
async fn commit(http: &Http, url: &str) -> (Answer, u32) {
    let mut gone = 0;
    loop {
        let answer = http.get(url).await;
        if answer.status != StatusCode::BAD_GATEWAY {
            return (answer, gone);
        }
        gone += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_at_any_request_of_a_commit_costs_one_retry() {
    let stack = Stack::start(|function| function.instances(2)).await;
    let bucket = bucket(&stack).await;
    push_blob(&stack.http(), "app", &Bytes::from("warm")).await;
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        for moment in 0.. {
            let blob = noise(1000 * algorithm.size() as u64 + u64::from(moment), 200_000);
            let digest = Digest::of(algorithm, &blob);
            let http = stack.http();
            let url = stored(&http, &*bucket, &blob, &digest).await;
            stack.emulators.reset();
            stack.emulators.inject(Rule::new(Fault::Hang).skip(moment).times(1));
            let ((committed, gone), was_killed) = {
                let whole = commit(&http, &url);
                tokio::pin!(whole);
                tokio::select! {
                    done = &mut whole => (done, false),
                    () = kill_when_stuck(&stack) => (whole.await, true),
                }
            };
            stack.emulators.clear_faults();
            assert!(gone <= 1, "moment {moment}: {gone} times");
            assert_eq!(committed.status, StatusCode::CREATED, "moment {moment}: {committed:?}");
            assert!(pull_blob(&stack.http(), "app", &digest).await.body == blob, "moment {moment}");
            if !was_killed {
                println!("killed at each of the {moment} requests of a commit by {algorithm}: one retry");
                assert!(moment >= 5, "{moment}");
                break;
            }
        }
    }
}
