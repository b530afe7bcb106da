//! The memory driver.

use std::sync::Arc;

use berth::driver::memory::MemoryDriver;

use crate::store::Store;

async fn memory() -> Store {
    let driver = Arc::new(MemoryDriver::new());
    Store { driver: driver.clone(), other: driver, keep: Box::new(()) }
}

suite!(super::memory::memory);
