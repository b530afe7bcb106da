//! CloudFront's function before the registry (`infra/edge/function.js`), on events as the Amazon CloudFront Developer Guide has
//! them ("CloudFront Functions event structure"), under the limits that it names.
#![allow(clippy::unwrap_used, clippy::panic)] // a test that cannot go on fails

#[path = "edge_function/answers.rs"]
mod answers;
#[path = "edge_function/attacks.rs"]
mod attacks;
#[path = "edge_function/challenge.rs"]
mod challenge;
#[path = "edge_function/event.rs"]
mod event;
#[path = "edge_function/file.rs"]
mod file;
#[path = "edge_function/restored.rs"]
mod restored;
#[path = "edge_function/uploads.rs"]
mod uploads;
