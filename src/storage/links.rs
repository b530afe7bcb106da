//! Link files: a digest at a path. A link is the access check of a repository, and the target of a tag.

use std::sync::Arc;

use super::{path, path_spec::PathSpec};
use crate::{
    context::Context,
    digest::{Algorithm, Digest},
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

    /// The digests of `algorithm` that have a link in `folder`, which is a folder of that algorithm.
    pub(super) async fn list(
        &self,
        ctx: &Context,
        folder: PathSpec<'_>,
        algorithm: Algorithm,
    ) -> Result<Vec<Digest>, DriverError> {
        match self.driver.list(ctx, &path(folder)?).await {
            Ok(entries) => {
                let digests = entries.into_iter().map(|entry| format!("{algorithm}:{}", entry.name).parse());
                Ok(digests.filter_map(Result::ok).collect())
            }
            Err(error) if error.is_not_found() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }
}
