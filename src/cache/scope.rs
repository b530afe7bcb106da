//! The scopes of a cache, and what each will remember.

use super::LinkSet;
use crate::{descriptor::Descriptor, digest::Digest, distribution::BlobError, name::RepositoryName};

/// The longest media type (RFC 6838, section 4.2: 127 characters on either side of the slash). A longer one is what
/// no client means, and would fill a cache.
const LONGEST_MEDIA_TYPE: usize = 255;

/// Whose entries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Scope {
    /// The blob store's.
    Global,
    /// A repository's.
    Repository(RepositoryName, LinkSet),
}

impl Scope {
    /// What this scope remembers when it is told that `digest` names the content of `descriptor`; `None` where it
    /// will not remember that at all. Only a provisional digest can be another name of content.
    ///
    /// # Errors
    /// [`BlobError::Contradiction`] for two digests of one algorithm that differ.
    pub(super) fn admit(&self, digest: &Digest, descriptor: &Descriptor) -> Result<Option<Descriptor>, BlobError> {
        let canonical = &descriptor.digest;
        if digest != canonical {
            if digest.algorithm() == canonical.algorithm() {
                return Err(BlobError::Contradiction(*digest, *canonical));
            }
            if digest.is_canonical() || !canonical.is_canonical() {
                return Ok(None);
            }
        }
        Ok(match self {
            Self::Global => Some(Descriptor::blob(*canonical, descriptor.size)),
            Self::Repository(..) => (descriptor.media_type.len() <= LONGEST_MEDIA_TYPE).then(|| descriptor.clone()),
        })
    }
}
