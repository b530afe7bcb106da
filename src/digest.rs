//! Content digests (OCI image specification, "Digests") and the state of a hash in progress.
//!
//! `sha256` is canonical: content is stored once, under its sha256. `sha384` and `sha512` are
//! provisional: a client may name content by them, and a link leads from there to the sha256.

mod algorithm;
mod hasher;
mod state;

use std::{fmt, str::FromStr};

pub use algorithm::Algorithm;
pub use hasher::{Hasher, MultiHasher};
pub use state::{HashState, HashStateError};

/// A digest: an algorithm and the hash value that it gave. Always of a known algorithm and of the right length.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    /// The hash value, left-aligned; bytes beyond the algorithm's length are zero.
    value: [u8; Algorithm::LONGEST],
}

/// Why a text is no digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// There is no `algorithm:encoded` form in it.
    #[error("a digest has the form algorithm:hex")]
    Form,
    /// The algorithm is none that Berth can compute.
    #[error("unsupported digest algorithm; use sha256, sha384 or sha512")]
    Algorithm,
    /// The encoded part is not lower-case hexadecimal of the algorithm's length.
    #[error("{algorithm} takes {} lower-case hexadecimal characters", algorithm.size() * 2)]
    Encoded {
        /// The algorithm that was named.
        algorithm: Algorithm,
    },
}

impl Digest {
    /// The digest of `content`, held in memory, by `algorithm`.
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Self {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(content);
        hasher.finish()
    }

    /// The canonical (sha256) digest of `content`.
    pub fn canonical(content: &[u8]) -> Self {
        Self::of(Algorithm::CANONICAL, content)
    }

    /// A digest from a raw hash value; `None` when its length is not the algorithm's.
    pub fn from_value(algorithm: Algorithm, value: &[u8]) -> Option<Self> {
        if value.len() != algorithm.size() {
            return None;
        }
        let mut bytes = [0; Algorithm::LONGEST];
        bytes.get_mut(..value.len())?.copy_from_slice(value);
        Some(Self { algorithm, value: bytes })
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The raw hash value, of [`Algorithm::size`] bytes.
    pub fn value(&self) -> &[u8] {
        &self.value[..self.algorithm.size()]
    }

    /// The hash value in lower-case hexadecimal, as it stands in paths.
    pub fn encoded(&self) -> String {
        hex::encode(self.value())
    }

    /// Whether content is stored under this digest itself (sha256), rather than linked from it.
    pub fn is_canonical(&self) -> bool {
        self.algorithm == Algorithm::CANONICAL
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let (algorithm, encoded) = text.split_once(':').ok_or(DigestError::Form)?;
        let algorithm: Algorithm = algorithm.parse()?;
        let wrong = DigestError::Encoded { algorithm };
        if encoded.len() != algorithm.size() * 2 || encoded.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(wrong);
        }
        let mut value = [0; Algorithm::LONGEST];
        hex::decode_to_slice(encoded, &mut value[..algorithm.size()]).map_err(|_| wrong)?;
        Ok(Self { algorithm, value })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; Algorithm::LONGEST * 2];
        let text = &mut text[..self.algorithm.size() * 2];
        hex::encode_to_slice(self.value(), text).map_err(|_| fmt::Error)?;
        f.write_str(self.algorithm.as_str())?;
        f.write_str(":")?;
        f.write_str(std::str::from_utf8(text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
