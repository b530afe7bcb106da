//! JSON Web Signatures in compact form (RFC 7515), and the keys that verify them.
//!
//! Less than the specifications allow, since all that a token says before its signature is verified was written by
//! whoever sent it (RFC 8725, "JWT Best Current Practices"):
//! - the algorithm is the key's; a token that names another is refused, so `none` and all of the HMAC family are;
//! - the key is found by its exact name among those that are known: `jku`, `jwk`, `x5u` and `x5c` say nothing;
//! - no extension is understood, so whatever has `crit` is refused.

mod claims;
mod jwks;
mod key;
mod signing;
#[cfg(test)]
mod tests;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Deserializer, de::IgnoredAny};

pub use claims::{Audience, Registered};
pub use jwks::{JwksError, PublicKeys};
pub use key::PublicKey;
pub use signing::SigningKey;

/// The longest token that is looked at, in bytes.
pub const LONGEST: usize = 16 << 10;

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It is too long.
    #[error("the token is longer than the {LONGEST} bytes that are looked at")]
    TooLong,
    /// It is none.
    #[error("this is no token of the form HEADER.CLAIMS.SIGNATURE")]
    Malformed,
    /// It wants what is not understood here.
    #[error("the token has critical extensions, of which none is understood here")]
    Critical,
    /// It is meant for something else.
    #[error("the token is not of the type that is taken here")]
    Type,
    /// Its key is not known, or not named.
    #[error("the token is signed by a key that is not known here")]
    UnknownKey,
    /// It names an algorithm that is not its key's.
    #[error("the token is signed by another algorithm than its key's")]
    Algorithm,
    /// Its signature is wrong.
    #[error("the token's signature is wrong")]
    Signature,
    /// What it says cannot be read.
    #[error("the token's claims are incomplete, or not of the form that they should have")]
    Claims,
    /// It is another issuer's.
    #[error("the token is of another issuer")]
    Issuer,
    /// It is for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// It is over.
    #[error("the token has expired; ask for another")]
    Expired,
    /// Its time has not come.
    #[error("the token is not valid yet; are the clocks right?")]
    NotYet,
}

/// A token, of which nothing is known to be true yet.
pub struct Unverified<'a> {
    header: Header,
    /// What the signature is over.
    signed: &'a str,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// What is read of a header; a name that is there twice makes it malformed.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    /// Of any value: `null` is one as well, which an `Option` by itself would take for nothing.
    #[serde(default, deserialize_with = "present")]
    crit: Option<IgnoredAny>,
}

fn present<'de, D: Deserializer<'de>>(value: D) -> Result<Option<IgnoredAny>, D::Error> {
    IgnoredAny::deserialize(value).map(Some)
}

impl<'a> Unverified<'a> {
    /// Takes `token` apart.
    ///
    /// # Errors
    /// [`TokenError::TooLong`], [`TokenError::Malformed`], [`TokenError::Critical`].
    pub fn parse(token: &'a str) -> Result<Self, TokenError> {
        if token.len() > LONGEST {
            return Err(TokenError::TooLong);
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed);
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        // A dot in the payload is no base64.
        let (payload, signature) = (decode(payload)?, decode(signature)?);
        let header: Header = serde_json::from_slice(&decode(header)?).map_err(|_| TokenError::Malformed)?;
        match header.crit {
            Some(IgnoredAny) => Err(TokenError::Critical),
            None => Ok(Self { header, signed, payload, signature }),
        }
    }

    /// The name of the key that it says to be signed by.
    pub fn kid(&self) -> Option<&str> {
        self.header.kid.as_deref()
    }

    /// The type that it says to be of.
    pub fn typ(&self) -> Option<&str> {
        self.header.typ.as_deref()
    }

    /// The issuer that it says to be of: to choose by it whose keys may verify it, and for nothing else.
    pub fn issuer(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Issuer {
            iss: String,
        }
        serde_json::from_slice::<Issuer>(&self.payload).ok().map(|claims| claims.iss)
    }

    /// What it says, in JSON, if `key` signed it.
    ///
    /// # Errors
    /// [`TokenError::Algorithm`], [`TokenError::Signature`].
    pub fn verify(&self, key: &PublicKey) -> Result<&[u8], TokenError> {
        if self.header.alg != key.algorithm() {
            return Err(TokenError::Algorithm);
        }
        if key.verifies(self.signed.as_bytes(), &self.signature) {
            Ok(&self.payload)
        } else {
            Err(TokenError::Signature)
        }
    }

    /// What it says, in JSON, if the one of `keys` that it names signed it.
    ///
    /// # Errors
    /// [`TokenError::UnknownKey`], and those of [`Self::verify`].
    pub fn verify_by(&self, keys: &PublicKeys) -> Result<&[u8], TokenError> {
        self.verify(self.kid().and_then(|kid| keys.get(kid)).ok_or(TokenError::UnknownKey)?)
    }
}
