//! Listing.

use berth::driver::{DriverErrorKind::NotFound, PutOptions};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::store::{Store, assert_kind, ctx, path};

pub(crate) async fn names_are_in_lexical_order_each_once(store: &Store) {
    // In the order of whole paths, `a-b` would come before the folder `a`.
    let paths = ["a0", "a/z", "B", "_z", "a-b", "a/b/c", "a/b/d", "a.c/y", "a.c/x", "10", "9", "A/1"];
    for at in paths {
        store.fill(&format!("/list/{at}"), "content").await;
    }
    let expected = ["10", "9", "A/", "B", "_z", "a/", "a-b", "a.c/", "a0"];
    assert_eq!(store.list("/list").await.unwrap(), expected);
    assert_eq!(store.list("/list/a").await.unwrap(), ["b/", "z"]);
    assert_eq!(store.list("/list/a.c").await.unwrap(), ["x", "y"]);
}

pub(crate) async fn folders_and_files_are_told_apart(store: &Store) {
    store.fill("/repository/_layers/sha256/1234/link", "sha256:1234").await;
    store.fill("/repository/_manifests/tags/latest/current/link", "sha256:1234").await;
    store.fill("/repository/startedat", "now").await;
    assert_eq!(store.list("/repository").await.unwrap(), ["_layers/", "_manifests/", "startedat"]);
    assert_eq!(store.list("/repository/_layers").await.unwrap(), ["sha256/"]);
    assert_eq!(store.list("/repository/_layers/sha256/1234").await.unwrap(), ["link"]);
}

pub(crate) async fn nothing_is_listed_where_nothing_is(store: &Store) {
    assert_kind(store.list("/missing").await, NotFound);
    store.fill("/folder/file", "content").await;
    assert_kind(store.list("/missing").await, NotFound);
    assert_kind(store.list("/folder/missing").await, NotFound);
    assert_kind(store.list("/fold").await, NotFound);
}

/// More than any backend answers, or deletes, at once.
pub(crate) async fn many_entries_are_listed_and_deleted(store: &Store) {
    const MANY: usize = 1_050;
    let paths: Vec<_> = (0..MANY).map(|number| path(&format!("/many/folder/{number:04}"))).collect();
    let writes = stream::iter(paths.iter())
        .map(async |at| store.driver.put(&ctx(), at, Bytes::from("content").into(), PutOptions::default()).await);
    writes.buffer_unordered(16).try_collect::<Vec<_>>().await.unwrap();
    let names = store.list("/many/folder").await.unwrap();
    assert_eq!(names, (0..MANY).map(|number| format!("{number:04}")).collect::<Vec<_>>());
    store.fill("/many/stays", "content").await;
    store.driver.delete(&ctx(), &paths).await.unwrap();
    assert_eq!(store.list("/many").await.unwrap(), ["stays"]);
}
