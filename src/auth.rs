//! Who asks, and what they may do: controllers, told apart by configuration, that are asked before anything else is done
//! for a request.
//!
//! | controller | lets in |
//! |---|---|
//! | [`Anyone`] | everybody, as nobody in particular |
//! | [`htpasswd::Htpasswd`] | users with a password (RFC 7617, "Basic"), to do what [`Rules`] allow |

mod access;
mod basic;
mod grant;
pub mod htpasswd;
mod identity;
mod rules;

use http::HeaderValue;

pub use access::{Access, Action};
pub use grant::Grant;
pub use identity::{AwsIdentity, Identity, OidcIdentity, Principal};
pub use rules::{Rule, RuleFault, Rules, RulesError};

/// Says who a request comes from, and whether they may do what it wants.
#[async_trait::async_trait]
pub trait AccessController: Send + Sync {
    /// What the one who asks may do: all of `wanted` at least. `authorization` is the request's header of that name.
    ///
    /// # Errors
    /// [`Refusal`]: nothing may be done for the request.
    async fn authorize(&self, authorization: Option<&HeaderValue>, wanted: &[Access]) -> Result<Grant, Refusal>;
}

/// A request for which nothing may be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It says nothing good enough about who asks.
    #[error("{reason}")]
    Unknown {
        /// What the client is asked for: the value of `WWW-Authenticate` (RFC 9110, section 11.6.1).
        challenge: HeaderValue,
        /// What is wrong with what it said, for people.
        reason: &'static str,
    },
    /// Who asks is known, and may not.
    #[error("{identity} may not {access}; whoever runs this registry can allow it by a rule")]
    Denied {
        /// Who asks.
        identity: Identity,
        /// What they wanted.
        access: Access,
    },
}

/// Lets everybody do everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anyone;

#[async_trait::async_trait]
impl AccessController for Anyone {
    async fn authorize(&self, _: Option<&HeaderValue>, _: &[Access]) -> Result<Grant, Refusal> {
        Ok(Grant::everything(Identity::Anonymous))
    }
}
