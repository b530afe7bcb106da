//! Reading.

use berth::driver::DriverErrorKind::{NotFound, TooLarge};
use bytes::Bytes;

use crate::{
    content::{MIB, all, assert_same, bytes},
    store::{Store, assert_kind, ctx, path},
};

pub(crate) async fn what_is_missing_is_not_found(store: &Store) {
    store.fill("/there/file", "content").await;
    for at in ["/missing", "/missing/file", "/there/missing", "/there/missing/file"] {
        assert_kind(store.get(at).await, NotFound);
        assert_kind(store.read(at, 0, None).await, NotFound);
        assert_kind(store.read(at, 5, Some(0)).await, NotFound);
        assert_kind(store.stat(at).await, NotFound);
        assert!(!store.is_folder(at).await);
    }
}

pub(crate) async fn a_folder_is_no_file(store: &Store) {
    store.fill("/folder/below/file", "content").await;
    for at in ["/folder", "/folder/below"] {
        assert!(store.is_folder(at).await);
        assert_kind(store.get(at).await, NotFound);
        assert_kind(store.read(at, 0, None).await, NotFound);
        assert_kind(store.stat(at).await, NotFound);
    }
}

pub(crate) async fn a_file_is_no_folder(store: &Store) {
    store.fill("/folder/file", "content").await;
    assert!(!store.is_folder("/folder/file").await);
    assert_kind(store.list("/folder/file").await, NotFound);
    for at in ["/folder/file/below", "/folder/file/below/deeper"] {
        assert_kind(store.get(at).await, NotFound);
        assert_kind(store.read(at, 0, None).await, NotFound);
        assert_kind(store.stat(at).await, NotFound);
        assert_kind(store.list(at).await, NotFound);
        assert_kind(store.delete_tree(at).await, NotFound);
        assert!(!store.is_folder(at).await);
        store.delete(&[at]).await.unwrap();
    }
    store.assert_holds("/folder/file", Some(&"content".into())).await;
}

pub(crate) async fn no_more_than_the_limit_is_taken(store: &Store) {
    for (at, size) in [("/short", 10), ("/long", 3 * MIB)] {
        let content = bytes(1, size);
        store.fill(at, content.clone()).await;
        let at = path(at);
        for limit in [0, size as u64 - 1] {
            assert_kind(store.driver.get(&ctx(), &at, limit).await, TooLarge);
        }
        for limit in [size as u64, u64::MAX] {
            assert_same(&store.driver.get(&ctx(), &at, limit).await.unwrap(), &content);
        }
    }
    store.fill("/empty", "").await;
    assert_eq!(store.driver.get(&ctx(), &path("/empty"), 0).await.unwrap(), Bytes::new());
}

pub(crate) async fn parts_are_read(store: &Store) {
    for size in [10, 100_000, 5 * MIB + 1] {
        let content = bytes(1, size);
        store.fill("/file", content.clone()).await;
        for offset in [0, 1, size / 2, size - 1] {
            for length in [Some(0), Some(1), Some(size / 3), Some(size - offset), Some(size), Some(usize::MAX), None] {
                let reading = store.driver.read(&ctx(), &path("/file"), offset as u64, length.map(|l| l as u64)).await;
                let reading = reading.unwrap();
                assert_eq!(reading.size, size as u64, "the size is that of the whole");
                let end = length.map_or(size, |length| offset.saturating_add(length).min(size));
                assert_same(&all(reading).await, &content.slice(offset..end));
            }
        }
    }
}

pub(crate) async fn nothing_is_beyond_the_end(store: &Store) {
    store.fill("/file", "0123456789").await;
    store.fill("/empty", "").await;
    for (at, size) in [("/file", 10), ("/empty", 0)] {
        for offset in [size, size + 1, 5 * MIB as u64, u64::MAX] {
            for length in [None, Some(0), Some(1), Some(u64::MAX)] {
                let reading = store.driver.read(&ctx(), &path(at), offset, length).await.unwrap();
                assert_eq!(reading.size, size);
                assert_eq!(all(reading).await, Bytes::new());
            }
        }
    }
}

pub(crate) async fn siblings_that_begin_alike_are_apart(store: &Store) {
    for at in ["/folder/a-b", "/folder/ab", "/folder/a.b/c", "/folder/a0/c"] {
        store.fill(at, "content").await;
    }
    assert_kind(store.get("/folder/a").await, NotFound);
    assert_kind(store.stat("/folder/a").await, NotFound);
    assert_kind(store.list("/folder/a").await, NotFound);
    assert!(!store.is_folder("/folder/a").await);
    assert!(!store.is_folder("/fold").await);
    assert!(store.is_folder("/folder/a.b").await);
}
