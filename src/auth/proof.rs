//! What a client offers as name and password at the token service, and who it then is.
//!
//! | verifier | takes as password |
//! |---|---|
//! | [`aws::AwsVerifier`] | a signed question to AWS who the caller is (`berth-aws-v1.` ..) |
//! | [`keys::KeyVerifier`] | an API key (`berth_key_` ..) |
//! | [`oidc::OidcVerifier`] | a token of an OpenID Connect issuer (a JWT, `eyJ` ..) |
//!
//! The forms exclude each other, so that at most one of these says more than "not mine" to an offer.

pub mod aws;
pub mod keys;
pub mod oidc;
mod remembered;

use std::fmt;

use time::OffsetDateTime;

use super::Identity;
use crate::{
    context::{Clock, Context},
    distribution::BackendError,
};

/// Takes one kind of proof.
#[async_trait::async_trait]
pub trait Verifier: Send + Sync {
    /// Who it is that makes `offer`; `None` when it is not of the kind that this verifier takes, so that another may
    /// know it.
    ///
    /// # Errors
    /// [`ProofError`]: nobody else may be asked either.
    async fn verify(&self, ctx: &Context, offer: &Offer<'_>) -> Result<Option<Identity>, ProofError>;

    /// What is to be remembered of `offer`, if this verifier takes it, by a refresh token that stands for it: nothing from
    /// which it could be made. `None` when no token may stand for it, since it has a life of its own, which
    /// that would lengthen, and whoever has such makes a fresh one at any time.
    fn mark(&self, _: &Offer<'_>) -> Option<String> {
        None
    }

    /// Whether the proof of `identity` of which `mark` is remembered would still be taken; `false` also for whoever is
    /// another verifier's.
    ///
    /// # Errors
    /// [`BackendError`]: it cannot be checked now; later perhaps.
    async fn holds(&self, _: &Context, _identity: &Identity, _mark: &str) -> Result<bool, BackendError> {
        Ok(false)
    }
}

/// A name and a password. The password is never shown.
#[derive(Clone, Copy)]
pub struct Offer<'a> {
    /// The registry's host as the client reached it, with its port if it said one, without scheme.
    pub host: &'a str,
    /// The name; a kind of proof need not look at it.
    pub name: &'a str,
    /// The proof.
    pub password: &'a str,
}

/// An offer that proves nothing.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProofError {
    /// It is wrong: what, for people, without secrets.
    #[error("{0}")]
    Wrong(String),
    /// It cannot be checked now; later perhaps.
    #[error(transparent)]
    Unavailable(#[from] BackendError),
}

impl ProofError {
    fn wrong(reason: impl fmt::Display) -> Self {
        Self::Wrong(reason.to_string())
    }
}

impl fmt::Debug for Offer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Offer").field("host", &self.host).field("name", &self.name).finish_non_exhaustive()
    }
}

/// The date and time that `clock` shows.
fn now(clock: &Clock) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + clock.now()
}
