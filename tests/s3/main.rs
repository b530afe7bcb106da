//! The S3 driver against an S3 endpoint over loopback: what it asks of S3, and what it makes of S3's failures.
#![allow(clippy::unwrap_used)] // a test fails by panicking

mod compose;
mod conditional;
mod direct;
mod environment;
mod failures;
mod lists;
mod presigned;
mod puts;
mod reads;
mod scripted;
mod store;
mod verified;
