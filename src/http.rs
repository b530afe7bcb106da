//! The API over HTTP: handlers over the interfaces, never over storage.
//!
//! One fallback takes every request. Its path is decoded once and parsed by [`crate::api::Route`]; the handler of the
//! resource asks the repository's service and turns what it says into an answer. One file (`fault.rs`) says what each
//! error is on the wire.

mod access;
mod access_log;
mod answer;
mod app;
mod arrival;
mod base;
mod blobs;
mod call;
mod catalog;
mod conditional;
mod content;
mod direct;
mod dispatch;
mod download;
mod edge;
mod fault;
mod location;
mod manifests;
mod paging;
mod passed_on;
mod referrers;
mod request_id;
mod server;
mod tags;
mod token;
mod uploads;
mod whole;

pub use app::{App, Options, answer, closed, router};
pub use arrival::Arrival;
pub use edge::{Edge, ThroughEdge};
pub use request_id::HEADER as REQUEST_ID;
pub use server::{Timeouts, serve};
