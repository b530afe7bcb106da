//! The keys that sign tokens, in storage.

use std::sync::Arc;

use bytes::Bytes;

use super::{path, path_spec::PathSpec};
use crate::{
    auth::token::SigningKeyStore,
    context::Context,
    distribution::BackendError,
    driver::{DriverError, DriverErrorKind, PutOptions, StorageDriver},
};

/// The longest file that is read, in bytes: a hundred keys.
const LONGEST: u64 = 64 << 10;

/// Keeps the keys in one file, so that whoever needs them asks for them once.
pub struct StoredSigningKeys(Arc<dyn StorageDriver>);

impl StoredSigningKeys {
    /// In the storage of `driver`.
    pub fn new(driver: Arc<dyn StorageDriver>) -> Self {
        Self(driver)
    }

    async fn put(&self, ctx: &Context, keys: Bytes, create_only: bool) -> Result<(), DriverError> {
        let path = path(PathSpec::SigningKeys)?;
        self.0.put(ctx, &path, keys.into(), PutOptions { create_only, checksum: None }).await.map(drop)
    }
}

#[async_trait::async_trait]
impl SigningKeyStore for StoredSigningKeys {
    async fn read(&self, ctx: &Context) -> Result<Option<Bytes>, BackendError> {
        match self.0.get(ctx, &path(PathSpec::SigningKeys)?, LONGEST).await {
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
