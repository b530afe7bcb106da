//! Who asks: controllers, told apart by configuration, that are asked before anything else is done for a request.
//!
//! | controller | lets in |
//! |---|---|
//! | [`Anyone`] | everybody, as nobody in particular |
//! | [`htpasswd::Htpasswd`] | users with a password (RFC 7617, "Basic") |

mod basic;
pub mod htpasswd;

use http::HeaderValue;

use crate::context::Caller;

/// Says who a request comes from.
#[async_trait::async_trait]
pub trait AccessController: Send + Sync {
    /// Who asks, given the request's `Authorization` header if it has one.
    ///
    /// # Errors
    /// [`Refusal`]: nothing may be done for the request.
    async fn authenticate(&self, authorization: Option<&HeaderValue>) -> Result<Caller, Refusal>;
}

/// A request that says nothing good enough about who asks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refusal {
    /// What the client is asked for: the value of `WWW-Authenticate` (RFC 9110, section 11.6.1).
    pub challenge: HeaderValue,
    /// What is wrong with what it said, for people.
    pub reason: &'static str,
}

/// Lets everybody do everything.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anyone;

#[async_trait::async_trait]
impl AccessController for Anyone {
    async fn authenticate(&self, _: Option<&HeaderValue>) -> Result<Caller, Refusal> {
        Ok(Caller::Anonymous)
    }
}
