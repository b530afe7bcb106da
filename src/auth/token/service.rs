//! Who gets which token, for which proof.

use std::{sync::Arc, time::Duration};

use super::{
    super::{
        Access, Identity, Rules,
        jws::LONGEST,
        proof::{Offer, ProofError, Verifier},
    },
    keys::{Doubt, LONGEST_LIFE, SigningKeys},
    may_grant,
    place::Place,
    scope::{ScopeError, parse_scopes},
    ticket::{Kind, Ticket},
};
use crate::{context::Context, distribution::BackendError};

/// How long a token is good for, unless configuration says otherwise.
const LIFE: Duration = Duration::from_mins(5);

/// The longest name and password that anybody is asked about, in bytes: tokens of issuers are the longest.
const LONGEST_NAME: usize = 512;
const LONGEST_PASSWORD: usize = 32 << 10;

/// Gives out tokens: to whoever proves who they are, and to nobody in particular what the rules allow anonymous
/// callers.
pub struct TokenService {
    keys: Arc<SigningKeys>,
    rules: Option<Arc<Rules>>,
    verifiers: Vec<Arc<dyn Verifier>>,
    life: Duration,
}

/// A request for a token.
#[derive(Clone, Copy)]
pub struct Ask<'a> {
    /// The URL of the registry, as challenges have it ([`Asked::base`](super::super::Asked)).
    pub base: Option<&'a str>,
    /// The host to which proofs must be bound, where it is known.
    pub host: Option<&'a str>,
    /// The service that the client wants a token for, if it says.
    pub service: Option<&'a str>,
    /// What the token is to grant: scopes, with spaces between.
    pub scopes: &'a [&'a str],
    /// Who the client says to be.
    pub proof: Proof<'a>,
    /// Whether it wants a refresh token, too.
    pub offline: bool,
}

/// How a client says who it is.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// Not at all.
    None,
    /// By a name and a password.
    Password {
        /// The name.
        name: &'a str,
        /// The password, which may be a proof of another kind.
        password: &'a str,
    },
    /// By a refresh token.
    Refresh(&'a str),
}

/// Who asks.
struct Known {
    identity: Identity,
    /// What a refresh token remembers of the proof, if there is to be one.
    mark: Option<String>,
}

/// A token for a client.
pub struct Issued {
    /// Whose it is.
    pub identity: Identity,
    /// The token. Secret.
    pub token: String,
    /// A token by which to get others. Secret.
    pub refresh: Option<String>,
    /// What the token grants: as much of what was asked as the rules allow.
    pub granted: Vec<Access>,
    /// Since when it is good, since 1970-01-01 (UTC).
    pub issued_at: Duration,
    /// For how long.
    pub life: Duration,
}

/// A request for which there is no token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum NoToken {
    /// The proof is wrong: what, for people, without secrets.
    #[error("{0}")]
    Wrong(String),
    /// The scopes are none.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// It is for another registry.
    #[error("this is not the token service of that service; it is that of {0}")]
    Service(String),
    /// The token would be longer than what is taken.
    #[error("a token that grants all this is longer than {LONGEST} bytes; ask for fewer scopes")]
    TooLong,
    /// The proof cannot be checked, or the token cannot be signed, now; later perhaps.
    #[error(transparent)]
    Unavailable(#[from] BackendError),
}

impl TokenService {
    /// Gives out tokens signed by `keys`, that grant what `rules` allow; without rules, everything to everybody but
    /// nobody in particular. Who somebody is, the first of `verifiers` says that takes such a proof.
    pub fn new(keys: Arc<SigningKeys>, rules: Option<Arc<Rules>>, verifiers: Vec<Arc<dyn Verifier>>) -> Self {
        Self { keys, rules, verifiers, life: LIFE }
    }

    /// With tokens that are good for `life`: from one minute, which clients take for the least, to a day.
    #[must_use]
    pub fn with_life(self, life: Duration) -> Self {
        Self { life: life.clamp(Duration::from_mins(1), LONGEST_LIFE), ..self }
    }

