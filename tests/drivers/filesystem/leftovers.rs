//! Temporary files: none stays, but after a crash, and then not for long.

use std::{
    fs,
    time::{Duration, SystemTime},
};

use berth::{
    digest::Digest,
    driver::{DriverErrorKind, PutOptions, StorageDriver as _, filesystem::FilesystemDriver},
};
use bytes::Bytes;

use super::Folder;
use crate::{
    content::{SHORT_AND_LONG, broken_after, bytes, in_frames, said_to_have, stalled_after, until},
    store::{CREATE, assert_kind, create_checked, ctx, path},
};

#[tokio::test]
async fn no_temporary_file_stays() {
    let folder = Folder::new();
    let store = &folder.store;
    for size in SHORT_AND_LONG {
        let content = bytes(1, size);
        store.put("/new", in_frames(&content), create_checked(&content)).await.unwrap();
        store.put("/new", in_frames(&content), PutOptions::default()).await.unwrap();
        store.compose(&[("/new", size)], "/composed/1").await.unwrap();
        store.compose(&[("/new", size), ("/new", size)], "/composed/2").await.unwrap();
        assert_eq!(folder.temporary(), [""; 0]);

        // When an error has answered, nothing is left any more.
        let wrong = PutOptions { checksum: Some(Digest::canonical(b"other")), ..CREATE };
        assert_kind(store.put("/new", in_frames(&content), wrong).await, DriverErrorKind::Checksum);
        assert_kind(store.put("/new", in_frames(&content), CREATE).await, DriverErrorKind::Precondition);
        assert_kind(store.put("/new", broken_after(&content, None), CREATE).await, DriverErrorKind::Content);
        assert_kind(store.put("/new", said_to_have(size + 1, &content), CREATE).await, DriverErrorKind::Content);
        assert_kind(store.put("/new", said_to_have(size - 1, &content), CREATE).await, DriverErrorKind::Content);
        assert_kind(store.put("/new/below", in_frames(&content), CREATE).await, DriverErrorKind::Failed);
        assert_kind(store.compose(&[("/new", size), ("/missing", 1)], "/composed/3").await, DriverErrorKind::NotFound);
        assert_kind(store.compose(&[("/new", size), ("/new", 1)], "/composed/3").await, DriverErrorKind::Content);
        assert_eq!(folder.temporary(), [""; 0]);
        store.delete_tree("/new").await.unwrap();
        store.delete_tree("/composed").await.unwrap();
    }
}

#[tokio::test]
async fn an_abandoned_write_leaves_no_temporary_file() {
    let folder = Folder::new();
    let (ctx, at) = (ctx(), path("/new"));
    let content = stalled_after(&bytes(1, 12 << 20));
    let mut write = folder.store.driver.put(&ctx, &at, content, PutOptions::default());
    tokio::select! {
        _ = &mut write => panic!("the content has not ended"),
        () = until(|| !folder.temporary().is_empty()) => {}
    }
    drop(write);
    until(|| folder.temporary().is_empty()).await;
    folder.store.assert_nothing("/new").await;
}

#[tokio::test]
async fn what_a_crash_left_is_ignored_and_swept_after_a_day() {
    let folder = Folder::new();
    folder.store.fill("/a/file", "content").await;
    let hour = Duration::from_secs(3600);
    for (name, age) in [("fresh", hour), ("yesterdays", 23 * hour), ("stale", 25 * hour)] {
        let file = fs::File::create_new(folder.inside(".berth/tmp").join(name)).unwrap();
        file.set_modified(SystemTime::now() - age).unwrap();
    }
    // A crash between the making of a folder and that of the file in it.
    fs::create_dir_all(folder.inside("a/b/c")).unwrap();
    let driver = FilesystemDriver::open(&folder.inside("")).unwrap();
    assert_eq!(folder.temporary(), ["fresh", "yesterdays"]);
    let names: Vec<_> = driver.list(&ctx(), &path("/a")).await.unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["file"]);
    driver.put(&ctx(), &path("/a/b/c/file"), Bytes::from("content").into(), CREATE).await.unwrap();
    assert_eq!(folder.store.get("/a/b/c/file").await.unwrap(), "content");
}

#[tokio::test]
async fn the_place_of_temporary_files_may_be_removed() {
    let folder = Folder::new();
    folder.store.fill("/a", "content").await;
    fs::remove_dir_all(folder.inside(".berth")).unwrap();
    folder.store.fill("/b", "content").await;
    assert_eq!(folder.store.get("/b").await.unwrap(), "content");
}
