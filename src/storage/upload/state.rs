//! The signed state of a session, as it stands in `_state` of its URL.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::record::Progress;
use crate::{context::Caller, name::RepositoryName};

/// The secret by which all instances of a registry sign upload states.
#[derive(Clone)]
pub struct UploadSecret(Vec<u8>);

impl UploadSecret {
    /// A secret of these bytes; at least 16 of them, or anyone could guess it.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// `progress` signed for session `id` of `repository`. A long list of chunks is left out: the record has it.
    pub(super) fn sign(&self, repository: &RepositoryName, id: &str, progress: &Progress) -> String {
        let mut carried = progress.clone();
        if carried.chunks.len() > 1 {
            carried.chunks.clear();
        }
        // Serializing numbers and strings to memory cannot fail.
        let payload = serde_json::to_vec(&carried).unwrap_or_default();
        let tag = self.mac(repository, id, &payload).finalize().into_bytes();
        format!("{}.{}", URL_SAFE_NO_PAD.encode(payload), URL_SAFE_NO_PAD.encode(tag))
    }

    /// The progress that `state` carries, if this registry signed it for session `id` of `repository`.
    pub(super) fn verify(&self, repository: &RepositoryName, id: &str, state: &str) -> Option<Progress> {
        let (payload, tag) = state.split_once('.')?;
        let payload = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        self.mac(repository, id, &payload).verify_slice(&tag).ok()?;
        serde_json::from_slice(&payload).ok()
    }

    /// What content bears that `caller` sends for `repository` by itself: nobody else's bears the same. A caller without a name is
    /// told apart by `session`.
    pub(super) fn uploader(&self, repository: &RepositoryName, caller: &Caller, session: &str) -> String {
        let (kind, name) = match caller {
            Caller::Named(name) if !name.is_empty() => (b"caller\0".as_slice(), name.as_str()),
            _ => (b"session\0".as_slice(), session),
        };
        // No state begins so: no repository's name is empty.
        let parts = [b"\0uploader\0", repository.as_str().as_bytes(), b"\0", kind, name.as_bytes()];
        URL_SAFE_NO_PAD.encode(self.keyed(&parts).finalize().into_bytes())
    }

    fn mac(&self, repository: &RepositoryName, id: &str, payload: &[u8]) -> Hmac<Sha256> {
        self.keyed(&[repository.as_str().as_bytes(), b"\0", id.as_bytes(), b"\0", payload])
    }

    fn keyed(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        #[allow(clippy::expect_used)] // HMAC takes keys of any length (RFC 2104, section 3)
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length is a key");
        for part in parts {
            mac.update(part);
        }
        mac
    }
}

impl std::fmt::Debug for UploadSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UploadSecret(..)")
    }
}
