//! Symbolic links in the folder: what leads out does no harm, what stays within works.

use std::{fs, os::unix::fs::symlink};

use berth::driver::{
    DriverErrorKind::{Denied, NotFound},
    PutOptions,
};

use super::{Folder, names};
use crate::store::{CREATE, assert_kind};

/// A folder with links to a file and a folder outside, absolute and relative, and nothing else but `/a/file`.
async fn leading_out() -> Folder {
    let folder = Folder::new();
    fs::create_dir(folder.outside("private")).unwrap();
    fs::write(folder.outside("private/secret"), "secret").unwrap();
    folder.store.fill("/a/file", "content").await;
    let links = [
        ("folder", folder.outside("private")),
        ("relative", "../../private".into()),
        ("file", folder.outside("private/secret")),
    ];
    fs::create_dir(folder.inside("out")).unwrap();
    for (name, target) in links {
        symlink(target, folder.inside("out").join(name)).unwrap();
    }
    folder
}

impl Folder {
    #[track_caller]
    fn assert_unharmed(&self) {
        assert_eq!(names(&self.outside("private")), ["secret"]);
        assert_eq!(fs::read(self.outside("private/secret")).unwrap(), b"secret");
        assert_eq!(self.temporary(), [""; 0]);
    }
}

/// Files behind the links.
const BEHIND: [&str; 3] = ["/out/folder/secret", "/out/relative/secret", "/out/file"];

#[tokio::test]
async fn nothing_is_read_through_a_link_that_leads_out() {
    let folder = leading_out().await;
    for at in BEHIND {
        assert_kind(folder.store.get(at).await, Denied);
        assert_kind(folder.store.read(at, 0, None).await, Denied);
        assert_kind(folder.store.stat(at).await, Denied);
        assert_kind(folder.store.compose(&[(at, 6)], "/copy").await, Denied);
        assert_kind(folder.store.compose(&[("/a/file", 7), (at, 6)], "/copy").await, Denied);
    }
    let error = folder.store.get("/out/file").await.unwrap_err();
    assert_eq!(error.message, "a symbolic link leads out of the data folder");
    folder.store.assert_nothing("/copy").await;
}

#[tokio::test]
async fn nothing_is_listed_through_a_link_that_leads_out() {
    let folder = leading_out().await;
    for at in ["/out/folder", "/out/relative"] {
        assert_kind(folder.store.list(at).await, Denied);
    }
    // A link that leads out is as good as nothing, and does not keep the rest from being listed.
    assert_kind(folder.store.list("/out").await, NotFound);
    folder.store.fill("/out/other", "content").await;
    assert_eq!(folder.store.list("/out").await.unwrap(), ["other"]);
}

#[tokio::test]
async fn nothing_is_written_through_a_link_that_leads_out() {
    let folder = leading_out().await;
    for at in ["/out/folder/secret", "/out/folder/new", "/out/relative/secret", "/out/relative/new/folder/file"] {
        assert_kind(folder.store.put(at, "other", PutOptions::default()).await, Denied);
        assert_kind(folder.store.put(at, "other", CREATE).await, Denied);
        assert_kind(folder.store.compose(&[("/a/file", 7)], at).await, Denied);
        assert_kind(folder.store.compose(&[("/a/file", 7), ("/a/file", 7)], at).await, Denied);
        folder.assert_unharmed();
    }
    // A write to the link itself takes its place.
    assert!(folder.store.put("/out/file", "other", CREATE).await.is_err());
    folder.store.fill("/out/file", "other").await;
    assert_eq!(folder.store.get("/out/file").await.unwrap(), "other");
    folder.assert_unharmed();
}

#[tokio::test]
async fn nothing_is_deleted_through_a_link_that_leads_out() {
    let folder = leading_out().await;
    for at in ["/out/folder/secret", "/out/relative/secret"] {
        assert_kind(folder.store.delete(&[at]).await, Denied);
        assert_kind(folder.store.delete_tree(at).await, Denied);
        folder.assert_unharmed();
    }
    // The links themselves can go.
    folder.store.delete(&["/out/file"]).await.unwrap();
    folder.store.delete_tree("/out/folder").await.unwrap();
    assert_eq!(names(&folder.inside("out")), ["relative"]);
    folder.assert_unharmed();
    folder.store.fill("/out/deep/file", "content").await;
    symlink(folder.outside("private"), folder.inside("out/deep/link")).unwrap();
    folder.store.delete_tree("/out").await.unwrap();
    assert!(!folder.inside("out").exists());
    folder.assert_unharmed();
}

#[tokio::test]
async fn its_own_place_may_not_lead_out_either() {
    let folder = Folder::new();
    fs::create_dir(folder.outside("private")).unwrap();
    symlink(folder.outside("private"), folder.inside(".berth")).unwrap();
    assert_kind(folder.store.put("/a", "content", PutOptions::default()).await, Denied);
    assert_eq!(names(&folder.outside("private")), [""; 0]);
}

#[tokio::test]
async fn links_within_the_folder_are_followed() {
    let folder = Folder::new();
    folder.store.fill("/blobs/1/data", "one").await;
    symlink("blobs", folder.inside("other")).unwrap();
    fs::create_dir(folder.inside("links")).unwrap();
    symlink("../blobs/1/data", folder.inside("links/file")).unwrap();
    symlink("../blobs", folder.inside("links/folder")).unwrap();
    assert_eq!(folder.store.get("/other/1/data").await.unwrap(), "one");
    assert_eq!(folder.store.get("/links/file").await.unwrap(), "one");
    assert_eq!(folder.store.list("/links").await.unwrap(), ["file", "folder/"]);
    assert_eq!(folder.store.list("/other").await.unwrap(), ["1/"]);

    folder.store.fill("/other/2/data", "two").await;
    assert_eq!(folder.store.get("/blobs/2/data").await.unwrap(), "two");
    folder.store.compose(&[("/links/file", 3)], "/copy").await.unwrap();
    folder.store.delete(&["/links/file"]).await.unwrap();
    assert_eq!(folder.store.get("/blobs/1/data").await.unwrap(), "one");
    assert!(fs::symlink_metadata(folder.inside("copy")).unwrap().is_file());

    folder.store.delete_tree("/links").await.unwrap();
    assert_eq!(folder.store.list("/blobs").await.unwrap(), ["1/", "2/"]);
    folder.store.delete(&["/other/1/data", "/other/2/data"]).await.unwrap();
    assert!(!folder.store.is_folder("/blobs").await);
}

#[tokio::test]
async fn links_that_lead_nowhere_or_in_a_circle_are_nothing() {
    let folder = Folder::new();
    folder.store.fill("/a/file", "content").await;
    symlink("missing", folder.inside("a/dangling")).unwrap();
    symlink("circle", folder.inside("a/circle")).unwrap();
    symlink(".", folder.inside("a/self")).unwrap();
    fs::create_dir(folder.inside("b")).unwrap();
    symlink("../b", folder.inside("b/self")).unwrap();
    assert_kind(folder.store.get("/a/dangling").await, NotFound);
    assert_kind(folder.store.get("/a/circle").await, Denied);
    assert_eq!(folder.store.list("/a").await.unwrap(), ["file", "self/"]);
    assert!(!folder.store.is_folder("/b").await);
    assert_kind(folder.store.list("/b").await, NotFound);
    assert!(folder.store.put("/a/dangling/file", "content", PutOptions::default()).await.is_err());
    folder.store.delete_tree("/a").await.unwrap();
    assert!(!folder.inside("a").exists());
}
