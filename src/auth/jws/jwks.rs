//! Sets of keys, as issuers publish them (RFC 7517, section 5).

use std::collections::HashMap;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;

use super::PublicKey;

/// Public keys by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PublicKeys(HashMap<String, PublicKey>);

/// A text is no set of keys.
#[derive(Debug, thiserror::Error)]
#[error("not a set of keys (JSON with \"keys\"): {0}")]
pub struct JwksError(#[from] serde_json::Error);

#[derive(Deserialize)]
struct Jwks {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl PublicKeys {
    /// The keys of `json`. Those that have no name, are for something else than signatures, or of a kind that is not
    /// known here, are left out: issuers publish others beside.
    ///
    /// # Errors
    /// [`JwksError`].
    pub fn from_jwks(json: &[u8]) -> Result<Self, JwksError> {
        let jwks: Jwks = serde_json::from_slice(json)?;
        let mut keys = Self::default();
        for jwk in jwks.keys {
            let Ok(jwk) = serde_json::from_value::<Jwk>(jwk) else { continue };
            if let Some(key) = jwk.key() {
                keys.insert(jwk.kid, key);
            }
        }
        Ok(keys)
    }

    /// Adds `key` by the name `kid`. Of two keys of one name, the first stays.
    pub fn insert(&mut self, kid: String, key: PublicKey) {
        self.0.entry(kid).or_insert(key);
    }

    /// The key of that name, letter by letter.
    pub fn get(&self, kid: &str) -> Option<&PublicKey> {
        self.0.get(kid)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Jwk {
    fn key(&self) -> Option<PublicKey> {
        let bytes = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?.trim_end_matches('=')).ok();
        let key = match (self.kty.as_str(), self.crv.as_deref()) {
            ("EC", Some("P-256")) => {
                let (x, y): ([u8; 32], [u8; 32]) = (bytes(&self.x)?.try_into().ok()?, bytes(&self.y)?.try_into().ok()?);
                let mut point = [4; 65];
                point[1..33].copy_from_slice(&x);
                point[33..].copy_from_slice(&y);
                PublicKey::Es256(point)
            }
            ("RSA", _) => PublicKey::rsa(&bytes(&self.n)?, &bytes(&self.e)?),
            ("OKP", Some("Ed25519")) => PublicKey::EdDsa(bytes(&self.x)?.try_into().ok()?),
            _ => return None,
        };
        let fits = self.purpose.as_ref().is_none_or(|purpose| purpose == "sig")
            && self.alg.as_ref().is_none_or(|alg| alg == key.algorithm());
        fits.then_some(key)
    }
}

impl PublicKey {
    /// Of a modulus and an exponent, big-endian.
    pub(in crate::auth) fn rsa(n: &[u8], e: &[u8]) -> Self {
        let bare = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
        Self::Rs256 { n: bare(n), e: bare(e) }
    }
}
