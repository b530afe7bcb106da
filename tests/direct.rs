//! Direct uploads (`docs/direct-upload.md`): the real router and the real S3 driver over an S3 that checks signatures,
//! checksums and conditions. Each attack ends in nothing stored and no access.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

#[path = "direct/asking.rs"]
mod asking;
#[path = "direct/attacks.rs"]
mod attacks;
#[path = "direct/edge.rs"]
mod edge;
#[path = "direct/edge_attacks.rs"]
mod edge_attacks;
#[path = "direct/edge_faults.rs"]
mod edge_faults;
#[path = "direct/edge_model.rs"]
mod edge_model;
#[path = "direct/edge_replaced.rs"]
mod edge_replaced;
#[path = "direct/edge_slices.rs"]
mod edge_slices;
#[path = "direct/faults.rs"]
mod faults;
#[path = "direct/model.rs"]
mod model;
#[path = "direct/parts.rs"]
mod parts;
#[path = "direct/put.rs"]
mod put;
#[path = "direct/registry.rs"]
mod registry;
#[path = "support/mod.rs"]
mod support;
