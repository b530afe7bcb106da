//! The API from outside: the real router behind the real server, on a loopback socket, over a registry in memory.
//!
//! The client (`api/client.rs`) speaks raw HTTP, so that it can be as rude as a broken client is.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

#[path = "api/access.rs"]
mod access;
#[path = "api/access_log.rs"]
mod access_log;
#[path = "api/auth.rs"]
mod auth;
#[path = "api/backend.rs"]
mod backend;
#[path = "api/bad_input.rs"]
mod bad_input;
#[path = "api/base.rs"]
mod base;
#[path = "api/blobs.rs"]
mod blobs;
#[path = "api/client.rs"]
mod client;
#[path = "api/doctored.rs"]
mod doctored;
#[path = "api/image.rs"]
mod image;
#[path = "api/lists.rs"]
mod lists;
#[path = "api/manifests.rs"]
mod manifests;
#[path = "api/other_names.rs"]
mod other_names;
#[path = "api/ranges.rs"]
mod ranges;
#[path = "api/redirects.rs"]
mod redirects;
#[path = "api/referrers.rs"]
mod referrers;
#[path = "api/registry.rs"]
mod registry;
#[path = "api/server.rs"]
mod server;
#[path = "api/tokens.rs"]
mod tokens;
#[path = "api/upload_secrets.rs"]
mod upload_secrets;
#[path = "api/uploads.rs"]
mod uploads;
#[path = "api/urls.rs"]
mod urls;
