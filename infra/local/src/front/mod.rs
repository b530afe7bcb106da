//! What stands in front of both emulators: every request is recorded, and some are made to fail.
//!
//! The emulators behind it know nothing of either, so what they answer is what they would answer without it.

mod admission;
mod answer;
mod body;
mod drain;
mod fault;
mod log;
mod matcher;
mod recorded;

pub(crate) use admission::{Admission, Dropped};
pub(crate) use body::ResponseBody;
pub(crate) use drain::split;
pub(crate) use fault::Faults;
pub use fault::{Fault, Rule};
pub(crate) use log::Log;
pub use matcher::Matcher;
pub(crate) use recorded::Arrived;
pub use recorded::{Recorded, Service};

use std::sync::Arc;

/// The request log and the armed faults, shared by both emulators of one [`Emulators`](crate::Emulators).
#[derive(Clone, Debug, Default)]
pub(crate) struct Front {
    pub(crate) log: Arc<Log>,
    pub(crate) faults: Arc<Faults>,
}
