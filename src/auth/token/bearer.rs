//! Tokens of this registry's own service.

use std::{borrow::Cow, sync::Arc};

use http::HeaderValue;

use super::{
    super::{Access, AccessController, Asked, Grant, Identity, Refusal, Rules, Wanted},
    challenge::{Fault, Issuer, refuse},
    keys::{Doubt, SigningKeys},
    may_grant,
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
    async fn authorize(&self, asked: &Asked<'_>, wanted: &Wanted) -> Result<Grant, Refusal> {
        let Wanted { needed, wished } = wanted;
        let Place { realm, host } = Place::of(asked.base);
        let refuse = |wanted: &[Access], fault, reason: Cow<'static, str>| {
            Err(refuse(&Issuer { realm: &realm, service: &host }, wanted, fault, reason))
        };
        // A token is got once, best for all that it is good for.
        let all = [needed.as_slice(), wished.as_slice()].concat();
        let Some(authorization) = asked.authorization else {
            return self.anonymous(needed).map_or_else(|| refuse(&all, Fault::None, LOG_IN.into()), Ok);
        };
        let Some(token) = token(authorization) else { return refuse(&all, Fault::None, OTHER_SCHEME.into()) };
        let Ticket { identity, access, .. } = match self.keys.verify(asked.ctx, token, Kind::Access, &host).await {
            Ok(ticket) => ticket,
            Err(Doubt::Token(error)) => return refuse(&all, Fault::InvalidToken, error.to_string().into()),
            Err(Doubt::Backend(error)) => return Err(error.into()),
        };
        let grant = Grant::by_token(identity, self.rules.clone(), access);
        let identity = grant.identity();
        let missing = |access: &&Access| !grant.allows(access);
        let could = |access: &Access| may_grant(self.rules.as_deref(), identity, access);
        // Who could get it by asking, or by another name, is asked to.
        match needed.iter().find(missing) {
            Some(access) if could(access) => {
                return refuse(needed, Fault::InsufficientScope, INSUFFICIENT.into());
            }
            Some(_) if *identity == Identity::Anonymous => return refuse(needed, Fault::Anonymous, LOG_IN.into()),
            Some(access) => return Err(Refusal::Denied { identity: identity.clone(), access: access.clone() }),
            None => {}
        }
        let spared: Vec<_> = wished.iter().filter(missing).filter(|access| could(access)).collect();
        if !spared.is_empty() {
            let all: Vec<_> = needed.iter().chain(spared).cloned().collect();
            return refuse(&all, Fault::InsufficientScope, INSUFFICIENT.into());
        }
        Ok(grant)
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
