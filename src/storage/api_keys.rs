//! API keys in storage, each under the hash of its secret.

use std::sync::Arc;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{path, path_spec::PathSpec};
use crate::{
    auth::proof::keys::{ApiKey, KeyId, KeyStore},
    context::Context,
    distribution::{BackendError, BackendErrorKind},
    driver::{PutOptions, StorageDriver},
};

/// The longest record of a key, in bytes.
const LONGEST: u64 = 4096;

/// Records that are read at once.
const AT_ONCE: usize = 16;

/// The API keys of a registry, wherever its bytes are.
pub struct ApiKeys {
    driver: Arc<dyn StorageDriver>,
}

impl ApiKeys {
    /// Those that lie in `driver`.
    pub fn new(driver: Arc<dyn StorageDriver>) -> Self {
        Self { driver }
    }
}

#[async_trait::async_trait]
impl KeyStore for ApiKeys {
    async fn find(&self, ctx: &Context, id: &KeyId) -> Result<Option<ApiKey>, BackendError> {
        let path = path(PathSpec::ApiKey(&id.to_string()))?;
        let bytes = match self.driver.get(ctx, &path, LONGEST).await {
            Ok(bytes) => bytes,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let key = serde_json::from_slice(&bytes).map_err(|error| {
            BackendError::new(BackendErrorKind::Failed, format!("{path} is no record of an API key ({error})"))
        })?;
        Ok(Some(key))
    }

    async fn add(&self, ctx: &Context, id: &KeyId, key: &ApiKey) -> Result<(), BackendError> {
        let path = path(PathSpec::ApiKey(&id.to_string()))?;
        let record = serde_json::to_vec(key)
            .map_err(|error| BackendError::new(BackendErrorKind::Failed, format!("{path}: {error}")))?;
        let options = PutOptions { create_only: true, checksum: None };
        self.driver.put(ctx, &path, bytes::Bytes::from(record).into(), options).await?;
        Ok(())
    }

    async fn list(&self, ctx: &Context) -> Result<Vec<(KeyId, ApiKey)>, BackendError> {
        let entries = match self.driver.list(ctx, &path(PathSpec::ApiKeys)?).await {
            Ok(entries) => entries,
            Err(error) if error.is_not_found() => return Ok(Vec::new()),
            Err(error) => return Err(error.into()),
        };
        let ids = entries.into_iter().filter_map(|entry| KeyId::from_hex(&entry.name));
        let found = stream::iter(ids)
            .map(|id| async move { Ok::<_, BackendError>(self.find(ctx, &id).await?.map(|key| (id, key))) })
            .buffered(AT_ONCE);
        let mut keys: Vec<(KeyId, ApiKey)> =
            found.try_filter_map(|found| std::future::ready(Ok(found))).try_collect().await?;
        keys.sort_by(|(_, one), (_, other)| (&one.name, one.created).cmp(&(&other.name, other.created)));
        Ok(keys)
    }

    async fn remove(&self, ctx: &Context, ids: &[KeyId]) -> Result<(), BackendError> {
        let paths = ids.iter().map(|id| path(PathSpec::ApiKey(&id.to_string()))).collect::<Result<Vec<_>, _>>()?;
        Ok(self.driver.delete(ctx, &paths).await?)
    }
}
