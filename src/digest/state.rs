//! The saved state of a hash: what lets any process continue an upload that another began.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::Algorithm;

/// A saved hash state: a version byte, an algorithm byte, then the hash's own serialization
/// (104 bytes for SHA-256, 208 for SHA-384 and SHA-512). Written as unpadded URL-safe base64.
///
/// Never trust one that came from outside without a signature: it decides what a digest claims.
#[derive(Clone, PartialEq, Eq)]
pub struct HashState {
    algorithm: Algorithm,
    bytes: Vec<u8>,
}

/// The bytes are no hash state, or one of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the saved hash state is unreadable; start the upload again")]
pub struct HashStateError;

/// The version of the form, first byte of each state.
const VERSION: u8 = 1;

impl HashState {
    pub(super) fn new(algorithm: Algorithm, bytes: Vec<u8>) -> Self {
        Self { algorithm, bytes }
    }

    pub(super) fn inner(&self) -> &[u8] {
        &self.bytes
    }

    /// The algorithm of the hash.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The bytes to keep.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.bytes.len() + 2);
        bytes.push(VERSION);
        bytes.push(match self.algorithm {
            Algorithm::Sha256 => 0,
            Algorithm::Sha384 => 1,
            Algorithm::Sha512 => 2,
        });
        bytes.extend_from_slice(&self.bytes);
        bytes
    }

    /// The state that [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`HashStateError`] when version or algorithm are unknown. The rest is checked when the hash is resumed.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, HashStateError> {
        match bytes {
            [VERSION, algorithm, rest @ ..] => Ok(Self {
                algorithm: *Algorithm::ALL.get(usize::from(*algorithm)).ok_or(HashStateError)?,
                bytes: rest.to_vec(),
            }),
            _ => Err(HashStateError),
        }
    }
}

impl std::fmt::Debug for HashState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HashState({}, {} bytes)", self.algorithm, self.bytes.len())
    }
}

impl serde::Serialize for HashState {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&URL_SAFE_NO_PAD.encode(self.to_bytes()))
    }
}

impl<'de> serde::Deserialize<'de> for HashState {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let bytes = URL_SAFE_NO_PAD.decode(text.as_bytes()).map_err(serde::de::Error::custom)?;
        Self::from_bytes(&bytes).map_err(serde::de::Error::custom)
    }
}
