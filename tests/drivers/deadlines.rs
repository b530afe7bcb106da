//! The deadline of the context.

use std::time::{Duration, Instant};

use berth::{
    context::{Caller, Context},
    distribution::Content,
    driver::{DriverErrorKind::Timeout, PresignedMethod, PutOptions},
};
use bytes::Bytes;

use crate::{
    content::{SHORT_AND_LONG, bytes, stalled_after},
    store::{Store, assert_kind, path},
};

fn ctx(deadline: Instant) -> Context {
    Context::new("test".to_owned(), Caller::Registry, Some(deadline), tracing::Span::none())
}

pub(crate) async fn nothing_is_done_after_it(store: &Store) {
    let content = Bytes::from("content");
    store.fill("/a/file", content.clone()).await;
    let passed = ctx(Instant::now());
    let (file, folder, new) = (path("/a/file"), path("/a"), path("/new"));
    let driver = &store.driver;
    assert_kind(driver.get(&passed, &file, 100).await, Timeout);
    assert_kind(driver.read(&passed, &file, 0, None).await.map(|reading| reading.size), Timeout);
    assert_kind(driver.stat(&passed, &file).await, Timeout);
    assert_kind(driver.is_folder(&passed, &folder).await, Timeout);
    assert_kind(driver.list(&passed, &folder).await, Timeout);
    let other = || Content::from(Bytes::from("other"));
    assert_kind(driver.put(&passed, &file, other(), PutOptions::default()).await, Timeout);
    assert_kind(driver.put(&passed, &new, other(), PutOptions::default()).await, Timeout);
    assert_kind(driver.compose(&passed, &[(file.clone(), 7)], &new).await, Timeout);
    assert_kind(driver.delete(&passed, std::slice::from_ref(&file)).await, Timeout);
    assert_kind(driver.delete_tree(&passed, &folder).await, Timeout);
    assert_kind(driver.presign(&passed, &file, PresignedMethod::Get, Duration::from_secs(1)).await, Timeout);
    store.assert_holds("/a/file", Some(&content)).await;
    store.assert_nothing("/new").await;
}

pub(crate) async fn content_must_come_before_it(store: &Store) {
    for size in SHORT_AND_LONG {
        let soon = ctx(Instant::now() + Duration::from_millis(300));
        let content = stalled_after(&bytes(1, size));
        assert_kind(store.driver.put(&soon, &path("/new"), content, PutOptions::default()).await, Timeout);
        store.assert_nothing("/new").await;
    }
}
