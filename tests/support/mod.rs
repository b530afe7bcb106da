//! What the black-box suites share.
#![allow(dead_code)] // each suite is a crate of its own, and uses a part

pub(crate) mod http;
pub(crate) mod process;
pub(crate) mod registry;
