//! The keys that all instances share, in storage.

use std::sync::Arc;

use bytes::Bytes;

use super::{path, path_spec::PathSpec};
use crate::{
    context::Context,
    distribution::BackendError,
    driver::{DriverError, DriverErrorKind, PutOptions, StorageDriver},
    rotation::Store,
};

/// The longest file that is read, in bytes: a hundred keys.
const LONGEST: u64 = 64 << 10;

/// Keeps the keys of one kind in one file, so that whoever needs them asks for them once.
pub struct StoredKeys {
    driver: Arc<dyn StorageDriver>,
    place: PathSpec<'static>,
}

impl StoredKeys {
    /// Those that sign tokens, in the storage of `driver`.
    pub fn signing(driver: Arc<dyn StorageDriver>) -> Self {
        Self { driver, place: PathSpec::SigningKeys }
    }

    /// Those that sign the states of uploads.
    pub(super) fn uploads(driver: Arc<dyn StorageDriver>) -> Self {
        Self { driver, place: PathSpec::Secret("uploads") }
    }

    async fn put(&self, ctx: &Context, keys: Bytes, create_only: bool) -> Result<(), DriverError> {
        let path = path(self.place)?;
        self.driver.put(ctx, &path, keys.into(), PutOptions { create_only, checksum: None }).await.map(drop)
    }
}

#[async_trait::async_trait]
impl Store for StoredKeys {
    async fn read(&self, ctx: &Context) -> Result<Option<Bytes>, BackendError> {
        match self.driver.get(ctx, &path(self.place)?, LONGEST).await {
            Ok(keys) => Ok(Some(keys)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn create(&self, ctx: &Context, keys: Bytes) -> Result<bool, BackendError> {
        match self.put(ctx, keys, true).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind == DriverErrorKind::Precondition => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn replace(&self, ctx: &Context, keys: Bytes) -> Result<(), BackendError> {
        Ok(self.put(ctx, keys, false).await?)
    }
}
