//! Tokens of somebody else's service, as distribution's `auth.token` takes them.

use http::HeaderValue;
use serde::Deserialize;

use super::{
    super::{
        AccessController, Asked, Grant, Identity, Refusal, Wanted,
        jws::{PublicKeys, Registered, TokenError, Unverified},
    },
    bearer::{INSUFFICIENT, LOG_IN, OTHER_SCHEME, token},
    challenge::{Fault, Issuer, refuse},
    scope::Entry,
};
use crate::context::Clock;

/// Whose tokens are taken.
#[derive(Debug, Clone)]
pub struct ExternalOptions {
    /// Where clients get them: a URL.
    pub realm: String,
    /// This registry's name with the issuer: the audience of its tokens.
    pub service: String,
    /// The issuer's name.
    pub issuer: String,
    /// Its keys.
    pub keys: PublicKeys,
    /// Tells when they are over.
    pub clock: Clock,
}

/// Lets in who has a token of an issuer that is trusted, to do what it says.
pub struct External(ExternalOptions);

#[derive(Deserialize)]
struct Granted {
    /// Distribution takes `null` for nothing.
    access: Option<Vec<Entry>>,
}

impl External {
    /// Takes the tokens that `options` say; `None` when realm or service have in them what no challenge can hold.
    pub fn new(options: ExternalOptions) -> Option<Self> {
        let can_be_quoted = |text: &str| !text.contains(['"', '\\']) && HeaderValue::from_str(text).is_ok();
        (can_be_quoted(&options.realm) && can_be_quoted(&options.service)).then_some(Self(options))
    }

    fn verify(&self, token: &str) -> Result<Grant, TokenError> {
        let ExternalOptions { service, issuer, keys, clock, .. } = &self.0;
        let unverified = Unverified::parse(token)?;
        let payload = unverified.verify_by(keys)?;
        let registered = Registered::read(payload)?;
        registered.check(issuer, service, clock.now())?;
        let granted: Granted = serde_json::from_slice(payload).map_err(|_| TokenError::Claims)?;
        let access = granted.access.iter().flatten().flat_map(Entry::access).collect();
        let identity = if registered.sub.is_empty() { Identity::Anonymous } else { Identity::User(registered.sub) };
        Ok(Grant::by_token(identity, None, access))
    }
}

#[async_trait::async_trait]
impl AccessController for External {
    async fn authorize(&self, asked: &Asked<'_>, wanted: &Wanted) -> Result<Grant, Refusal> {
        // Whether the issuer would grant what is wished, nobody knows here.
        let wanted = &wanted.needed;
        let issuer = Issuer { realm: &self.0.realm, service: &self.0.service };
        let Some(authorization) = asked.authorization else { return Err(refuse(&issuer, wanted, Fault::None, LOG_IN)) };
        let Some(token) = token(authorization) else {
            return Err(refuse(&issuer, wanted, Fault::None, OTHER_SCHEME));
        };
        let grant = self.verify(token).map_err(|error| refuse(&issuer, wanted, Fault::InvalidToken, error))?;
        if wanted.iter().all(|access| grant.allows(access)) {
            Ok(grant)
        } else {
            Err(refuse(&issuer, wanted, Fault::InsufficientScope, INSUFFICIENT))
        }
    }
}
