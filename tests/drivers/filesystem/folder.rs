//! The folder as others see it: distribution's registry, people, the system.

use std::fs;

use berth::driver::{
    DriverErrorKind::{Denied, Failed, NotFound},
    PresignedMethod, PutOptions, StorageDriver as _,
    filesystem::FilesystemDriver,
};

use super::Folder;
use crate::store::{CREATE, assert_kind, ctx, path};

#[tokio::test]
async fn a_path_is_a_path_below_the_folder() {
    let folder = Folder::new();
    let link = "docker/registry/v2/repositories/a/b/_layers/sha256/1234/link";
    folder.store.fill(&format!("/{link}"), "sha256:1234").await;
    assert_eq!(fs::read(folder.inside(link)).unwrap(), b"sha256:1234");

    let blob = "docker/registry/v2/blobs/sha256/12/1234/data";
    fs::create_dir_all(folder.inside(blob).parent().unwrap()).unwrap();
    fs::write(folder.inside(blob), "blob").unwrap();
    assert_eq!(folder.store.get(&format!("/{blob}")).await.unwrap(), "blob");
    assert_eq!(folder.store.list("/docker/registry/v2").await.unwrap(), ["blobs/", "repositories/"]);
}

#[tokio::test]
async fn the_folder_is_made() {
    let folder = Folder::new();
    let driver = FilesystemDriver::open(&folder.outside("new/data/folder")).unwrap();
    driver.put(&ctx(), &path("/a"), bytes::Bytes::from("content").into(), PutOptions::default()).await.unwrap();
    assert_eq!(fs::read(folder.outside("new/data/folder/a")).unwrap(), b"content");
}

#[test]
fn what_is_no_folder_is_named() {
    let folder = Folder::new();
    fs::write(folder.outside("file"), "").unwrap();
    for at in [folder.outside("file"), folder.outside("file/below")] {
        let error = FilesystemDriver::open(&at).unwrap_err();
        assert!(error.message.contains(at.to_str().unwrap()), "{error}");
    }
}

#[tokio::test]
async fn an_empty_folder_is_not_there() {
    let folder = Folder::new();
    for empty in ["repositories/a/_layers/sha256", "repositories/b/_uploads"] {
        fs::create_dir_all(folder.inside(empty)).unwrap();
    }
    folder.store.fill("/repositories/c/_layers/sha256/1234/link", "link").await;
    assert_eq!(folder.store.list("/repositories").await.unwrap(), ["c/"]);
    assert_kind(folder.store.list("/repositories/a").await, NotFound);
    for at in ["/repositories/a", "/repositories/a/_layers", "/repositories/b"] {
        assert!(!folder.store.is_folder(at).await);
    }
    assert_kind(folder.store.delete_tree("/repositories/b").await, NotFound);
    // A file may take its place, once it is out of the way; below it, files may be made.
    folder.store.fill("/repositories/a/_layers/sha256/1234/link", "link").await;
    assert_eq!(folder.store.list("/repositories").await.unwrap(), ["a/", "c/"]);
}

#[tokio::test]
async fn where_a_file_or_folder_is_in_the_way_the_error_says_so() {
    let folder = Folder::new();
    folder.store.fill("/a/file", "content").await;
    let cases = [
        ("/a/file/below", "a file lies where a folder on the way to it must be"),
        ("/a/file/far/below", "a file lies where a folder on the way to it must be"),
        ("/a", "a folder lies there"),
        (&format!("/a/{}", "x".repeat(300)), "the name is too long for the file system"),
    ];
    for (at, message) in cases {
        let error = folder.store.put(at, "content", PutOptions::default()).await.unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (Failed, message), "{at}");
    }
    assert!(folder.store.put("/a/file/below", "content", CREATE).await.is_err());
    assert_kind(folder.store.get(cases[3].0).await, NotFound);
    assert_eq!(folder.store.list("/a").await.unwrap(), ["file"]);
    assert_eq!(folder.temporary(), [""; 0]);
}

#[tokio::test]
async fn what_is_no_file_is_not_read() {
    let folder = Folder::new();
    let pipe = folder.inside("pipe");
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    // Nobody writes to it: whoever waited for that would wait for ever.
    assert_kind(folder.store.get("/pipe").await, NotFound);
    assert_kind(folder.store.read("/pipe", 0, None).await, NotFound);
    assert_kind(folder.store.stat("/pipe").await, NotFound);
}

#[tokio::test]
async fn what_is_its_own_cannot_be_reached() {
    let folder = Folder::new();
    folder.store.fill("/.berth-not", "content").await;
    assert!(folder.inside(".berth/tmp").is_dir());
    fs::write(folder.inside(".berth/tmp/secret"), "secret").unwrap();
    assert_kind(folder.store.get("/.berth/tmp/secret").await, Denied);
    assert_kind(folder.store.list("/.berth").await, Denied);
    assert_kind(folder.store.put("/.berth/tmp/mine", "content", CREATE).await, Denied);
    assert_kind(folder.store.compose(&[("/.berth/tmp/secret", 6)], "/mine").await, Denied);
    assert_kind(folder.store.delete(&["/.berth/tmp/secret"]).await, Denied);
    assert_kind(folder.store.delete_tree("/.berth").await, Denied);
    assert_eq!(folder.temporary(), ["secret"]);
}

#[tokio::test]
async fn there_are_no_urls() {
    let folder = Folder::new();
    folder.store.fill("/a", "content").await;
    let expiry = std::time::Duration::from_secs(60);
    let url = folder.store.driver.presign(&ctx(), &path("/a"), PresignedMethod::Get, expiry).await;
    assert_eq!(url.unwrap(), None);
}
