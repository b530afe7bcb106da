//! Commits that take longer than a request may.

use std::collections::BTreeSet;

use berth::digest::{Algorithm, Digest};
use http::StatusCode;

use crate::{
    edge::commit_url,
    registry::{Registry, content, created, in_parts, refusal},
};

/// 11 MiB and more: S3 copies it in two parts, and it is hashed in two.
const SIZE: usize = (11 << 20) + 10;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_commit_is_done_by_several_requests_of_several_processes() {
    let registry = Registry::with(in_parts()).await;
    let other_process = registry.twin().await;
    let people = [registry.person("alice"), other_process.person("alice")];
    let blob = content(1, SIZE);
    for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
        let digest = Digest::of(algorithm, &blob);
        let opened = people[0].open("a/app").await;
        registry.store("a/app", &opened, &digest, &blob).await;
        let mut seen = BTreeSet::new();
        let mut at = commit_url(&opened, &digest);
        let closed = loop {
            let path = &at[at.find("/v2/").unwrap()..];
            let answer = people[seen.len() % 2].get(path).await;
            if answer.status != StatusCode::SEE_OTHER {
                break answer;
            }
            assert_eq!(answer.header("cache-control"), "no-store");
            at = answer.header("location").to_owned();
            assert!(at.contains("&commit=edge") && at.len() < 4000, "{at}");
            assert!(seen.insert(at.clone()), "each request gets on: {at}");
        };
        created(&closed, &digest);
        println!("{algorithm}: {} redirections", seen.len());
        assert!((4..=8).contains(&seen.len()), "{}", seen.len());
        assert!(people[0].pull("a/app", &digest).await.body == blob);
        assert_eq!((registry.sessions(), registry.s3.uploads()), (vec![], 0));
        // Each of them may come again, now that all is done.
        for at in &seen {
            let path = &at[at.find("/v2/").unwrap()..];
            let mut answer = people[0].get(path).await;
            while answer.status == StatusCode::SEE_OTHER {
                answer = people[0].get(answer.header("location")).await;
            }
            created(&answer, &digest);
        }
        assert_eq!(registry.s3.uploads(), 0);
        registry.check_blobs().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_content_is_found_out_in_the_end() {
    let registry = Registry::with(in_parts()).await;
    let alice = registry.person("alice");
    let (blob, other) = (content(1, SIZE), content(2, SIZE));
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    registry.store("a/app", &opened, &digest, &other).await;
    let answer = alice.commit(&opened, &digest).await;
    assert_eq!(refusal(&answer).1, "DIGEST_INVALID");
    assert_eq!((registry.keys(), registry.s3.uploads()), (vec![], 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_client_is_sent_round_for_ever() {
    let registry = Registry::with(in_parts()).await;
    let alice = registry.person("alice");
    let blob = content(1, 64 << 20);
    let digest = Digest::canonical(&blob);
    let opened = alice.open("a/app").await;
    registry.store("a/app", &opened, &digest, &blob).await;
    let mut answer = alice.get(&commit_url(&opened, &digest)).await;
    let mut redirections = 0;
    while answer.status == StatusCode::SEE_OTHER {
        redirections += 1;
        answer = alice.get(answer.header("location")).await;
    }
    assert_eq!(redirections, 8);
    assert_eq!((answer.status, refusal(&answer).1.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"));
    assert_eq!(answer.header("retry-after"), "1");
    assert!(!registry.has_blob(&digest));
}
