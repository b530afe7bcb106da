//! The global store of content by canonical digest. It knows no access control: the fast path, for those who hold a
//! descriptor.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::{path, path_spec::PathSpec};
use crate::{
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BackendError, BlobError, BlobStatter, Content, Reading},
    driver::{DriverError, DriverErrorKind, PutOptions, StorageDriver},
};

/// Content by canonical digest.
#[derive(Clone)]
pub struct BlobStore {
    driver: Arc<dyn StorageDriver>,
}

impl BlobStore {
    /// The store on `driver`.
    pub fn new(driver: Arc<dyn StorageDriver>) -> Self {
        Self { driver }
    }

    /// The whole content of `digest`, at most `limit` bytes.
    ///
    /// # Errors
    /// [`BlobError::Unknown`]; [`BlobError::Backend`].
    pub async fn get(&self, ctx: &Context, digest: &Digest, limit: u64) -> Result<Bytes, BlobError> {
        let path = path(PathSpec::Blob(digest)).map_err(BackendError::from)?;
        self.driver.get(ctx, &path, limit).await.map_err(|error| blob_error(error, digest))
    }

    /// The content of `digest` from byte `offset`, at most `length` bytes.
    ///
    /// # Errors
    /// [`BlobError::Unknown`]; [`BlobError::Backend`].
    pub async fn open(
        &self,
        ctx: &Context,
        digest: &Digest,
        offset: u64,
        length: Option<u64>,
    ) -> Result<Reading, BlobError> {
        let path = path(PathSpec::Blob(digest)).map_err(BackendError::from)?;
        self.driver.read(ctx, &path, offset, length).await.map_err(|error| blob_error(error, digest))
    }

    /// Stores `content`, which must have `digest`; content that is there already is left alone. Returns its size.
    ///
    /// # Errors
    /// The driver's: [`DriverErrorKind::Checksum`] and [`DriverErrorKind::Content`] among them.
    pub async fn put(&self, ctx: &Context, digest: &Digest, content: Content) -> Result<Option<u64>, DriverError> {
        let path = path(PathSpec::Blob(digest))?;
        let options = PutOptions { create_only: true, checksum: Some(*digest) };
        created(self.driver.put(ctx, &path, content, options).await)
    }

    /// Stores what `sources` hold, whose digest the caller has computed to be `digest`, as [`Self::put`] does.
    ///
    /// # Errors
    /// The driver's.
    pub async fn compose(
        &self,
        ctx: &Context,
        sources: &[(crate::driver::Path, u64)],
        digest: &Digest,
    ) -> Result<(), DriverError> {
        let path = path(PathSpec::Blob(digest))?;
        created(self.driver.compose(ctx, sources, &path).await).map(|_| ())
    }
}

#[async_trait]
impl BlobStatter for BlobStore {
    /// Only canonical digests are found: provisional ones lead here by a link.
    async fn stat(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        let path = path(PathSpec::Blob(digest)).map_err(BackendError::from)?;
        let size = self.driver.stat(ctx, &path).await.map_err(|error| blob_error(error, digest))?;
        Ok(Descriptor::blob(*digest, size))
    }
}

/// Equal content that came first is as good as ours.
fn created<T>(result: Result<T, DriverError>) -> Result<Option<T>, DriverError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind == DriverErrorKind::Precondition => Ok(None),
        Err(error) => Err(error),
    }
}

fn blob_error(error: DriverError, digest: &Digest) -> BlobError {
    if error.is_not_found() { BlobError::Unknown(*digest) } else { BlobError::Backend(error.into()) }
}
