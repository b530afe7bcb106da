//! Pushing blobs to a registry's own storage (`docs/direct-upload.md`), from the client's side: the real client, the real
//! router or the deployment in the local Lambda, and S3 over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

#[path = "pushing/house.rs"]
mod house;
#[path = "pushing/watched.rs"]
mod watched;

#[path = "pushing/kills.rs"]
mod kills;
#[path = "pushing/lambda.rs"]
mod lambda;
#[path = "pushing/parts.rs"]
mod parts;
#[path = "pushing/ways.rs"]
mod ways;

#[path = "lambda/stack.rs"]
mod stack;
#[path = "support/mod.rs"]
mod support;
