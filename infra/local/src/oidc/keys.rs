//! The keys of an issuer, one for each algorithm that issuers use (RFC 7518, RFC 8037).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Value, json};

use super::override_with;

/// How a token is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenAlgorithm {
    /// ECDSA on P-256.
    Es256,
    /// RSASSA-PKCS1-v1_5, 2048 bits.
    Rs256,
    /// Ed25519.
    EdDsa,
}

/// ring makes no RSA keys. This one guards nothing.
const RSA: &[u8] = include_bytes!("rsa.pk8");

#[derive(Debug)]
pub(super) struct Keys {
    generation: u32,
    es256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
    rsa: RsaKeyPair,
}

impl Keys {
    /// None when the system has no randomness.
    pub(super) fn generate(generation: u32) -> Option<Self> {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let es256 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).ok()?;
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).ok()?;
        Some(Self {
            generation,
            es256: EcdsaKeyPair::from_pkcs8(algorithm, es256.as_ref(), &random).ok()?,
            ed25519: Ed25519KeyPair::from_pkcs8(ed25519.as_ref()).ok()?,
            rsa: RsaKeyPair::from_pkcs8(RSA).ok()?,
        })
    }

    fn kid(&self, algorithm: &str) -> String {
        format!("{algorithm}-{}", self.generation)
    }

    /// A token with `claims`, whose header says what `header` does instead of the truth.
    pub(super) fn sign(&self, algorithm: TokenAlgorithm, header: &Value, claims: &Value) -> Option<String> {
        let name = match algorithm {
            TokenAlgorithm::Es256 => "ES256",
            TokenAlgorithm::Rs256 => "RS256",
            TokenAlgorithm::EdDsa => "EdDSA",
        };
        let mut all = json!({ "alg": name, "kid": self.kid(name), "typ": "JWT" });
        override_with(&mut all, header);
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(&all), encode(claims));
        let (random, message) = (SystemRandom::new(), signed.as_bytes());
        let signature = match algorithm {
            TokenAlgorithm::Es256 => self.es256.sign(&random, message).ok()?.as_ref().to_vec(),
            TokenAlgorithm::EdDsa => self.ed25519.sign(message).as_ref().to_vec(),
            TokenAlgorithm::Rs256 => {
                let mut signature = vec![0; self.rsa.public().modulus_len()];
                self.rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).ok()?;
                signature
            }
        };
        Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    pub(super) fn jwks(&self) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let point = self.es256.public_key().as_ref();
        let (x, y) = (text(point.get(1..33).unwrap_or_default()), text(point.get(33..).unwrap_or_default()));
        let rsa: PublicKeyComponents<Vec<u8>> = self.rsa.public().into();
        let key = |algorithm: &str| json!({ "kid": self.kid(algorithm), "alg": algorithm, "use": "sig" });
        let mut keys = [key("ES256"), key("RS256"), key("EdDSA")];
        let [es256, rs256, eddsa] = &mut keys;
        override_with(es256, &json!({ "kty": "EC", "crv": "P-256", "x": x, "y": y }));
        override_with(rs256, &json!({ "kty": "RSA", "n": text(&rsa.n), "e": text(&rsa.e) }));
        override_with(eddsa, &json!({ "kty": "OKP", "crv": "Ed25519", "x": text(self.ed25519.public_key().as_ref()) }));
        json!({ "keys": keys })
    }
}