    /// The token that is asked for. It may grant less than that, and nothing at all.
    ///
    /// # Errors
    /// [`NoToken`].
    pub async fn issue(&self, ctx: &Context, ask: &Ask<'_>) -> Result<Issued, NoToken> {
        let host = Place::of(ask.base).host;
        if ask.service.is_some_and(|service| service != host) {
            return Err(NoToken::Service(host));
        }
        let mut granted = parse_scopes(ask.scopes.iter().copied())?;
        let Known { identity, mark } = self.identify(ctx, ask, &host).await?;
        granted.retain(|access| may_grant(self.rules.as_deref(), &identity, access));

        let issued_at = self.keys.now();
        let ticket = Ticket { identity, access: granted, mark: None };
        let token = self.keys.sign(ctx, &ticket, Kind::Access, &host, self.life).await?;
        if token.len() > LONGEST {
            return Err(NoToken::TooLong);
        }
        let Ticket { identity, access: granted, .. } = ticket;
        let refresh = match mark {
            Some(mark) => {
                let ticket = Ticket { identity: identity.clone(), access: Vec::new(), mark: Some(mark) };
                Some(self.keys.sign(ctx, &ticket, Kind::Refresh, &host, LONGEST_LIFE).await?)
            }
            None => None,
        };
        Ok(Issued { identity, token, refresh, granted, issued_at, life: self.life })
    }

    /// Whose user name and password these are. `host` is the host to which proofs must be bound, where it is known.
    ///
    /// # Errors
    /// [`NoToken::Wrong`] and [`NoToken::Unavailable`].
    pub(super) async fn identify_by_password(
        &self,
        ctx: &Context,
        host: Option<&str>,
        (name, password): (&str, &str),
    ) -> Result<Identity, NoToken> {
        let proof = Proof::Password { name, password };
        let ask = Ask { base: None, host, service: None, scopes: &[], proof, offline: false };
        Ok(self.identify(ctx, &ask, "").await?.identity)
    }

    async fn identify(&self, ctx: &Context, ask: &Ask<'_>, host: &str) -> Result<Known, NoToken> {
        let (name, password) = match ask.proof {
            Proof::None => return Ok(Known { identity: Identity::Anonymous, mark: None }),
            Proof::Refresh(token) => {
                let identity = self.refresh(ctx, token, host).await?;
                return Ok(Known { identity, mark: None });
            }
            Proof::Password { name, password } => (name, password),
        };
        if name.len() > LONGEST_NAME || password.len() > LONGEST_PASSWORD {
            return Err(NoToken::Wrong("user name or password is longer than any that is known here".to_owned()));
        }
        let offer = Offer { host: ask.host.unwrap_or_default(), name, password };
        for verifier in &self.verifiers {
            // Before it is looked at: where it changes meanwhile, what is remembered is then what does not hold.
            let mark = if ask.offline { verifier.mark(&offer) } else { None };
            match verifier.verify(ctx, &offer).await {
                Ok(Some(identity)) => return Ok(Known { identity, mark }),
                Ok(None) => {}
                Err(ProofError::Wrong(reason)) => return Err(NoToken::Wrong(reason)),
                Err(ProofError::Unavailable(error)) => return Err(error.into()),
            }
        }
        Err(NoToken::Wrong("this registry takes no password of this kind".to_owned()))
    }

    /// Whose refresh token it is, if what they got it for still holds: a revoked key and a removed user get nothing more.
    async fn refresh(&self, ctx: &Context, token: &str, host: &str) -> Result<Identity, NoToken> {
        let Ticket { identity, mark, .. } = match self.keys.verify(ctx, token, Kind::Refresh, host).await {
            Ok(ticket) => ticket,
            Err(Doubt::Token(error)) => return Err(NoToken::Wrong(error.to_string())),
            Err(Doubt::Backend(error)) => return Err(error.into()),
        };
        let mark = mark.unwrap_or_default();
        for verifier in &self.verifiers {
            if verifier.holds(ctx, &identity, &mark).await? {
                return Ok(identity);
            }
        }
        Err(NoToken::Wrong("the login that this refresh token was given for holds no more; log in again".to_owned()))
    }
}
