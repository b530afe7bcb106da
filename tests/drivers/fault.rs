//! The driver that fails when it is told to.

use std::sync::Arc;

use berth::driver::{
    DriverErrorKind::{Failed, NotFound, Throttled},
    PutOptions, StorageDriver,
    fault::{Fault, FaultDriver, Operation},
    memory::MemoryDriver,
};

use crate::store::{Store, assert_kind};

/// A store on memory, whose driver fails as `plan` has it and whose other driver does not.
fn faulty(plan: impl Fn(Operation) -> Option<Fault> + Send + Sync + 'static) -> Store {
    let memory: Arc<dyn StorageDriver> = Arc::new(MemoryDriver::new());
    let driver = Arc::new(FaultDriver::new(memory.clone(), move |operation, _| plan(operation)));
    Store { driver, other: memory, keep: Box::new(()) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_faults_it_is_the_driver_behind_it() {
    crate::model::agrees(&faulty(|_| None)).await;
}

#[tokio::test]
async fn what_is_refused_is_not_done() {
    let store = faulty(|operation| operation.changes().then_some(Fault::Refused(Throttled)));
    let behind = Store { driver: store.other.clone(), other: store.other.clone(), keep: Box::new(()) };
    behind.fill("/a/file", "content").await;
    assert_kind(store.put("/a/new", "content", PutOptions::default()).await, Throttled);
    assert_kind(store.compose(&[("/a/file", 7)], "/a/new").await, Throttled);
    assert_kind(store.delete(&["/a/file"]).await, Throttled);
    assert_kind(store.delete_tree("/a").await, Throttled);
    assert_eq!(store.list("/a").await.unwrap(), ["file"]);
    assert_kind(store.get("/a/new").await, NotFound);
}

#[tokio::test]
async fn what_is_done_may_be_answered_as_a_failure() {
    let store = faulty(|operation| (operation == Operation::Put).then_some(Fault::AnswerLost(Failed)));
    assert_kind(store.put("/a/new", "content", PutOptions::default()).await, Failed);
    assert_eq!(store.get("/a/new").await.unwrap(), "content");
}
