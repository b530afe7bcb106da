//! The secret that signs upload states: configured, or made by the registry itself on first use.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::{path, path_spec::PathSpec, upload::UploadSecret};
use crate::{
    context::Context,
    driver::{DriverError, DriverErrorKind, PutOptions, StorageDriver},
};

/// The longest secret that a file may hold.
const LONGEST: u64 = 4096;

/// A secret that all instances share. Looked up when it is first needed, then kept by this process.
pub(super) struct SharedSecret {
    driver: Arc<dyn StorageDriver>,
    secret: OnceCell<UploadSecret>,
}

impl SharedSecret {
    /// The secret that configuration gives; without one, that which lies in storage.
    pub(super) fn new(driver: Arc<dyn StorageDriver>, configured: Option<UploadSecret>) -> Self {
        Self { driver, secret: configured.map_or_else(OnceCell::new, |secret| OnceCell::new_with(Some(secret))) }
    }

    /// The secret. Of several processes that make it at once, one's is kept and used by all.
    pub(super) async fn get(&self, ctx: &Context) -> Result<UploadSecret, DriverError> {
        self.secret.get_or_try_init(|| self.provision(ctx)).await.cloned()
    }

    async fn provision(&self, ctx: &Context) -> Result<UploadSecret, DriverError> {
        let path = path(PathSpec::Secret("uploads"))?;
        match self.driver.get(ctx, &path, LONGEST).await {
            Ok(bytes) => return Ok(UploadSecret::new(bytes)),
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error),
        }
        // Two random UUIDs: 244 bits from the system's generator.
        let fresh: Vec<u8> = [Uuid::new_v4(), Uuid::new_v4()].iter().flat_map(|id| *id.as_bytes()).collect();
        let fresh = Bytes::from(fresh);
        let options = PutOptions { create_only: true, checksum: None };
        match self.driver.put(ctx, &path, fresh.clone().into(), options).await {
            Ok(_) => Ok(UploadSecret::new(fresh)),
            Err(error) if error.kind == DriverErrorKind::Precondition => {
                self.driver.get(ctx, &path, LONGEST).await.map(UploadSecret::new)
            }
            Err(error) => Err(error),
        }
    }
}
