//! What stands in front of both emulators: every request is recorded, some are made to fail, and of some the sender's
//! policy decides.
//!
//! The emulators behind it know nothing of the first two, so what they answer is what they would answer without them. They
//! ask the [`Caller`] for permissions, as only they know when a signature is verified and what a request needs.

mod admission;
mod answer;
mod body;
mod caller;
mod drain;
mod fault;
mod log;
mod matcher;
mod recorded;

pub(crate) use admission::{Admission, Dropped};
pub(crate) use answer::error;
pub(crate) use body::ResponseBody;
pub(crate) use caller::Caller;
pub(crate) use drain::split;
pub(crate) use fault::Faults;
pub use fault::{Fault, Rule};
pub(crate) use log::Log;
pub use matcher::Matcher;
pub(crate) use recorded::Arrived;
pub use recorded::{Recorded, Service};

use std::sync::Arc;

use crate::iam::{Identities, Identity};
use crate::options::Options;

/// The request log, the armed faults and the identities, shared by both emulators of one [`Emulators`](crate::Emulators).
#[derive(Clone, Debug)]
pub(crate) struct Front {
    pub(crate) log: Arc<Log>,
    pub(crate) faults: Arc<Faults>,
    pub(crate) identities: Arc<Identities>,
    /// [`Options::missing_key_is_prefix`].
    missing_key_is_prefix: bool,
}

impl Front {
    /// With the identity of the options, which may do everything.
    pub(crate) fn new(options: &Options) -> Self {
        let first = Identity {
            name: "default".to_owned(),
            access_key: options.access_key.clone(),
            secret_key: options.secret_key.clone(),
            policy: None,
        };
        let identities = Arc::new(Identities::new(&options.account, first));
        let missing_key_is_prefix = options.missing_key_is_prefix;
        Self { log: Arc::default(), faults: Arc::default(), identities, missing_key_is_prefix }
    }
}
