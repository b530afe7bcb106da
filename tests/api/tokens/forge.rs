//! Tokens as an attacker, or another issuer, makes them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use berth::context::Clock;
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::{
    rand::SystemRandom,
    rsa::KeyPair as RsaKeyPair,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256},
};
use rustls_pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::registry::Registry;

/// What a token is signed by.
pub(super) enum Key {
    Es256(EcdsaKeyPair),
    Rs256(RsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Hs256(Vec<u8>),
    None,
}

impl Key {
    pub(super) fn es256(pkcs8: &[u8]) -> Self {
        let random = SystemRandom::new();
        Self::Es256(EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8, &random).unwrap())
    }

    /// The key of a file beside this.
    pub(super) fn of_pem(algorithm: &str, pem: &[u8]) -> Self {
        let key = PrivatePkcs8KeyDer::from_pem_slice(pem).unwrap();
        let pkcs8 = key.secret_pkcs8_der();
        match algorithm {
            "ES256" => Self::es256(pkcs8),
            "RS256" => Self::Rs256(RsaKeyPair::from_pkcs8(pkcs8).unwrap()),
            _ => Self::EdDsa(Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).unwrap()),
        }
    }

    /// The key that signs the tokens of `registry`, as its storage has it, with its name.
    pub(super) async fn of(registry: &Registry) -> (Self, String) {
        let stored: Value = serde_json::from_slice(&registry.holds().await["/berth/keys/signing/current"]).unwrap();
        let pkcs8 = STANDARD.decode(stored["keys"][0]["pkcs8"].as_str().unwrap()).unwrap();
        let kid = berth::auth::jws::SigningKey::read(&pkcs8).unwrap().kid().to_owned();
        (Self::es256(&pkcs8), kid)
    }

    /// The public key of one for ES256, in the forms in which such are handed around.
    pub(super) fn public_forms(&self) -> Vec<Vec<u8>> {
        /// What stands before the point in a SubjectPublicKeyInfo (RFC 5480, section 2).
        const SPKI: [u8; 26] = *b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00";
        let Self::Es256(pair) = self else { panic!("a key for ES256") };
        let point = pair.public_key().as_ref();
        let der = [&SPKI[..], point].concat();
        let pem =
            |end: &str| format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----{end}", STANDARD.encode(&der));
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        let jwk = json!({ "crv": "P-256", "kty": "EC", "x": x, "y": y }).to_string();
        vec![
            point.to_vec(),
            der.clone(),
            pem("").into_bytes(),
            pem("\n").into_bytes(),
            x.into_bytes(),
            jwk.into_bytes(),
        ]
    }

    fn sign(&self, signed: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Es256(pair) => pair.sign(&random, signed).unwrap().as_ref().to_vec(),
            Self::Rs256(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, signed, &mut signature).unwrap();
                signature
            }
            Self::EdDsa(pair) => pair.sign(signed).as_ref().to_vec(),
            Self::Hs256(secret) => {
                Hmac::<Sha256>::new_from_slice(secret).unwrap().chain_update(signed).finalize().into_bytes().to_vec()
            }
            Self::None => Vec::new(),
        }
    }

    /// A token of this header and these claims, whatever they are.
    pub(super) fn token(&self, header: &Value, claims: &Value) -> String {
        let text = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", text(header), text(claims));
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes())))
    }
}

/// `value` with `change` made to it: what is null there is taken away.
pub(super) fn with(value: &Value, change: &Value) -> Value {
    let mut changed = value.clone();
    for (key, change) in change.as_object().unwrap() {
        if change.is_null() {
            changed.as_object_mut().unwrap().remove(key);
        } else {
            changed[key] = change.clone();
        }
    }
    changed
}

/// The header and the claims of a token.
pub(super) fn read(token: &str) -> (Value, Value) {
    let part = |at| {
        let part = token.split('.').nth(at).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
    };
    (part(0), part(1))
}

/// A clock that begins at the time of day, and goes on by hand alone.
#[derive(Clone)]
pub(crate) struct Hands(Arc<AtomicU64>);

impl Hands {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs())))
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.0.fetch_add(time.as_secs(), Ordering::SeqCst);
    }

    pub(crate) fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    pub(crate) fn clock(&self) -> Clock {
        let hands = self.clone();
        Clock::new(move || Duration::from_secs(hands.now()))
    }
}

/// What every token says, from `now` on.
pub(super) fn claims(now: u64) -> Value {
    json!({ "iss": "the issuer", "aud": "the service", "sub": "carol", "exp": now + 300, "nbf": now, "iat": now })
}
