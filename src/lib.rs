//! Berth: a container registry with no server to run.
//!
//! The crate is a house of floors; a file imports only from lower floors and from its own folder
//! (`tests/floors.rs` fails otherwise):
//!
//! | floor | rooms |
//! |---|---|
//! | F0 | [`digest`], [`descriptor`], [`name`], [`context`]: the vocabulary |
//! | F1 | [`manifest`]: OCI and Docker manifests as exact bytes with their references |
//! | F2 | [`distribution`]: the interfaces and the errors each may return |
//! | F3 | [`driver`] (where bytes live), [`cache`] (descriptors), [`api`] (the wire contract), [`auth`] (who asks), [`config`], [`aws`] (what its clients share), [`rotation`] (keys that instances share) |
//! | F4 | [`storage`]: the interfaces over a driver and a cache; [`client`]: the interfaces over HTTP, and logging in |
//! | F5 | [`http`]: handlers over the interfaces; [`transfer`]: images between registries, layouts and archives; [`maintenance`]: what is due now and then; [`logging`] |
//! | F6 | [`gateway`]: another registry, served on this machine; [`wire`]: builds real adapters from configuration; [`lambda`]: the registry as functions |

pub mod api;
pub mod auth;
pub mod aws;
pub mod cache;
pub mod client;
pub mod config;
pub mod context;
pub mod descriptor;
pub mod digest;
pub mod distribution;
pub mod driver;
pub mod gateway;
pub mod http;
pub mod lambda;
pub mod logging;
pub mod maintenance;
pub mod manifest;
pub mod name;
pub mod rotation;
pub mod storage;
pub mod transfer;
pub mod wire;
