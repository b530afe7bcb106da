//! Whole or not at all.

use std::time::Duration;

use berth::{
    digest::Digest,
    distribution::Content,
    driver::{DriverErrorKind, PutOptions},
};
use bytes::Bytes;

use crate::{
    content::{
        KIB, MIB, SHORT_AND_LONG, all, assert_same, broken_after, bytes, in_frames, said_to_have, stalled_after,
    },
    store::{Store, assert_kind, checked, ctx, path},
};

pub(crate) async fn what_is_written_is_read_back(store: &Store) {
    for (number, size) in [1, 100, 64 * KIB, 64 * KIB + 1, MIB, 3 * MIB + 5].into_iter().enumerate() {
        let at = format!("/folder/{number}");
        let content = bytes(number as u8, size);
        assert_eq!(store.put(&at, content.clone(), checked(&content)).await.unwrap(), size as u64);
        store.assert_holds(&at, Some(&content)).await;
        assert_same(&store.read(&at, 0, None).await.unwrap(), &content);
        // Again, its length not said.
        assert_eq!(store.put(&at, in_frames(&content), PutOptions::default()).await.unwrap(), size as u64);
        store.assert_holds(&at, Some(&content)).await;
    }
}

pub(crate) async fn overwriting_truncates(store: &Store) {
    store.fill("/a/file", bytes(1, 3 * MIB)).await;
    store.fill("/a/file", "short").await;
    store.assert_holds("/a/file", Some(&"short".into())).await;
    assert_eq!(store.read("/a/file", 0, None).await.unwrap(), "short");
    store.fill("/a/file", "").await;
    store.assert_holds("/a/file", Some(&Bytes::new())).await;
}

pub(crate) async fn content_may_be_empty(store: &Store) {
    let empty = Bytes::new();
    let unsaid = in_frames(&empty);
    for (at, content) in [("/a/said", Content::empty()), ("/a/unsaid", unsaid)] {
        assert_eq!(store.put(at, content, checked(&empty)).await.unwrap(), 0);
        store.assert_holds(at, Some(&empty)).await;
        let reading = store.driver.read(&ctx(), &path(at), 0, None).await.unwrap();
        assert_eq!(reading.size, 0);
        assert_eq!(all(reading).await, empty);
    }
    assert_eq!(store.list("/a").await.unwrap(), ["said", "unsaid"]);
}

pub(crate) async fn paths_may_be_deep(store: &Store) {
    let deep = "/level".repeat(40) + "/file";
    store.fill(&deep, "deep").await;
    store.assert_holds(&deep, Some(&"deep".into())).await;
    let mut folder = path(&deep).parent().unwrap();
    assert_eq!(store.list(folder.as_str()).await.unwrap(), ["file"]);
    while let Some(above) = folder.parent() {
        assert_eq!(store.list(above.as_str()).await.unwrap(), ["level/"]);
        folder = above;
    }
}

pub(crate) async fn long_content_in_odd_frames_is_read_back(store: &Store) {
    let content = bytes(1, 20 * MIB + 12_345);
    let size = content.len();
    for (at, sent) in [("/unsaid", in_frames(&content)), ("/said", said_to_have(size, &content))] {
        assert_eq!(store.put(at, sent, checked(&content)).await.unwrap(), size as u64);
        assert_eq!(store.stat(at).await.unwrap(), size as u64);
        assert_same(&store.read(at, 0, None).await.unwrap(), &content);
        for (offset, length) in [(0, 1), (MIB - 1, 2), (5 * MIB + 3, 7 * MIB), (size - 1, 1), (9, 3 * MIB)] {
            let read = store.read(at, offset as u64, Some(length as u64)).await.unwrap();
            assert_same(&read, &content.slice(offset..offset + length));
        }
    }
}

/// Content that is too long for the kernel's cache ends at a page's end, just before and just after it.
pub(crate) async fn content_of_any_great_length_is_read_back(store: &Store) {
    for size in [16 * MIB, 18 * MIB, 18 * MIB - 1, 18 * MIB + 1, 20 * MIB + 4 * KIB, 20 * MIB + 5 * KIB] {
        let content = bytes(size as u8, size);
        store.put("/long", in_frames(&content), checked(&content)).await.unwrap();
        assert_same(&store.read("/long", 0, None).await.unwrap(), &content);
    }
}

/// Has `put` fail as `kind` where nothing is, and where something is.
async fn fails(store: &Store, content: impl Fn() -> Content, options: PutOptions, kind: DriverErrorKind) {
    let before = Bytes::from("before");
    for (at, there) in [("/new/nothing", None), ("/old/something", Some(&before))] {
        if let Some(there) = there {
            store.fill(at, there.clone()).await;
        }
        assert_kind(store.put(at, content(), options).await, kind);
        store.assert_holds(at, there).await;
    }
    assert!(!store.is_folder("/new").await, "a folder is left that holds nothing");
}

