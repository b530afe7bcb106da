//! Content in a folder: what Berth uses when it is told nothing else.
//!
//! A driver path is a path below the folder, so distribution's own file system driver reads the same folder. What
//! Berth needs for itself lies in `.berth`, which no driver path reaches.
//!
//! - **Nothing leads out.** The kernel resolves every path beneath the folder (`openat2`, `RESOLVE_BENEATH`): whatever
//!   symbolic links lie in it, nothing outside is read, written, listed or deleted.
//! - **Whole or not at all.** Content goes to a temporary file first, and is renamed or linked to its place when it
//!   is complete, and on the disk. Renaming and linking are atomic, between processes too.
//! - **Durable.** When a write or a deletion has answered, the file and every folder entry on the way to it are on
//!   the disk (`fsync`).
//! - **Folders** are made on demand and removed when their last file is. One that holds no file at any depth, as
//!   others may leave behind, is not there.

mod batch;
mod compose;
mod error;
mod folder;
mod read;
mod remove;
mod temporary;
mod tree;
mod write;

use std::{io, sync::Arc, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

use self::folder::Folder;
use super::{DriverError, DriverErrorKind, Entry, Path, PresignedMethod, PutOptions, StorageDriver};
use crate::{
    context::Context,
    distribution::{Content, Reading},
};

/// The folder below the data folder that is Berth's own.
const RESERVED: &str = ".berth";

/// A driver on a folder. Any number of them, in any number of processes, may share one.
#[derive(Debug, Clone)]
pub struct FilesystemDriver {
    folder: Arc<Folder>,
}

impl FilesystemDriver {
    /// The driver on the folder `root`, which is made when it is missing. What a crash left of unfinished writes is
    /// removed once it is a day old.
    ///
    /// # Errors
    /// [`DriverErrorKind::Denied`] without the rights to it, [`DriverErrorKind::Failed`] when it cannot be had for
    /// another reason.
    pub fn open(root: &std::path::Path) -> Result<Self, DriverError> {
        let open = || {
            let folder = Folder::open(root)?;
            temporary::sweep(&folder)?;
            Ok(folder)
        };
        let folder = open().map_err(|error: io::Error| {
            let failed = error::writing(&Path::root(), error);
            let message = format!("the data folder {} cannot be used: {}", root.display(), failed.message);
            DriverError { message, ..failed }
        })?;
        Ok(Self { folder: Arc::new(folder) })
    }

    /// Refuses what cannot or may not be done any more.
    fn check(ctx: &Context, path: &Path) -> Result<(), DriverError> {
        ctx.remaining().map_err(|passed| DriverError::deadline(path, passed))?;
        let reserved =
            path.relative().strip_prefix(RESERVED).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if reserved {
            return Err(DriverError::new(DriverErrorKind::Denied, path, "this folder is Berth's own"));
        }
        Ok(())
    }

    /// Does `work` on `path` on a thread where it may wait for the disk.
    async fn blocking<T: Send + 'static>(
        &self,
        path: &Path,
        work: impl FnOnce(&Folder, &Path) -> io::Result<T> + Send + 'static,
        map: fn(&Path, io::Error) -> DriverError,
    ) -> Result<T, DriverError> {
        let (folder, owned) = (self.folder.clone(), path.clone());
        let done = tokio::task::spawn_blocking(move || work(&folder, &owned)).await;
        done.map_err(io::Error::from).flatten().map_err(|error| map(path, error))
    }
}

#[async_trait]
impl StorageDriver for FilesystemDriver {
    fn name(&self) -> &'static str {
        "filesystem"
    }

    async fn get(&self, ctx: &Context, path: &Path, limit: u64) -> Result<Bytes, DriverError> {
        Self::check(ctx, path)?;
        read::get(&self.folder, path, limit).await
    }

    async fn read(&self, ctx: &Context, path: &Path, offset: u64, length: Option<u64>) -> Result<Reading, DriverError> {
        Self::check(ctx, path)?;
        read::open(&self.folder, path, offset, length).await.map_err(|error| error::reading(path, error))
    }

    async fn put(&self, ctx: &Context, path: &Path, content: Content, options: PutOptions) -> Result<u64, DriverError> {
        Self::check(ctx, path)?;
        write::put(&self.folder, ctx, path, content, options).await
    }

    async fn stat(&self, ctx: &Context, path: &Path) -> Result<u64, DriverError> {
        Self::check(ctx, path)?;
        // Inline, as `read::get` is, and for the same reason.
        self.folder.size(path).map_err(|error| error::reading(path, error))
    }

    async fn is_folder(&self, ctx: &Context, path: &Path) -> Result<bool, DriverError> {
        Self::check(ctx, path)?;
        self.blocking(path, tree::is_folder, error::reading).await
    }

    async fn list(&self, ctx: &Context, path: &Path) -> Result<Vec<Entry>, DriverError> {
        Self::check(ctx, path)?;
        self.blocking(path, tree::list, error::reading).await
    }

    async fn compose(&self, ctx: &Context, sources: &[(Path, u64)], destination: &Path) -> Result<(), DriverError> {
        for path in sources.iter().map(|(path, _)| path).chain([destination]) {
            Self::check(ctx, path)?;
        }
        let (folder, sources, owned) = (self.folder.clone(), sources.to_vec(), destination.clone());
        let done = tokio::task::spawn_blocking(move || compose::compose(&folder, &sources, &owned)).await;
        done.map_err(|error| error::writing(destination, error.into()))?
    }

    async fn delete(&self, ctx: &Context, paths: &[Path]) -> Result<(), DriverError> {
        for path in paths {
            Self::check(ctx, path)?;
        }
        let (folder, owned) = (self.folder.clone(), paths.to_vec());
        let done = tokio::task::spawn_blocking(move || remove::delete(&folder, &owned)).await;
        done.map_err(|error| error::writing(&Path::root(), error.into()))?
    }

    async fn delete_tree(&self, ctx: &Context, path: &Path) -> Result<(), DriverError> {
        Self::check(ctx, path)?;
        self.blocking(path, remove::delete_tree, error::reading).await
    }

    async fn presign(
        &self,
        ctx: &Context,
        path: &Path,
        _: PresignedMethod,
        _: Duration,
    ) -> Result<Option<String>, DriverError> {
        Self::check(ctx, path)?;
        Ok(None)
    }
}
