//! `berth doctor`, as a process: what it says of registries that work, and of each thing that can be wrong.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

#[path = "binaries/desk.rs"]
mod desk;
#[path = "doctor/fake.rs"]
mod fake;
#[path = "pushing/house.rs"]
mod house;
#[path = "doctor/run.rs"]
mod run;
#[path = "lies/server.rs"]
mod server;
#[path = "support/mod.rs"]
mod support;

#[path = "doctor/edge.rs"]
mod edge;
#[path = "doctor/front_ends.rs"]
mod front_ends;
#[path = "doctor/logins.rs"]
mod logins;
#[path = "doctor/network.rs"]
mod network;
#[path = "doctor/pushes.rs"]
mod pushes;
#[path = "doctor/tls.rs"]
mod tls;
#[path = "doctor/working.rs"]
mod working;
