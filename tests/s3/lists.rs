//! Folders and deletes.

use berth::driver::{DriverErrorKind, Entry, Path, PutOptions, StorageDriver as _};
use berth_local::{Fault, Rule};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::store::{Store, ctx, path, store, store_with};

async fn fill(store: &Store, names: impl IntoIterator<Item = String>) {
    let put = |name: String| async move { store.put(&name, Bytes::from("x"), PutOptions::default()).await };
    stream::iter(names.into_iter().map(put)).buffer_unordered(32).try_collect::<Vec<_>>().await.unwrap();
    store.asked();
}

fn names(list: &[&str]) -> Vec<String> {
    list.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn a_listing_is_in_the_order_of_names_though_s3_orders_keys() {
    let store = store().await;
    fill(&store, names(&["/d/a/1", "/d/a/2", "/d/a-b/1", "/d/a.c", "/d/both", "/d/both/x", "/d-sibling", "/other/x"]))
        .await;
    let entries = store.driver.list(&ctx(), &path("/d")).await.unwrap();
    let entry = |(name, is_folder): (&str, bool)| Entry { name: name.to_owned(), is_folder };
    assert_eq!(entries, [("a", true), ("a-b", true), ("a.c", false), ("both", true)].map(entry));
    assert_eq!(store.asked(), "1 ListObjectsV2");
    for missing in ["/missing", "/d-sib", "/d/a.c"] {
        assert_eq!(store.driver.list(&ctx(), &path(missing)).await.unwrap_err().kind, DriverErrorKind::NotFound);
    }
    let root = store.driver.list(&ctx(), &Path::root()).await.unwrap();
    assert_eq!(root, [("d", true), ("d-sibling", false), ("other", true)].map(entry));
}

#[tokio::test]
async fn a_folder_is_where_something_lies_below() {
    let store = store().await;
    fill(&store, names(&["/d/x", "/dd"])).await;
    for (name, expected) in [("/d", true), ("/d/x", false), ("/dd", false), ("/missing", false)] {
        assert_eq!(store.driver.is_folder(&ctx(), &path(name)).await.unwrap(), expected, "{name}");
        assert_eq!(store.asked(), "1 ListObjectsV2");
    }
}

#[tokio::test]
async fn a_long_listing_is_read_to_its_end_and_a_large_tree_deleted() {
    let store = store().await;
    fill(&store, (0..1001).map(|n| format!("/d/{n}/x"))).await;
    fill(&store, names(&["/d", "/dd", "/d-d/x"])).await;
    let entries = store.driver.list(&ctx(), &path("/d")).await.unwrap();
    assert_eq!((entries.len(), store.asked().as_str()), (1001, "2 ListObjectsV2"));
    store.driver.delete_tree(&ctx(), &path("/d")).await.unwrap();
    assert_eq!(store.asked(), "2 DeleteObjects, 2 ListObjectsV2");
    assert_eq!(store.emulator.objects().len(), 2);
    assert_eq!(store.driver.delete_tree(&ctx(), &path("/d")).await.unwrap_err().kind, DriverErrorKind::NotFound);
    store.driver.delete_tree(&ctx(), &path("/dd")).await.unwrap();
    assert_eq!(store.emulator.objects().len(), 1);
    store.driver.delete_tree(&ctx(), &Path::root()).await.unwrap();
    assert_eq!(store.emulator.objects().len(), 0);
}

#[tokio::test]
async fn many_files_are_deleted_by_few_requests() {
    let store = store().await;
    // One of each batch is there.
    fill(&store, names(&["/f0", "/f1000", "/keep"])).await;
    let paths: Vec<Path> = (0..1001).map(|n| path(&format!("/f{n}"))).collect();
    store.driver.delete(&ctx(), &paths).await.unwrap();
    assert_eq!((store.asked().as_str(), store.emulator.objects().len()), ("1 DeleteObject, 1 DeleteObjects", 1));
    store.driver.delete(&ctx(), &[path("/missing")]).await.unwrap();
    assert_eq!(store.asked(), "1 DeleteObject");
    store.driver.delete(&ctx(), &[]).await.unwrap();
    assert_eq!(store.asked(), "");
    store.emulator.inject(Rule::new(Fault::AccessDenied));
    let error = store.driver.delete(&ctx(), &[path("/keep"), path("/other")]).await.unwrap_err();
    assert_eq!(error.kind, DriverErrorKind::Denied);
}

#[tokio::test]
async fn what_lies_outside_the_root_is_out_of_reach() {
    let whole = store_with(|config| config.root = None).await;
    fill(&whole, names(&["/some/root/x", "/some/root-of-another/x", "/y"])).await;
    let config = crate::store::config(&whole.emulator);
    let within = berth::driver::s3::S3Driver::new(config, &berth::aws::http_client()).await;
    assert_eq!(within.list(&ctx(), &Path::root()).await.unwrap().len(), 1);
    within.delete_tree(&ctx(), &Path::root()).await.unwrap();
    assert_eq!(whole.emulator.objects().len(), 2);
}
