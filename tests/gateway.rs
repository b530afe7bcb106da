//! `berth gateway`, as a process: clients that send content without saying what it is, a registry behind it, and S3.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

#[path = "gateway/old_client.rs"]
mod old_client;
#[path = "gateway/process.rs"]
mod process;

#[path = "gateway/commands.rs"]
mod commands;
#[path = "gateway/door.rs"]
mod door;
#[path = "gateway/kills.rs"]
mod kills;
#[path = "gateway/lambda.rs"]
mod lambda;
#[path = "gateway/pushes.rs"]
mod pushes;
#[path = "gateway/spool.rs"]
mod spool;
#[path = "gateway/words.rs"]
mod words;

#[path = "pushing/house.rs"]
mod house;
#[path = "lambda/stack.rs"]
mod stack;
#[path = "support/mod.rs"]
mod support;
