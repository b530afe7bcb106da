//! The claims that every token has (RFC 7519, section 4.1).

use std::time::Duration;

use serde::Deserialize;

use super::TokenError;

/// How far apart clocks may be.
const LEEWAY: Duration = Duration::from_secs(30);

/// Who says it, for whom, and when it is true. Times are seconds since 1970-01-01 (UTC).
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Registered {
    /// Who says it.
    pub iss: String,
    /// About whom.
    #[serde(default)]
    pub sub: String,
    /// For whom.
    pub aud: Audience,
    /// Until when.
    pub exp: f64,
    /// From when.
    pub nbf: Option<f64>,
    /// Since when.
    pub iat: Option<f64>,
}

/// For whom a token is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// For one.
    One(String),
    /// For any of several.
    Several(Vec<String>),
}

impl Audience {
    /// Whether `name` is meant, letter by letter.
    pub fn is_for(&self, name: &str) -> bool {
        match self {
            Self::One(one) => one == name,
            Self::Several(several) => several.iter().any(|one| one == name),
        }
    }
}

impl Registered {
    /// The claims of `payload`.
    ///
    /// # Errors
    /// [`TokenError::Claims`].
    pub fn read(payload: &[u8]) -> Result<Self, TokenError> {
        serde_json::from_slice(payload).map_err(|_| TokenError::Claims)
    }

    /// Whether `issuer` says this to `audience`, and it is true at `now`, the time since 1970-01-01 (UTC).
    ///
    /// # Errors
    /// [`TokenError::Issuer`], [`TokenError::Audience`], [`TokenError::Expired`], [`TokenError::NotYet`].
    pub fn check(&self, issuer: &str, audience: &str, now: Duration) -> Result<(), TokenError> {
        let (now, leeway) = (now.as_secs_f64(), LEEWAY.as_secs_f64());
        let is_ahead = |time: Option<f64>| time.is_some_and(|time| time > now + leeway);
        if self.iss != issuer {
            Err(TokenError::Issuer)
        } else if !self.aud.is_for(audience) {
            Err(TokenError::Audience)
        } else if self.exp <= now - leeway {
            Err(TokenError::Expired)
        } else if is_ahead(self.nbf) || is_ahead(self.iat) {
            Err(TokenError::NotYet)
        } else {
            Ok(())
        }
    }
}
