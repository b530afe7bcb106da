//! The programs, as processes.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

#[path = "binaries/bootstrap.rs"]
mod bootstrap;
#[path = "binaries/desk.rs"]
mod desk;
#[path = "binaries/fake.rs"]
mod fake;
#[path = "binaries/helper.rs"]
mod helper;
#[path = "binaries/keys.rs"]
mod keys;
#[path = "binaries/login.rs"]
mod login;
#[path = "binaries/login_refused.rs"]
mod login_refused;
#[path = "binaries/login_renamed.rs"]
mod login_renamed;
#[path = "binaries/login_served.rs"]
mod login_served;
#[path = "binaries/policy.rs"]
mod policy;
#[path = "binaries/serve.rs"]
mod serve;
#[path = "support/mod.rs"]
mod support;
