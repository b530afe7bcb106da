//! Deleting.

use berth::driver::{DriverErrorKind::NotFound, PutOptions};
use bytes::Bytes;

use crate::store::{Store, assert_kind, ctx, path};

async fn fill(store: &Store, paths: &[&str]) {
    for at in paths {
        store.fill(at, "content").await;
    }
}

pub(crate) async fn files_are_deleted_and_missing_ones_are_no_error(store: &Store) {
    fill(store, &["/a/1", "/a/2", "/a/3", "/b/c/4"]).await;
    store.delete(&["/a/1", "/a/missing", "/missing/file", "/b/c/4", "/a/3", "/a/1"]).await.unwrap();
    assert_eq!(store.list("/a").await.unwrap(), ["2"]);
    for at in ["/a/1", "/a/3", "/b/c/4"] {
        store.assert_nothing(at).await;
    }
    assert!(!store.is_folder("/b").await);
    store.delete(&[]).await.unwrap();
    store.delete(&["/a/1"]).await.unwrap();
}

pub(crate) async fn siblings_that_begin_alike_stay(store: &Store) {
    let siblings = ["/dir/a-b", "/dir/a0", "/dir/asuffix/file", "/dir/a.x/file"];
    fill(store, &siblings).await;
    fill(store, &["/dir/a/file"]).await;
    store.delete_tree("/dir/a").await.unwrap();
    fill(store, &["/dir/a"]).await;
    store.delete(&["/dir/a"]).await.unwrap();
    assert_kind(store.delete_tree("/dir/a").await, NotFound);
    for at in siblings {
        store.assert_holds(at, Some(&"content".into())).await;
    }
}

pub(crate) async fn a_folder_is_not_deleted_as_a_file(store: &Store) {
    fill(store, &["/a/b/file"]).await;
    store.delete(&["/a", "/a/b"]).await.unwrap();
    store.assert_holds("/a/b/file", Some(&"content".into())).await;
}

pub(crate) async fn folders_go_with_their_last_file(store: &Store) {
    fill(store, &["/a/b/c/1", "/a/b/c/2", "/a/d/3"]).await;
    store.delete(&["/a/b/c/1"]).await.unwrap();
    assert_eq!(store.list("/a").await.unwrap(), ["b/", "d/"]);
    store.delete(&["/a/b/c/2"]).await.unwrap();
    assert_eq!(store.list("/a").await.unwrap(), ["d/"]);
    for at in ["/a/b", "/a/b/c"] {
        assert_kind(store.list(at).await, NotFound);
        assert!(!store.is_folder(at).await);
    }
    store.delete_tree("/a/d").await.unwrap();
    assert_kind(store.list("/a").await, NotFound);
    // Where a folder was, a file can be, and the other way round.
    fill(store, &["/a"]).await;
    store.delete(&["/a"]).await.unwrap();
    fill(store, &["/a/b"]).await;
    store.assert_holds("/a/b", Some(&"content".into())).await;
}

pub(crate) async fn a_tree_is_deleted(store: &Store) {
    fill(store, &["/t/a/1", "/t/a/b/2", "/t/a/b/c/d/e/3", "/t/a/b-c/4", "/t/stays"]).await;
    store.delete_tree("/t/a").await.unwrap();
    assert_eq!(store.list("/t").await.unwrap(), ["stays"]);
    store.assert_nothing("/t/a/b/c/d/e/3").await;
    assert_kind(store.delete_tree("/t/a").await, NotFound);
    store.delete_tree("/t").await.unwrap();
    assert!(!store.is_folder("/t").await);
}

pub(crate) async fn a_tree_of_one_file_is_deleted(store: &Store) {
    fill(store, &["/t/file", "/t/file2"]).await;
    store.delete_tree("/t/file").await.unwrap();
    assert_eq!(store.list("/t").await.unwrap(), ["file2"]);
}

pub(crate) async fn no_tree_is_not_found(store: &Store) {
    assert_kind(store.delete_tree("/missing").await, NotFound);
    assert_kind(store.delete_tree("/missing/below").await, NotFound);
    fill(store, &["/there/file"]).await;
    assert_kind(store.delete_tree("/there/missing").await, NotFound);
    assert_kind(store.delete_tree("/the").await, NotFound);
    store.assert_holds("/there/file", Some(&"content".into())).await;
}

/// A folder may go, and come back, between any two steps of a writer: what it has written must be there all the same.
pub(crate) async fn writers_and_deleters_of_one_folder_do_not_meet(store: &Store) {
    let writers = (0..4).map(|number| {
        let driver = if number % 2 == 0 { &store.driver } else { &store.other }.clone();
        let at = path(&format!("/repository/uploads/{number}/data"));
        tokio::spawn(async move {
            for round in 0..25 {
                let content = Bytes::from(format!("{number} {round}"));
                let options = PutOptions { create_only: round % 2 == 0, checksum: None };
                driver.put(&ctx(), &at, content.clone().into(), options).await.unwrap();
                assert_eq!(driver.get(&ctx(), &at, 100).await.unwrap(), content);
                if round % 3 == 0 {
                    driver.delete_tree(&ctx(), &at).await.unwrap();
                } else {
                    driver.delete(&ctx(), std::slice::from_ref(&at)).await.unwrap();
                }
                assert_kind(driver.get(&ctx(), &at, 100).await, NotFound);
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    assert!(!store.is_folder("/repository").await);
}
