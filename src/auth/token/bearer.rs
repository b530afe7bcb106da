//! Tokens of this registry's own service.

use std::{borrow::Cow, sync::Arc};

use http::HeaderValue;

use super::{
    super::{Access, AccessController, Asked, Grant, Identity, Refusal, Rules},
    challenge::{Fault, Issuer, refuse},
    keys::{Doubt, SigningKeys},
    place::Place,
    ticket::{Kind, Ticket},
};

/// Lets in who has a token of this registry, to do what it says, as far as the rules still allow it; and who has none,
/// to do what they allow anonymous callers, but that `/v2/` always asks for one: by that alone clients learn where.
pub struct Bearer {
    keys: Arc<SigningKeys>,
    rules: Option<Arc<Rules>>,
}

impl Bearer {
    /// Takes tokens signed by `keys`. Without `rules`, they may do what they say.
    pub fn new(keys: Arc<SigningKeys>, rules: Option<Arc<Rules>>) -> Self {
        Self { keys, rules }
    }

    fn anonymous(&self, wanted: &[Access]) -> Option<Grant> {
        let grant = Grant::by_rules(Identity::Anonymous, self.rules.clone()?);
        (!wanted.is_empty() && wanted.iter().all(|access| grant.allows(access))).then_some(grant)
    }
}

#[async_trait::async_trait]
impl AccessController for Bearer {
    async fn authorize(&self, asked: &Asked<'_>, wanted: &[Access]) -> Result<Grant, Refusal> {
        let Place { realm, host } = Place::of(asked.base);
        let refuse = |fault, reason: Cow<'static, str>| {
            Err(refuse(&Issuer { realm: &realm, service: &host }, wanted, fault, reason))
        };
        let Some(authorization) = asked.authorization else {
            return self.anonymous(wanted).map_or_else(|| refuse(Fault::None, LOG_IN.into()), Ok);
        };
        let Some(token) = token(authorization) else { return refuse(Fault::None, OTHER_SCHEME.into()) };
        let Ticket { identity, access, .. } = match self.keys.verify(asked.ctx, token, Kind::Access, &host).await {
            Ok(ticket) => ticket,
            Err(Doubt::Token(error)) => return refuse(Fault::InvalidToken, error.to_string().into()),
            Err(Doubt::Backend(error)) => return Err(error.into()),
        };
        let grant = Grant::by_token(identity, self.rules.clone(), access);
        let Some(missing) = wanted.iter().find(|access| !grant.allows(access)) else { return Ok(grant) };
        let identity = grant.identity();
        // Who could get it by asking, or by another name, is asked to.
        let may_ask = self.rules.as_ref().is_none_or(|rules| rules.allow(identity, missing).is_some());
        if may_ask || *identity == Identity::Anonymous {
            return refuse(Fault::InsufficientScope, INSUFFICIENT.into());
        }
        Err(Refusal::Denied { identity: identity.clone(), access: missing.clone() })
    }
}

pub(super) const LOG_IN: &str = "log in first: this is not for everybody";
pub(super) const OTHER_SCHEME: &str = "this registry takes tokens (Bearer), and nothing else here";
pub(super) const INSUFFICIENT: &str = "the token does not grant this; ask for one that does";

/// What `Authorization: Bearer ..` says.
pub(super) fn token(authorization: &HeaderValue) -> Option<&str> {
    let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
