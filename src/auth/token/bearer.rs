//! Tokens of this registry's own service, or a user name and a password in their place.

use std::{borrow::Cow, sync::Arc};

use http::HeaderValue;

use super::{
    super::{Access, AccessController, Asked, Grant, Identity, Refusal, Rules, Wanted, basic_credentials},
    challenge::{Fault, Issuer, refuse},
    keys::{Doubt, SigningKeys},
    may_grant,
    place::Place,
    service::{NoToken, TokenService},
    ticket::{Kind, Ticket},
};

/// Lets in who has a token of this registry, to do what it says, as far as the rules still allow it; and who has none,
/// to do what they allow anonymous callers, but that `/v2/` always asks for one: by that alone clients learn where.
///
/// A client that never sees the challenge sends the user name and the password themselves (RFC 7617, "Basic"). A Lambda
/// function URL renames the challenge's header, and go-containerregistry (crane, cosign) then does so. They are verified as the
/// token service verifies them, at each request.
pub struct Bearer {
    keys: Arc<SigningKeys>,
    rules: Option<Arc<Rules>>,
    passwords: Option<Arc<TokenService>>,
}

impl Bearer {
    /// Takes tokens signed by `keys`. Without `rules`, they may do what they say.
    pub fn new(keys: Arc<SigningKeys>, rules: Option<Arc<Rules>>) -> Self {
        Self { keys, rules, passwords: None }
    }

    /// Accepts the user names and passwords that `service` accepts, too.
    #[must_use]
    pub fn with_passwords(self, service: Arc<TokenService>) -> Self {
        Self { passwords: Some(service), ..self }
    }

    /// What the rules allow `identity`, if that is all of `needed`.
    fn by_rules(&self, identity: Identity, needed: &[Access]) -> Result<Grant, Refusal> {
        let grant = match &self.rules {
            Some(rules) => Grant::by_rules(identity, rules.clone()),
            None => Grant::everything(identity),
        };
        match needed.iter().find(|access| !grant.allows(access)) {
            Some(access) => Err(Refusal::Denied { identity: grant.identity().clone(), access: access.clone() }),
            None => Ok(grant),
        }
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
        let Some(token) = token(authorization) else {
            let Some(service) = &self.passwords else { return refuse(&all, Fault::None, OTHER_SCHEME.into()) };
            let Some((name, password)) = basic_credentials(authorization) else {
                return refuse(&all, Fault::None, NEITHER_SCHEME.into());
            };
            return match service.identify_by_password(asked.ctx, asked.host, (&name, &password)).await {
                Ok(identity) => self.by_rules(identity, needed),
                Err(NoToken::Unavailable(error)) => Err(error.into()),
                Err(error) => refuse(&all, Fault::None, error.to_string().into()),
            };
        };
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
pub(super) const OTHER_SCHEME: &str = "this registry accepts only Bearer tokens in Authorization";
const NEITHER_SCHEME: &str = "this registry accepts Bearer tokens and Basic credentials in Authorization";
pub(super) const INSUFFICIENT: &str = "the token does not grant this; ask for one that does";

/// What `Authorization: Bearer ..` says.
pub(super) fn token(authorization: &HeaderValue) -> Option<&str> {
    let (scheme, token) = authorization.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
