//! Who asks, and what they may do: controllers, told apart by configuration, that are asked before anything else is done
//! for a request.
//!
//! | controller | lets in |
//! |---|---|
//! | [`Anyone`] | everybody, as nobody in particular |
//! | [`htpasswd::Htpasswd`] | users with a password (RFC 7617, "Basic"), to do what [`Rules`] allow |

mod access;
mod basic;
mod fetch;
mod grant;
pub mod htpasswd;
mod identity;
pub mod jws;
pub mod proof;
mod rules;
pub mod token;

use http::HeaderValue;

use crate::{context::Context, distribution::BackendError};

pub use access::{Access, Action, Wanted};
pub use basic::{basic_challenge, basic_credentials};
pub use fetch::Fetch;
pub use grant::Grant;
pub use identity::{AwsIdentity, Identity, OidcIdentity, Principal};
pub use rules::{Rule, RuleFault, Rules, RulesError};

/// Says who a request comes from, and whether they may do what it wants.
#[async_trait::async_trait]
pub trait AccessController: Send + Sync {
    /// What the one who asks may do: all that `wanted` needs at least.
    ///
    /// # Errors
    /// [`Refusal`]: nothing may be done for the request.
    async fn authorize(&self, asked: &Asked<'_>, wanted: &Wanted) -> Result<Grant, Refusal>;
}

/// What a request says of who asks, and of whom.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The context of the request.
    pub ctx: &'a Context,
    /// Its header `Authorization`.
    pub authorization: Option<&'a HeaderValue>,
    /// The URL of the registry as the client reached it, up to what stands before `/v2/`, without a slash at its end:
    /// `https://registry.example.com`. `None` where nobody says.
    pub base: Option<&'a str>,
    /// The host to which proofs of identity must be bound, where it is known.
    pub host: Option<&'a str>,
}

/// A request for which nothing may be done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refusal {
    /// It says nothing good enough about who asks.
    #[error("{reason}")]
    Unknown {
        /// What the client is asked for: the value of `WWW-Authenticate` (RFC 9110, section 11.6.1).
        challenge: HeaderValue,
        /// What is wrong with what it said, for people.
        reason: String,
    },
    /// Who asks is known, and may not.
    #[error("{identity} may not {access}; whoever runs this registry can allow it by a rule")]
    Denied {
        /// Who asks.
        identity: Identity,
        /// What they wanted.
        access: Access,
    },
    /// Who asks cannot be told now; later perhaps.
    #[error(transparent)]
    Unavailable(#[from] BackendError),
}

/// Lets everybody do everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anyone;

#[async_trait::async_trait]
impl AccessController for Anyone {
    async fn authorize(&self, _: &Asked<'_>, _: &Wanted) -> Result<Grant, Refusal> {
        Ok(Grant::everything(Identity::Anonymous))
    }
}
