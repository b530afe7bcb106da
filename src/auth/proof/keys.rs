//! API keys: for those who have neither AWS credentials nor a token of an issuer.
//!
//! The registry keeps a key's SHA-256 alone. A key is 256 random bits, so that no slow hash is needed: there is nothing
//! to guess.

mod verifier;

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use time::OffsetDateTime;
use uuid::Uuid;

use crate::{context::Context, distribution::BackendError};
pub use verifier::KeyVerifier;

/// What every API key begins with, so that people and scanners for secrets know one when they see it.
const PREFIX: &str = "berth_key_";

/// The longest name, in characters.
const LONGEST_NAME: usize = 64;

/// What is known of a key: never the key itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Its name, as rules have it (`key:NAME`). Several keys may have one name, so that one can follow another.
    pub name: String,
    /// When it was made.
    #[serde(with = "time::serde::rfc3339")]
    pub created: OffsetDateTime,
    /// When it ends to work, if ever.
    #[serde(with = "time::serde::rfc3339::option", default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<OffsetDateTime>,
}

impl ApiKey {
    fn has_expired(&self, now: OffsetDateTime) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

/// By what a key is found: its SHA-256, which does not tell the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 32]);

/// Where keys are kept.
#[async_trait::async_trait]
pub trait KeyStore: Send + Sync {
    /// What is known of the key `id`; `None` when there is no such key. One question to storage.
    ///
    /// # Errors
    /// [`BackendError`]: storage's.
    async fn find(&self, ctx: &Context, id: &KeyId) -> Result<Option<ApiKey>, BackendError>;

    /// Keeps a key that is not kept yet.
    ///
    /// # Errors
    /// [`BackendError`]: storage's, and that it is kept already.
    async fn add(&self, ctx: &Context, id: &KeyId, key: &ApiKey) -> Result<(), BackendError>;

    /// Every key, in the order of their names, and of those the oldest first.
    ///
    /// # Errors
    /// [`BackendError`]: storage's.
    async fn list(&self, ctx: &Context) -> Result<Vec<(KeyId, ApiKey)>, BackendError>;

    /// Forgets keys; one that is not there is no error.
    ///
    /// # Errors
    /// [`BackendError`]: storage's, when one of them could not be forgotten.
    async fn remove(&self, ctx: &Context, ids: &[KeyId]) -> Result<(), BackendError>;
}

/// A key that cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Its name would not do in rules.
    #[error("{0:?} is no name of a key; allowed: 1 to {LONGEST_NAME} of a-z, A-Z, 0-9, '.', '_' and '-'")]
    Name(String),
    /// It would have expired before it is made.
    #[error("the key would have expired already; say a time to come")]
    Expired,
    /// It cannot be kept.
    #[error(transparent)]
    Backend(#[from] BackendError),
}

/// Makes a key by the name of `name`, and returns it: it cannot be shown again. Works from `now` until `expires`.
///
/// # Errors
/// [`KeyError`].
pub async fn create(
    store: &dyn KeyStore,
    ctx: &Context,
    name: &str,
    expires: Option<OffsetDateTime>,
    now: OffsetDateTime,
) -> Result<String, KeyError> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if !(1..=LONGEST_NAME).contains(&name.len()) || !name.bytes().all(is_part) {
        return Err(KeyError::Name(name.to_owned()));
    }
    if expires.is_some_and(|expires| expires <= now) {
        return Err(KeyError::Expired);
    }
    // Hashed, because a random UUID has 6 bits that are not random: 256 bits of three.
    let random = [Uuid::new_v4(), Uuid::new_v4(), Uuid::new_v4()];
    let random = random.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part.as_bytes())).finalize();
    let secret = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(random));
    // Whole seconds, as they are kept.
    let whole = |time: OffsetDateTime| time.replace_nanosecond(0).unwrap_or(time);
    let key = ApiKey { name: name.to_owned(), created: whole(now), expires: expires.map(whole) };
    store.add(ctx, &KeyId::of(&secret), &key).await?;
    Ok(secret)
}

/// Revokes every key by the name of `name`, and returns how many there were. A process that has checked one of them
/// lately lets it in for 30 seconds more.
///
/// # Errors
/// [`BackendError`]: storage's.
pub async fn revoke(store: &dyn KeyStore, ctx: &Context, name: &str) -> Result<usize, BackendError> {
    let keys = store.list(ctx).await?;
    let ids: Vec<KeyId> = keys.into_iter().filter(|(_, key)| key.name == name).map(|(id, _)| id).collect();
    store.remove(ctx, &ids).await?;
    Ok(ids.len())
}

impl KeyId {
    /// That of the key `secret`.
    fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    /// The key that is kept under `hex`; `None` when none can be.
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        // One way to write it.
        Some(Self(bytes)).filter(|id| id.to_string() == text)
    }
}

/// In hexadecimal, as it is kept.
impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}
