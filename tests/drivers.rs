//! Storage drivers (`src/driver`): one suite, run by each implementation; a model that each must agree with; and what
//! each promises besides. S3 is emulated in process, over a real socket.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test fails by panicking

#[path = "drivers/suite.rs"]
#[macro_use]
mod suite;

// What the suite runs, by what it is about.
#[path = "drivers/composing.rs"]
mod composing;
#[path = "drivers/creating.rs"]
mod creating;
#[path = "drivers/deadlines.rs"]
mod deadlines;
#[path = "drivers/listing.rs"]
mod listing;
#[path = "drivers/model.rs"]
mod model;
#[path = "drivers/reading.rs"]
mod reading;
#[path = "drivers/removing.rs"]
mod removing;
#[path = "drivers/writing.rs"]
mod writing;

// What is stored in, and what is stored.
#[path = "drivers/content.rs"]
mod content;
#[path = "drivers/store.rs"]
mod store;

// The implementations.
#[path = "drivers/fault.rs"]
mod fault;
#[path = "drivers/filesystem.rs"]
mod filesystem;
#[path = "drivers/memory.rs"]
mod memory;
#[path = "drivers/s3.rs"]
mod s3;
