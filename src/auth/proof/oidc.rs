//! Tokens of OpenID Connect issuers: a CI job says by one who it is, and nothing secret is kept anywhere.
//!
//! An issuer is believed only if configuration names it, and only in what it says to this registry (`aud`). Its keys are
//! found as OpenID Connect Discovery 1.0 says, and never where a token says.

mod claims;
mod issuer;

use super::{Offer, ProofError, Verifier, now};
use crate::{
    auth::{
        Fetch, Identity,
        jws::{Registered, TokenError, Unverified},
    },
    context::{Clock, Context},
};
use issuer::Issuer;

/// An issuer that is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// Its URL, letter by letter as its tokens have it in `iss`: `https://token.actions.githubusercontent.com`.
    pub issuer: String,
    /// What its tokens must have in `aud`: this registry's URL, best, so that they are good for nothing else.
    pub audience: String,
    /// Whether its URL may begin with `http://`: for tests alone, since its keys are then whoever's.
    pub insecure: bool,
}

/// An issuer that cannot be believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Its URL will not do.
    #[error("{0:?} is no issuer; allowed: an https URL without query, as the issuer's tokens have it in `iss`")]
    Issuer(String),
    /// It does not say for whom its tokens are to be.
    #[error("the audience of {0} is empty: a token for anybody would do")]
    Audience(String),
    /// It is named twice.
    #[error("{0} is named twice; leave one")]
    Twice(String),
}

/// Takes tokens of the issuers that it is told to believe.
///
/// Keys of an issuer are good for an hour. A token by a key that is not among them makes it ask for them again, once a
/// minute at most.
pub struct OidcVerifier {
    issuers: Vec<Issuer>,
    clock: Clock,
}

impl OidcVerifier {
    /// Believes `trusted`, and asks for their keys by `fetch` when they are first needed.
    ///
    /// # Errors
    /// [`TrustError`].
    pub fn new(trusted: Vec<Trusted>, fetch: &Fetch, clock: Clock) -> Result<Self, TrustError> {
        let mut issuers: Vec<Issuer> = Vec::new();
        for trusted in trusted {
            if issuers.iter().any(|issuer| issuer.trusted.issuer == trusted.issuer) {
                return Err(TrustError::Twice(trusted.issuer));
            }
            issuers.push(Issuer::new(trusted, fetch.clone())?);
        }
        Ok(Self { issuers, clock })
    }
}

#[async_trait::async_trait]
impl Verifier for OidcVerifier {
    async fn verify(&self, ctx: &Context, offer: &Offer<'_>) -> Result<Option<Identity>, ProofError> {
        let token = offer.password;
        if !is_token(token) {
            return Ok(None);
        }
        let unverified = Unverified::parse(token).map_err(ProofError::wrong)?;
        let named = unverified.issuer().ok_or(TokenError::Claims).map_err(ProofError::wrong)?;
        let Some(issuer) = self.issuers.iter().find(|issuer| issuer.trusted.issuer == named) else {
            return Err(ProofError::wrong("the token's issuer is not among those that this registry believes"));
        };
        let kid = unverified.kid().ok_or(TokenError::UnknownKey).map_err(ProofError::wrong)?;
        let now = now(&self.clock);
        let keys = issuer.keys(ctx, kid, now).await?;
        let payload = unverified.verify_by(&keys).map_err(ProofError::wrong)?;
        let registered = Registered::read(payload).map_err(ProofError::wrong)?;
        let Trusted { issuer, audience, .. } = &issuer.trusted;
        registered.check(issuer, audience, self.clock.now()).map_err(ProofError::wrong)?;
        claims::identity(registered, payload).map(|identity| Some(Identity::Oidc(identity)))
    }
}

/// Whether `password` has the form of a token (RFC 7515, section 3.1): `eyJ` is how `{"` begins in base64url.
fn is_token(password: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    password.starts_with("eyJ")
        && password.bytes().all(is_part)
        && password.bytes().filter(|byte| *byte == b'.').count() == 2
}
