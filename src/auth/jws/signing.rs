//! A key that signs.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    error::{KeyRejected, Unspecified},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde::Serialize;
use serde_json::json;

use super::PublicKey;

/// A private key for ES256. It is never shown.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    kid: String,
    public: PublicKey,
}

impl SigningKey {
    /// A new key, as it is stored (PKCS#8).
    ///
    /// # Errors
    /// When the system has no randomness.
    pub fn generate() -> Result<Vec<u8>, Unspecified> {
        let document = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())?;
        Ok(document.as_ref().to_vec())
    }

    /// The key that is stored as `pkcs8`.
    ///
    /// # Errors
    /// When that is no key for ES256.
    pub fn read(pkcs8: &[u8]) -> Result<Self, KeyRejected> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &SystemRandom::new())?;
        let mut point = [0; 65];
        // ring's public keys on P-256 are uncompressed points, which have this length.
        point.copy_from_slice(pair.public_key().as_ref());
        let public = PublicKey::Es256(point);
        Ok(Self { pair, kid: public.thumbprint(), public })
    }

    /// The name by which tokens name it.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// What verifies its signatures.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// A token of the type `typ` that says `claims`.
    ///
    /// # Errors
    /// When the system has no randomness, or `claims` are nothing that JSON can say.
    pub fn sign(&self, typ: &str, claims: &impl Serialize) -> Result<String, Unspecified> {
        let header = json!({ "alg": self.public.algorithm(), "kid": self.kid, "typ": typ }).to_string();
        let payload = serde_json::to_vec(claims).map_err(|_| Unspecified)?;
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes())?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("kid", &self.kid).finish_non_exhaustive()
    }
}
