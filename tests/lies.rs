//! The client (`src/client`) and servers that lie, fail and dawdle: each is met with a sentence that says what is wrong,
//! in bounded time and memory, and without giving anything away. The servers are made by hand, on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

#[path = "lies/server.rs"]
mod server;

#[path = "lies/challenges.rs"]
mod challenges;
#[path = "lies/client.rs"]
mod client;
#[path = "lies/direct.rs"]
mod direct;
#[path = "lies/docker.rs"]
mod docker;
#[path = "lies/downloads.rs"]
mod downloads;
#[path = "lies/endless.rs"]
mod endless;
#[path = "lies/errors.rs"]
mod errors;
#[path = "lies/lists.rs"]
mod lists;
#[path = "lies/logins.rs"]
mod logins;
#[path = "lies/manifests.rs"]
mod manifests;
#[path = "lies/places.rs"]
mod places;
#[path = "lies/retries.rs"]
mod retries;
#[path = "lies/silence.rs"]
mod silence;
#[path = "lies/tokens.rs"]
mod tokens;
#[path = "lies/uploads.rs"]
mod uploads;
