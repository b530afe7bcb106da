//! Detached signatures, which no registry hands out.

use async_trait::async_trait;
use bytes::Bytes;

use super::repository::Remote;
use crate::{
    context::Context,
    digest::Digest,
    distribution::{BackendError, BackendErrorKind, ManifestError, SignatureService},
};

/// The signatures that the 2015 registry kept beside a revision: the API has no way to them, so that nothing can be said
/// of them from here. What signs today is pushed as a manifest with a subject.
pub(super) struct RemoteSignatures(pub(super) Remote);

impl RemoteSignatures {
    fn out_of_reach(&self) -> ManifestError {
        let message = format!("{} hands out no detached signatures: no registry's API does", self.0.host());
        BackendError::new(BackendErrorKind::Failed, message).into()
    }
}

#[async_trait]
impl SignatureService for RemoteSignatures {
    async fn get(&self, _ctx: &Context, _manifest: &Digest) -> Result<Vec<Bytes>, ManifestError> {
        Err(self.out_of_reach())
    }

    async fn put(&self, _ctx: &Context, _manifest: &Digest, _signatures: &[Bytes]) -> Result<(), ManifestError> {
        Err(self.out_of_reach())
    }
}