pub(crate) async fn broken_content_leaves_what_was_there(store: &Store) {
    for size in SHORT_AND_LONG {
        let content = bytes(1, size);
        let longer = Some(size as u64 + 1);
        for length in [None, longer] {
            let broken = || broken_after(&content, length);
            fails(store, broken, PutOptions::default(), DriverErrorKind::Content).await;
            fails(store, broken, checked(&content), DriverErrorKind::Content).await;
        }
    }
    fails(store, || broken_after(&Bytes::new(), None), PutOptions::default(), DriverErrorKind::Content).await;
}

pub(crate) async fn short_content_leaves_what_was_there(store: &Store) {
    for size in SHORT_AND_LONG {
        let content = bytes(1, size);
        let short = || said_to_have(size + 1, &content);
        fails(store, short, PutOptions::default(), DriverErrorKind::Content).await;
        fails(store, short, checked(&content), DriverErrorKind::Content).await;
    }
}

pub(crate) async fn long_content_leaves_what_was_there(store: &Store) {
    for size in SHORT_AND_LONG {
        let content = bytes(1, size);
        let long = || said_to_have(size - 1, &content);
        fails(store, long, PutOptions::default(), DriverErrorKind::Content).await;
        fails(store, long, checked(&content.slice(..size - 1)), DriverErrorKind::Content).await;
    }
    fails(store, || said_to_have(0, &"more".into()), PutOptions::default(), DriverErrorKind::Content).await;
}

pub(crate) async fn a_wrong_checksum_leaves_what_was_there(store: &Store) {
    let wrong = PutOptions { create_only: false, checksum: Some(Digest::canonical(b"something else")) };
    for size in [0, 100, 12 * MIB] {
        let content = bytes(1, size);
        fails(store, || in_frames(&content), wrong, DriverErrorKind::Checksum).await;
        fails(store, || said_to_have(size, &content), wrong, DriverErrorKind::Checksum).await;
    }
}

pub(crate) async fn an_abandoned_write_leaves_what_was_there(store: &Store) {
    let before = Bytes::from("before");
    store.fill("/old", before.clone()).await;
    for size in SHORT_AND_LONG {
        for (at, there) in [("/new", None), ("/old", Some(&before))] {
            let content = stalled_after(&bytes(1, size));
            let (ctx, target) = (ctx(), path(at));
            let mut write = store.driver.put(&ctx, &target, content, PutOptions::default());
            // The caller hangs up when nothing more has come for a while.
            assert!(tokio::time::timeout(Duration::from_millis(50), &mut write).await.is_err());
            drop(write);
            store.assert_holds(at, there).await;
        }
    }
}

pub(crate) async fn readers_see_whole_content(store: &Store) {
    let versions = [bytes(1, 300 * KIB), bytes(2, 3 * MIB), bytes(3, 10)];
    let at = path("/file");
    store.fill("/file", versions[0].clone()).await;
    let writer = {
        let (driver, versions, at) = (store.other.clone(), versions.clone(), at.clone());
        tokio::spawn(async move {
            for version in versions.iter().cycle().take(30) {
                driver.put(&ctx(), &at, version.clone().into(), PutOptions::default()).await.unwrap();
            }
        })
    };
    while !writer.is_finished() {
        let got = store.driver.get(&ctx(), &at, u64::MAX).await.unwrap();
        assert!(versions.contains(&got), "a mixture of {} bytes", got.len());
        let reading = store.driver.read(&ctx(), &at, 0, None).await.unwrap();
        let size = reading.size;
        let read = all(reading).await;
        assert!(versions.contains(&read), "a mixture of {} bytes", read.len());
        assert_eq!(read.len() as u64, size);
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
}

pub(crate) async fn what_has_answered_is_seen_by_others(store: &Store) {
    let other = Store { driver: store.other.clone(), other: store.driver.clone(), keep: Box::new(()) };
    for round in 0..20 {
        let content = Bytes::from(format!("round {round}"));
        let (writer, reader) = if round % 2 == 0 { (store, &other) } else { (&other, store) };
        writer.fill("/a/tag/link", content.clone()).await;
        reader.assert_holds("/a/tag/link", Some(&content)).await;
        assert_eq!(reader.list("/a").await.unwrap(), ["tag/"]);
        writer.compose(&[("/a/tag/link", content.len())], "/a/copy").await.unwrap();
        reader.assert_holds("/a/copy", Some(&content)).await;
        writer.delete(&["/a/copy"]).await.unwrap();
        reader.assert_nothing("/a/copy").await;
        if round % 3 == 0 {
            writer.delete_tree("/a").await.unwrap();
            reader.assert_nothing("/a/tag/link").await;
            assert!(!reader.is_folder("/a").await);
        }
    }
}
