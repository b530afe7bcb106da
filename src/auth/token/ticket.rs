//! What this registry's own tokens say.

use std::time::Duration;

use ring::error::Unspecified;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    super::{
        Access, Identity,
        jws::{Registered, SigningKey, TokenError},
    },
    scope::Entry,
};

/// What a token is for. Each has a type and an audience of its own, so that none is taken for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// To do what it says.
    Access,
    /// To get others.
    Refresh,
}

/// Who has the token, and what it grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) identity: Identity,
    pub(super) access: Vec<Access>,
    /// What is remembered of the proof that it was got for, if others may be got by it.
    pub(super) mark: Option<String>,
}

#[derive(Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: String,
    aud: String,
    exp: u64,
    nbf: u64,
    iat: u64,
    jti: String,
    access: Vec<Entry>,
    berth: &'a Identity,
    #[serde(skip_serializing_if = "Option::is_none")]
    mark: Option<&'a str>,
}

/// What is read of them beside what every token has.
#[derive(Deserialize)]
struct Private {
    #[serde(default)]
    access: Vec<Entry>,
    berth: Identity,
    mark: Option<String>,
}

impl Kind {
    /// What the header says; none is what other tokens say (RFC 8725, section 3.11).
    pub(super) fn typ(self) -> &'static str {
        match self {
            Self::Access => "berth-access+jwt",
            Self::Refresh => "berth-refresh+jwt",
        }
    }

    fn audience(self, host: &str) -> String {
        match self {
            Self::Access => host.to_owned(),
            Self::Refresh => format!("{host}/token"),
        }
    }
}

impl Ticket {
    /// The ticket as a token of `kind`, signed by `key` for the registry at `host`, from `now` (since 1970-01-01, UTC)
    /// for as long as `life`.
    ///
    /// # Errors
    /// When the system has no randomness.
    pub(super) fn sign(
        &self,
        kind: Kind,
        host: &str,
        key: &SigningKey,
        now: Duration,
        life: Duration,
    ) -> Result<String, Unspecified> {
        let claims = Claims {
            iss: host,
            sub: self.identity.to_string(),
            aud: kind.audience(host),
            exp: (now + life).as_secs(),
            nbf: now.as_secs(),
            iat: now.as_secs(),
            jti: Uuid::new_v4().to_string(),
            access: Entry::of(&self.access),
            berth: &self.identity,
            mark: self.mark.as_deref(),
        };
        key.sign(kind.typ(), &claims)
    }

    /// The ticket of a token of `kind` whose verified claims are `payload`, at the registry at `host`.
    ///
    /// # Errors
    /// [`TokenError`], of the claims.
    pub(super) fn read(kind: Kind, host: &str, payload: &[u8], now: Duration) -> Result<Self, TokenError> {
        Registered::read(payload)?.check(host, &kind.audience(host), now)?;
        let Private { access, berth, mark } = serde_json::from_slice(payload).map_err(|_| TokenError::Claims)?;
        Ok(Self { identity: berth, access: access.iter().flat_map(Entry::access).collect(), mark })
    }
}
