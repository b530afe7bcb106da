//! Storage itself.

use std::sync::Arc;

use berth::{
    cache::none::NoCache,
    driver::memory::MemoryDriver,
    storage::{Options, StorageRegistry},
};

use crate::{subject::Subject, suite};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn storage_behaves() {
    let registry =
        StorageRegistry::new(Arc::new(MemoryDriver::new()), Arc::new(NoCache::default()), Options::default());
    suite::run(Subject::new(Arc::new(registry), &[])).await;
}
