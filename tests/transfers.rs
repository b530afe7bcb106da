//! `berth push`, `pull`, `copy` and what belongs to them: the program against the real router on loopback.

#![allow(clippy::unwrap_used, clippy::expect_used)] // a test may fail

#[path = "transfers/archives.rs"]
mod archives;
#[path = "transfers/commands.rs"]
mod commands;
#[path = "transfers/copies.rs"]
mod copies;
#[path = "transfers/desk.rs"]
mod desk;
#[path = "transfers/hostile.rs"]
mod hostile;
#[path = "transfers/image.rs"]
mod image;
#[path = "transfers/interrupted.rs"]
mod interrupted;
#[path = "transfers/killed.rs"]
mod killed;
#[path = "transfers/large.rs"]
mod large;
#[path = "transfers/layouts.rs"]
mod layouts;
#[path = "transfers/manual.rs"]
mod manual;
#[path = "transfers/watched.rs"]
mod watched;
