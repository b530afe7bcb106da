//! Link files: a digest at a path. A link is the access check of a repository, and the target of a tag.

use std::sync::Arc;

use super::{path, path_spec::PathSpec};
use crate::{
    context::Context,
    digest::Digest,
    driver::{DriverError, DriverErrorKind, PutOptions, StorageDriver},
};

/// The longest link: `sha512:` and 128 characters, and some white space that others may write.
const LONGEST: u64 = 256;

/// Reads and writes links.
#[derive(Clone)]
pub(super) struct Links {
    driver: Arc<dyn StorageDriver>,
}

impl Links {
    pub(super) fn new(driver: Arc<dyn StorageDriver>) -> Self {
        Self { driver }
    }

    /// The digest that the link at `place` holds; `None` where there is no link.
    pub(super) async fn read(&self, ctx: &Context, place: PathSpec<'_>) -> Result<Option<Digest>, DriverError> {
        let path = path(place)?;
        let content = match self.driver.get(ctx, &path, LONGEST).await {
            Ok(content) => content,
            Err(error) if error.is_not_found() => return Ok(None),
            Err(error) => return Err(error),
        };
        let digest = std::str::from_utf8(&content).ok().and_then(|text| text.trim().parse().ok());
        digest.map(Some).ok_or_else(|| DriverError::new(DriverErrorKind::Failed, &path, "the link holds no digest"))
    }

    /// Makes or moves the link at `place`.
    pub(super) async fn write(&self, ctx: &Context, place: PathSpec<'_>, target: &Digest) -> Result<(), DriverError> {
        let path = path(place)?;
        let content = bytes::Bytes::from(target.to_string());
        self.driver.put(ctx, &path, content.into(), PutOptions::default()).await.map(|_| ())
    }

    /// Removes the links at `places`; one that is not there is no error.
    pub(super) async fn remove(&self, ctx: &Context, places: &[PathSpec<'_>]) -> Result<(), DriverError> {
        let paths = places.iter().map(|place| path(*place)).collect::<Result<Vec<_>, _>>()?;
        self.driver.delete(ctx, &paths).await
    }
}
