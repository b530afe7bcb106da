//! Writing only where nothing is.

use berth::{
    digest::Digest,
    driver::{DriverErrorKind, PutOptions},
};
use bytes::Bytes;

use crate::{
    content::{KIB, MIB, broken_after, bytes, in_frames, said_to_have},
    store::{CREATE, Store, assert_kind, create_checked, ctx, path},
};

pub(crate) async fn only_where_nothing_is(store: &Store) {
    for (at, size) in [("/a/short", 10), ("/a/long", 12 * MIB)] {
        let (first, second) = (bytes(1, size), bytes(2, size));
        assert_eq!(store.put(at, in_frames(&first), CREATE).await.unwrap(), size as u64);
        assert_kind(store.put(at, in_frames(&second), CREATE).await, DriverErrorKind::Precondition);
        assert_kind(store.put(at, second.clone(), create_checked(&second)).await, DriverErrorKind::Precondition);
        assert_kind(store.put(at, first.clone(), create_checked(&first)).await, DriverErrorKind::Precondition);
        store.assert_holds(at, Some(&first)).await;
        store.delete(&[at]).await.unwrap();
        store.put(at, second.clone(), create_checked(&second)).await.unwrap();
        store.assert_holds(at, Some(&second)).await;
    }
}

/// Content that is wrong is never mistaken for content that is there already, whatever is there.
pub(crate) async fn the_checksum_is_judged_first(store: &Store) {
    let there = Bytes::from("what is there");
    store.fill("/old", there.clone()).await;
    for size in [100, 12 * MIB] {
        let content = bytes(1, size);
        let wrong = PutOptions { create_only: true, checksum: Some(Digest::canonical(b"something else")) };
        let of_there = create_checked(&there);
        for at in ["/old", "/new"] {
            assert_kind(store.put(at, in_frames(&content), wrong).await, DriverErrorKind::Checksum);
            assert_kind(store.put(at, said_to_have(size, &content), wrong).await, DriverErrorKind::Checksum);
            assert_kind(store.put(at, in_frames(&content), of_there).await, DriverErrorKind::Checksum);
            let broken = broken_after(&content, None);
            assert_kind(store.put(at, broken, create_checked(&content)).await, DriverErrorKind::Content);
            let short = said_to_have(size + 1, &content);
            assert_kind(store.put(at, short, create_checked(&content)).await, DriverErrorKind::Content);
        }
        store.assert_holds("/old", Some(&there)).await;
        store.assert_nothing("/new").await;
    }
}

pub(crate) async fn of_creators_at_once_one_wins(store: &Store) {
    for round in 0..10 {
        race(store, &format!("/records/{round}"), 100).await;
    }
    race(store, "/records/some-kilobytes", 200 * KIB).await;
}

pub(crate) async fn of_creators_of_long_content_at_once_one_wins(store: &Store) {
    race(store, "/blob", 7 * MIB).await;
}

/// Four creators of different content, of two processes: one succeeds, and its content stays.
async fn race(store: &Store, at: &str, size: usize) {
    let creators = (0..4).map(|number| {
        let driver = if number % 2 == 0 { &store.driver } else { &store.other }.clone();
        let (at, content) = (path(at), bytes(number, size));
        let options = if number < 2 { CREATE } else { create_checked(&content) };
        tokio::spawn(async move { driver.put(&ctx(), &at, in_frames(&content), options).await })
    });
    let creators: Vec<_> = creators.collect();
    let mut winners = Vec::new();
    for (number, creator) in creators.into_iter().enumerate() {
        match creator.await.unwrap() {
            Ok(_) => winners.push(number as u8),
            lost => assert_kind(lost, DriverErrorKind::Precondition),
        }
    }
    assert_eq!(winners.len(), 1, "winners: {winners:?}");
    store.assert_holds(at, Some(&bytes(winners[0], size))).await;
}
