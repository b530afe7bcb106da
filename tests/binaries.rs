//! The two programs, as processes.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

#[path = "binaries/bootstrap.rs"]
mod bootstrap;
#[path = "binaries/serve.rs"]
mod serve;
