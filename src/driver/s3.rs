//! Amazon S3, and what speaks its protocol.
//!
//! | file | concern |
//! |---|---|
//! | `config` | where the bucket is, and its client |
//! | `bucket` | the bucket: keys of paths |
//! | `attempt` | one question to S3: time limits, retries, the log |
//! | `conditional` | writes that must not replace anything, and stores that do not implement their condition |
//! | `error` | S3's errors, and what they mean to a caller |
//! | `put`, `put_stream`, `put_parts` | writing: whole, as one stream, in parts |
//! | `multipart` | a multipart upload, which is completed or aborted |
//! | `compose`, `compose_parts`, `plan` | server-side copies |
//! | `read` | whole, by range, and resumed when the connection breaks |
//! | `direct`, `direct_parts`, `direct_copy`, `verified_copy` | what others write, by requests signed here |
//! | `head`, `list`, `delete`, `presign` | the rest |

mod attempt;
mod bucket;
mod compose;
mod compose_parts;
mod conditional;
mod config;
mod delete;
mod direct;
mod direct_copy;
mod direct_parts;
mod error;
mod head;
mod list;
mod multipart;
mod plan;
mod presign;
mod put;
mod put_parts;
mod put_stream;
mod read;
mod verified_copy;

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use aws_sdk_s3::config::SharedHttpClient;
use bytes::Bytes;

use super::{DirectStore, DriverError, Entry, Path, PresignedMethod, PutOptions, StorageDriver};
use crate::{
    context::Context,
    distribution::{Content, Reading},
};
use bucket::Bucket;
pub(super) use bucket::PLAIN;
pub use config::{S3Config, Sizes};

/// Content in an S3 bucket. A clone shares its client.
#[derive(Clone)]
pub struct S3Driver(Arc<Bucket>);

impl S3Driver {
    /// The driver of `config`, over `http`. Nothing is asked over the network, not even for credentials: whether
    /// the bucket can be used shows with its first request.
    pub async fn new(config: S3Config, http: &SharedHttpClient) -> Self {
        Self(Arc::new(Bucket::open(config, http).await))
    }
}

impl fmt::Debug for S3Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "S3Driver({})", self.0.name)
    }
}

#[async_trait]
impl StorageDriver for S3Driver {
    fn name(&self) -> &'static str {
        "s3"
    }

    async fn get(&self, ctx: &Context, path: &Path, limit: u64) -> Result<Bytes, DriverError> {
        self.0.get(ctx, path, limit).await
    }

    async fn read(&self, ctx: &Context, path: &Path, offset: u64, length: Option<u64>) -> Result<Reading, DriverError> {
        self.0.read(ctx, path, offset, length).await
    }

    async fn put(&self, ctx: &Context, path: &Path, content: Content, options: PutOptions) -> Result<u64, DriverError> {
        self.0.put(ctx, path, content, options).await
    }

    async fn stat(&self, ctx: &Context, path: &Path) -> Result<u64, DriverError> {
        self.0.stat(ctx, path).await
    }

    async fn is_folder(&self, ctx: &Context, path: &Path) -> Result<bool, DriverError> {
        self.0.is_folder(ctx, path).await
    }

    async fn list(&self, ctx: &Context, path: &Path) -> Result<Vec<Entry>, DriverError> {
        self.0.list(ctx, path).await
    }

    async fn compose(&self, ctx: &Context, sources: &[(Path, u64)], destination: &Path) -> Result<(), DriverError> {
        self.0.compose(ctx, sources, destination).await
    }

    async fn delete(&self, ctx: &Context, paths: &[Path]) -> Result<(), DriverError> {
        self.0.delete(ctx, paths).await
    }

    async fn delete_tree(&self, ctx: &Context, path: &Path) -> Result<(), DriverError> {
        self.0.delete_tree(ctx, path).await
    }

    async fn presign(
        &self,
        ctx: &Context,
        path: &Path,
        method: PresignedMethod,
        expiry: Duration,
    ) -> Result<Option<String>, DriverError> {
        self.0.presign(ctx, path, method, expiry).await.map(Some)
    }

    fn direct(&self) -> Option<&dyn DirectStore> {
        Some(self)
    }
}
