//! Who sends a request and what they may do: identities with IAM policies, as AWS evaluates them.
//!
//! Knows nothing of HTTP: a service says which permissions a request needs ([`Need`]), this module whether they are given,
//! and which statements of a policy are needed for it.

mod condition;
mod denial;
mod identities;
mod identity;
mod need;
mod pattern;
mod policy;
mod principal;
mod statement;
mod usage;

pub use denial::Denial;
pub(crate) use identities::Identities;
pub use identity::Identity;
pub(crate) use need::Need;
pub(crate) use pattern::like;
pub use policy::{Policy, PolicyError};
pub(crate) use principal::Principal;
pub use statement::Effect;
pub use usage::{EntryUse, IdentityUse, StatementUse};
