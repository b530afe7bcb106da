//! A commit that fails, or whose process dies, at any step: the same request again ends it.

use std::time::{Duration, SystemTime};

use berth::{
    digest::{Algorithm, Digest},
    storage::purge_uploads,
};
use berth_local::{Fault, Rule};
use http::StatusCode;

use crate::{
    edge::{commit_url, ctx, told},
    registry::{Registry, content, created, in_parts, options},
};

/// Plays `fault` at each request to S3 of a commit, one after the other; how many there were.
async fn at_each_request(registry: &Registry, algorithm: Algorithm, size: usize, fault: &Fault) -> u32 {
    at_each_request_of(registry, algorithm, size, fault, Some(size as u64)).await;
    at_each_request_of(registry, algorithm, size, fault, None).await
}

async fn at_each_request_of(
    registry: &Registry,
    algorithm: Algorithm,
    size: usize,
    fault: &Fault,
    size_told: Option<u64>,
) -> u32 {
    let alice = registry.person("alice");
    for moment in 0.. {
        let blob = content(1000 * registry.keys().len() as u32 + moment, size);
        let digest = Digest::of(algorithm, &blob);
        let opened = alice.open("a/app").await;
        registry.store("a/app", &opened, &digest, &blob).await;
        registry.s3.reset();
        registry.s3.inject(Rule::new(fault.clone()).skip(moment).times(1));
        // The edge tells the size; without it there is one request more.
        let (mut url, mut failures) = (told(commit_url(&opened, &digest), size_told), 0);
        let closed = loop {
            let answer = alice.get(&url).await;
            match answer.status {
                StatusCode::SEE_OTHER => url = answer.header("location").to_owned(),
                status if status.is_server_error() => failures += 1,
                _ => break answer,
            }
            assert!(failures <= 1, "{fault:?} at {moment}: {answer:?}");
        };
        let was_played = registry.s3.requests().iter().any(|request| request.fault.is_some());
        registry.s3.clear_faults();
        created(&closed, &digest);
        assert!(alice.pull("a/app", &digest).await.body == blob, "{fault:?} at {moment}");
        if !was_played {
            return moment;
        }
    }
    unreachable!()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_at_any_request_of_a_commit_costs_one_repetition() {
    let all = [Fault::AccessDenied, Fault::LoseAnswer, Fault::Throttle, Fault::Reset];
    for (options, algorithm, size, faults) in [
        (options(), Algorithm::Sha256, 1000, &all[..]),
        (options(), Algorithm::Sha512, 1000, &all[..2]),
        (in_parts(), Algorithm::Sha256, (11 << 20) + 10, &all[1..2]),
    ] {
        let registry = Registry::with(options).await;
        for fault in faults {
            let moments = at_each_request(&registry, algorithm, size, fault).await;
            println!("{fault:?} at each of {moments} requests ({algorithm}, {size} bytes)");
            assert!(moments >= 6, "{moments}");
        }
        registry.check_blobs().await;
        // What was left of them goes with their sessions.
        let soon = SystemTime::now() + Duration::from_secs(60);
        purge_uploads(&ctx(), &registry.driver, soon, false).await.unwrap();
        assert_eq!(registry.sessions(), [""; 0]);
    }
}
