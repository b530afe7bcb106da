//! A commit that fails, or whose process dies, at any step: the same request again ends it.

use std::time::{Duration, SystemTime};

use berth::{
    digest::{Algorithm, Digest},
    storage::{self, DirectOptions, purge_uploads},
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
    let reported = async || Registry::with(options()).await;
    let silent = async || Registry::without_part_checksums(options()).await;
    let stepwise = async || Registry::with(in_parts()).await;
    played(reported().await, Algorithm::Sha256, 1000, &all, 6).await;
    played(reported().await, Algorithm::Sha512, 1000, &all[..2], 6).await;
    played(silent().await, Algorithm::Sha256, 1000, &all, 6).await;
    played(stepwise().await, Algorithm::Sha256, (11 << 20) + 10, &all[1..2], 9).await;
}

/// Plays each of `faults` at each request of commits, of which there are at least `least`.
async fn played(registry: Registry, algorithm: Algorithm, size: usize, faults: &[Fault], least: u32) {
    for fault in faults {
        let moments = at_each_request(&registry, algorithm, size, fault).await;
        println!("{fault:?} at each of {moments} requests ({algorithm}, {size} bytes)");
        assert!(moments >= least, "{moments}");
    }
    registry.check_blobs().await;
    // What was left of them goes with their sessions.
    let soon = SystemTime::now() + Duration::from_secs(60);
    purge_uploads(&ctx(), &registry.driver, soon, false).await.unwrap();
    assert_eq!(registry.sessions(), [""; 0]);
}

/// An upload that is known is aborted. Of one whose id never came nobody knows: the bucket's lifecycle rule takes it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_fails_leaves_no_upload() {
    let registry = Registry::start().await;
    let alice = registry.person("alice");
    let failures = [
        ("UploadPartCopy", Fault::AccessDenied, 0),
        ("UploadPartCopy", Fault::LoseAnswer, 0),
        ("UploadPartCopy", Fault::InternalError, 0),
        ("CompleteMultipartUpload", Fault::AccessDenied, 0),
        ("CompleteMultipartUpload", Fault::LoseAnswer, 0),
        ("CreateMultipartUpload", Fault::LoseAnswer, 1),
    ];
    for (number, (operation, fault, left)) in (0..).zip(failures) {
        let blob = content(number, 1000);
        let digest = Digest::canonical(&blob);
        let opened = alice.open("a/app").await;
        registry.store("a/app", &opened, &digest, &blob).await;
        registry.s3.inject(Rule::new(fault.clone()).operation(operation).times(1));
        let first = alice.commit(&opened, &digest).await;
        assert_eq!(registry.s3.uploads(), left, "{operation} {fault:?}: {first:?}");
        if first.status != StatusCode::CREATED {
            assert!(!registry.has_blob(&digest), "{operation} {fault:?}");
            created(&alice.commit(&opened, &digest).await, &digest);
        }
        assert!(alice.pull("a/app", &digest).await.body == blob);
    }
    registry.check_blobs().await;
}

/// A copy that does not end in time is given up, and the content goes the long way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_that_takes_too_long_is_done_in_steps() {
    let slice = Duration::from_millis(300);
    let direct = DirectOptions { edge_slice: slice, ..DirectOptions::default() };
    let registry = Registry::with(storage::Options { direct, ..options() }).await;
    let alice = registry.person("alice");
    let (blob, other) = (content(1, 1000), content(2, 1000));
    for (sent, status) in [(&blob, 201), (&other, 400)] {
        let digest = Digest::canonical(&blob);
        let opened = alice.open("a/app").await;
        registry.store("a/app", &opened, &digest, sent).await;
        registry.s3.inject(Rule::new(Fault::Hang).operation("UploadPartCopy").times(1));
        let first = alice.get(&commit_url(&opened, &digest)).await;
        assert_eq!((first.status, registry.s3.uploads()), (StatusCode::SEE_OTHER, 0), "{first:?}");
        let mut answer = first;
        while answer.status == StatusCode::SEE_OTHER {
            answer = alice.get(answer.header("location")).await;
        }
        assert_eq!(answer.status.as_u16(), status, "{answer:?}");
        assert_eq!((registry.sessions(), registry.s3.uploads()), (vec![], 0));
    }
    registry.check_blobs().await;
}

/// A process that dies, or hangs, at any request of a commit leaves nothing that stands in the way of the next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_stops_at_any_request_is_followed_by_another() {
    for (size, silent) in [(0, false), (1000, false), (1000, true)] {
        for moment in 0.. {
            let registry =
                if silent { Registry::without_part_checksums(options()).await } else { Registry::start().await };
            let other_process = registry.twin().await;
            let alice = registry.person("alice");
            let blob = content(moment, size);
            let digest = Digest::canonical(&blob);
            let opened = alice.open("a/app").await;
            registry.store("a/app", &opened, &digest, &blob).await;
            registry.s3.reset();
            registry.s3.inject(Rule::new(Fault::Hang).skip(moment).times(1));
            let url = commit_url(&opened, &digest);
            let path = url[url.find("/v2/").unwrap()..].to_owned();
            let stopped = || registry.s3.requests().iter().any(|request| request.fault.is_some());
            let ended = tokio::select! {
                answer = alice.get(&url) => Some(answer),
                () = until(stopped) => None,
            };
            created(&other_process.person("alice").get(&path).await, &digest);
            assert!(alice.pull("a/app", &digest).await.body == blob, "{moment}");
            registry.check_blobs().await;
            assert_eq!(registry.sessions(), [""; 0], "{moment}");
            // An upload that was begun is left to the bucket's lifecycle rule.
            assert!(registry.s3.uploads() <= 1, "{moment}");
            if let Some(ended) = ended {
                created(&ended, &digest);
                assert!(moment >= 6, "{moment}");
                break;
            }
        }
    }
}

async fn until(fact: impl Fn() -> bool) {
    while !fact() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
