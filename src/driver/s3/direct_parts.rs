//! Uploads in parts that others send, and that several processes may look after.

use std::sync::Arc;

use super::{
    bucket::Bucket,
    conditional::Condition,
    error::S3Error,
    multipart::{Target, completed},
};
use crate::{
    context::Context,
    driver::{DriverError, DriverErrorKind, Path, StoredPart},
};

/// What S3 says of an upload that was completed or aborted, or never begun.
pub(super) const OVER: &str = "NoSuchUpload";

impl Bucket {
    pub(super) async fn begin_parts(self: &Arc<Self>, ctx: &Context, path: &Path) -> Result<String, DriverError> {
        let begun = Target::begin(self, ctx, self.key(path)).await;
        begun.map(|target| target.id().to_owned()).map_err(|error| error.on(path, self))
    }

    pub(super) async fn list_parts(
        self: &Arc<Self>,
        ctx: &Context,
        path: &Path,
        upload: &str,
        after: u32,
        most: u32,
    ) -> Result<Vec<StoredPart>, DriverError> {
        let listed = self.upload(ctx, path, upload).list(ctx, after, most).await;
        listed.map_err(|error| self.of_upload(&error, path))
    }

    pub(super) async fn join_parts(
        self: &Arc<Self>,
        ctx: &Context,
        path: &Path,
        upload: &str,
        parts: &[StoredPart],
    ) -> Result<(), DriverError> {
        let parts =
            parts.iter().map(|part| completed(i32::try_from(part.number).unwrap_or(i32::MAX), Some(part.tag.clone())));
        let joined = self.upload(ctx, path, upload).complete(ctx, parts.collect(), Condition::None).await;
        joined.map_err(|error| self.of_upload(&error, path))
    }

    pub(super) async fn abort_parts(
        self: &Arc<Self>,
        ctx: &Context,
        path: &Path,
        upload: &str,
    ) -> Result<(), DriverError> {
        match self.upload(ctx, path, upload).abort(ctx).await {
            Err(error) if !error.has_code(OVER) => Err(error.on(path, self)),
            _ => Ok(()),
        }
    }

    pub(super) fn upload(self: &Arc<Self>, ctx: &Context, path: &Path, upload: &str) -> Target {
        Target::of(self, ctx, self.key(path), upload.to_owned())
    }

    /// Here an upload that is over is what is not found; elsewhere nobody else could have ended it.
    fn of_upload(&self, error: &S3Error, path: &Path) -> DriverError {
        let told = error.on(path, self);
        if error.has_code(OVER) { DriverError { kind: DriverErrorKind::NotFound, ..told } } else { told }
    }
}
