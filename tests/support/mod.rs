//! What the black-box suites share.
#![allow(dead_code)] // each suite is a crate of its own, and uses a part

pub mod http;
pub mod process;
pub mod registry;
