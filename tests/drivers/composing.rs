//! Making files of others.

use berth::driver::DriverErrorKind::{NotFound, Precondition};
use bytes::Bytes;

use crate::{
    content::{MIB, assert_same, bytes},
    store::{Store, assert_kind, ctx, path},
};

/// Stores each of `parts` below `/parts`; returns the sources and what they make.
async fn parts(store: &Store, parts: &[Bytes]) -> (Vec<(String, usize)>, Bytes) {
    let mut sources = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let at = format!("/parts/{number}");
        store.fill(&at, part.clone()).await;
        sources.push((at, part.len()));
    }
    (sources, parts.concat().into())
}

async fn compose(store: &Store, sources: &[(String, usize)], destination: &str) {
    let sources: Vec<_> = sources.iter().map(|(at, size)| (at.as_str(), *size)).collect();
    store.compose(&sources, destination).await.unwrap();
}

/// Composes and looks.
async fn makes(store: &Store, contents: &[Bytes]) {
    let (sources, whole) = parts(store, contents).await;
    compose(store, &sources, "/deep/folder/whole").await;
    store.assert_holds("/deep/folder/whole", Some(&whole)).await;
    assert_same(&store.read("/deep/folder/whole", 0, None).await.unwrap(), &whole);
    for ((at, _), content) in sources.iter().zip(contents) {
        store.assert_holds(at, Some(content)).await;
    }
    store.delete(&["/deep/folder/whole"]).await.unwrap();
}

pub(crate) async fn one_source(store: &Store) {
    for size in [1, 100, 6 * MIB] {
        makes(store, &[bytes(1, size)]).await;
    }
}

pub(crate) async fn several_sources_in_order(store: &Store) {
    makes(store, &[bytes(3, 1000), bytes(1, 10), bytes(2, 100_000)]).await;
    makes(store, &[Bytes::from("b"), Bytes::from("a")]).await;
}

pub(crate) async fn tiny_sources(store: &Store) {
    let tiny: Vec<_> = (0..40).map(|number| bytes(number, 1 + usize::from(number % 3))).collect();
    makes(store, &tiny).await;
}

/// As long as, shorter and longer than, what a backend copies at once, in every order.
pub(crate) async fn long_sources(store: &Store) {
    makes(store, &[bytes(1, 6 * MIB), bytes(2, 1), bytes(3, 5 * MIB), bytes(4, 3 * MIB)]).await;
    makes(store, &[bytes(1, 1), bytes(2, 6 * MIB + 7)]).await;
}

pub(crate) async fn a_missing_source_leaves_the_destination(store: &Store) {
    store.fill("/parts/0", "zero").await;
    store.fill("/parts/2", "two").await;
    for sources in [&[("/parts/1", 3)][..], &[("/parts/0", 4), ("/parts/1", 3), ("/parts/2", 3)]] {
        assert_kind(store.compose(sources, "/whole").await, NotFound);
        store.assert_nothing("/whole").await;
    }
    assert!(!store.is_folder("/whole").await);
}

pub(crate) async fn what_exists_stays(store: &Store) {
    let there = Bytes::from("what is there");
    store.fill("/whole", there.clone()).await;
    store.fill("/parts/0", "zero").await;
    store.fill("/parts/1", "one").await;
    for sources in [&[("/parts/0", 4)][..], &[("/parts/0", 4), ("/parts/1", 3)]] {
        assert_kind(store.compose(sources, "/whole").await, Precondition);
        store.assert_holds("/whole", Some(&there)).await;
    }
    // Nor is it lost for a source that is missing.
    assert!(store.compose(&[("/parts/0", 4), ("/parts/missing", 1)], "/whole").await.is_err());
    store.assert_holds("/whole", Some(&there)).await;
}

/// What happens to a source afterwards does not touch what was made of it, nor the other way round.
pub(crate) async fn the_sources_are_their_own(store: &Store) {
    let content = Bytes::from("content");
    store.fill("/source", content.clone()).await;
    store.compose(&[("/source", 7)], "/whole").await.unwrap();
    store.fill("/source", "other content").await;
    store.assert_holds("/whole", Some(&content)).await;
    store.delete(&["/source"]).await.unwrap();
    store.assert_holds("/whole", Some(&content)).await;

    store.compose(&[("/whole", 7)], "/second").await.unwrap();
    store.fill("/second", "overwritten").await;
    store.assert_holds("/whole", Some(&content)).await;
    store.delete(&["/second"]).await.unwrap();
    store.assert_holds("/whole", Some(&content)).await;
}

pub(crate) async fn of_composers_at_once_one_wins(store: &Store) {
    for (round, count) in [1, 2, 1, 2].into_iter().enumerate() {
        let destination = path(&format!("/wholes/{round}"));
        let mut composers = Vec::new();
        for number in 0..4 {
            let driver = if number % 2 == 0 { &store.driver } else { &store.other }.clone();
            let mut sources = Vec::new();
            for part in 0..count {
                let at = format!("/parts/{round}/{number}/{part}");
                store.fill(&at, number.to_string()).await;
                sources.push((path(&at), 1));
            }
            let destination = destination.clone();
            composers.push(async move { driver.compose(&ctx(), &sources, &destination).await });
        }
        let mut winners = Vec::new();
        let composers: Vec<_> = composers.into_iter().map(tokio::spawn).collect();
        for (number, composer) in composers.into_iter().enumerate() {
            match composer.await.unwrap() {
                Ok(()) => winners.push(number),
                lost => assert_kind(lost, Precondition),
            }
        }
        assert_eq!(winners.len(), 1, "winners: {winners:?}");
        assert_eq!(store.get(destination.as_str()).await.unwrap(), winners[0].to_string().repeat(count));
    }
}
