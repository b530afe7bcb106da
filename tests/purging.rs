//! Uploads that nobody finished are removed, and nothing else is.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime},
};

use berth::{
    context::Context,
    driver::{Path, PutOptions, StorageDriver, memory::MemoryDriver},
    storage::{Purged, purge_uploads},
};
use bytes::Bytes;
use uuid::{NoContext, Timestamp, Uuid};

const ROOT: &str = "/docker/registry/v2/repositories";
const DAY: u64 = 24 * 3600;

fn ctx() -> Context {
    Context::background("test")
}

async fn put(driver: &Arc<dyn StorageDriver>, path: &str, content: &str) {
    let content = Bytes::from(content.to_owned()).into();
    driver.put(&ctx(), &path.parse().unwrap(), content, PutOptions::default()).await.unwrap();
}

/// Every file below the root.
async fn files(driver: &Arc<dyn StorageDriver>) -> BTreeSet<String> {
    let (mut files, mut folders) = (BTreeSet::new(), vec![ROOT.parse::<Path>().unwrap()]);
    while let Some(folder) = folders.pop() {
        for entry in driver.list(&ctx(), &folder).await.unwrap_or_default() {
            let path = folder.join(&entry.name).unwrap();
            if entry.is_folder {
                folders.push(path);
            } else {
                files.insert(path.to_string());
            }
        }
    }
    files
}

/// The id of an upload that was opened so many days ago.
fn opened(days: u64) -> Uuid {
    let time = SystemTime::now() - Duration::from_secs(days * DAY);
    let time = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Uuid::new_v7(Timestamp::from_unix(NoContext, time.as_secs(), time.subsec_nanos()))
}

fn a_week_ago() -> SystemTime {
    SystemTime::now() - Duration::from_secs(7 * DAY)
}

/// Uploads old and young, of both registries, deep and shallow, and files that look a little like them. Returns the
/// files that belong to uploads that are to be removed.
async fn fill(driver: &Arc<dyn StorageDriver>) -> BTreeSet<String> {
    let old = [
        format!("{ROOT}/app/_uploads/{}/records/1", opened(8)),
        format!("{ROOT}/app/_uploads/{}/chunks/a", opened(30)),
        format!("{ROOT}/app/_uploads/{}/direct", opened(8)),
        format!("{ROOT}/app/_uploads/{}/edge/sha256/{}", opened(8), "0".repeat(64)),
        format!("{ROOT}/app/_uploads/{}/copies/a", opened(8)),
        format!("{ROOT}/only/uploads-here/_uploads/{}/chunks/b", opened(9)),
        format!("{ROOT}/app/nested/deep/_uploads/7bd1d7f1-2d5e-4b8c-8f5c-9d6f3b1e0a11/startedat"),
        format!("{ROOT}/app/nested/deep/_uploads/7bd1d7f1-2d5e-4b8c-8f5c-9d6f3b1e0a11/data"),
        format!("{ROOT}/app/nested/deep/_uploads/7bd1d7f1-2d5e-4b8c-8f5c-9d6f3b1e0a11/hashstates/sha256/0"),
    ];
    for path in &old {
        put(driver, path, "2015-03-01T10:20:30Z").await;
    }
    let now = time::OffsetDateTime::now_utc().format(&time::format_description::well_known::Rfc3339).unwrap();
    for (path, content) in [
        (format!("{ROOT}/app/_uploads/{}/records/1", opened(6)), "young"),
        (format!("{ROOT}/app/_uploads/0c5e9f0e-59a1-4f0d-a1f4-5c8e7d2b9a22/startedat"), now.as_str()),
        (format!("{ROOT}/app/_uploads/0c5e9f0e-59a1-4f0d-a1f4-5c8e7d2b9a22/data"), "young"),
        (format!("{ROOT}/app/_uploads/1d6f0a1f-6ab2-4a1e-b2a5-6d9f8e3c0b33/data"), "of no date"),
        (format!("{ROOT}/app/_uploads/2e7a1b2a-7bc3-4b2f-83b6-7eaa9f4d1c44/startedat"), "yesterday, or so"),
        (format!("{ROOT}/app/_layers/sha256/{}/link", "0".repeat(64)), "sha256:..."),
        (format!("{ROOT}/app/_manifests/_uploads/{}/data", opened(9)), "not a folder of uploads"),
    ] {
        put(driver, &path, content).await;
    }
    old.into()
}

async fn purges(driver: Arc<dyn StorageDriver>) {
    let nothing = purge_uploads(&ctx(), &driver, a_week_ago(), false).await.unwrap();
    assert_eq!(nothing, Purged::default());

    let old = fill(&driver).await;
    let before = files(&driver).await;
    let expected = Purged { found: 11, removed: 7, undated: 2 };
    assert_eq!(purge_uploads(&ctx(), &driver, a_week_ago(), true).await.unwrap(), expected);
    assert_eq!(files(&driver).await, before, "a dry run removes nothing");

    assert_eq!(purge_uploads(&ctx(), &driver, a_week_ago(), false).await.unwrap(), expected);
    assert_eq!(files(&driver).await, before.difference(&old).cloned().collect());
    let again = purge_uploads(&ctx(), &driver, a_week_ago(), false).await.unwrap();
    assert_eq!(again, Purged { found: 4, removed: 0, undated: 2 });
}

#[tokio::test]
async fn in_memory() {
    purges(Arc::new(MemoryDriver::new())).await;
}

#[tokio::test]
async fn in_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    purges(Arc::new(berth::driver::filesystem::FilesystemDriver::open(folder.path()).unwrap())).await;
}

#[tokio::test]
async fn in_a_bucket() {
    let emulators = berth_local::Emulators::start().await.unwrap();
    let options = emulators.options();
    let yaml = format!(
        "version: 0.1\nstorage: {{s3: {{bucket: {}, regionendpoint: {}, accesskey: {}, secretkey: {}}}}}",
        options.bucket,
        emulators.s3().endpoint(),
        options.access_key,
        options.secret_key
    );
    let config = berth::config::Config::parse("test.yml", &yaml, []).unwrap();
    purges(berth::wire::Adapters::open(&config).await.unwrap().driver().clone()).await;
}
