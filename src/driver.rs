//! Where bytes live: one trait, several backends, one conformance suite (`tests/drivers.rs`) that each must pass.
//!
//! What every backend promises:
//! - **Whole or not at all.** A write that fails, or whose content breaks off, leaves what was there before.
//! - **Readers see whole content**, old or new, never a mixture.
//! - **Strongly consistent.** A write that has answered is seen by every later read and listing, from any process.
//! - Folders exist while something lies in them, and need not be made.

mod direct;
mod error;
mod path;
mod source;

pub mod cloudfront;
pub mod fault;
pub mod filesystem;
pub mod memory;
pub mod s3;

use std::{fmt, time::Duration};

use async_trait::async_trait;
use bytes::Bytes;

pub use direct::{Copied, DirectStore, DirectWrite, Found, StoredPart, VerifiedCopy};
pub use error::{DriverError, DriverErrorKind};
pub use path::{Path, PathError};

use crate::{
    context::Context,
    digest::Digest,
    distribution::{Content, Reading},
};

/// An entry of a listing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The last component of its path.
    pub name: String,
    /// Whether something lies below it.
    pub is_folder: bool,
}

/// How to write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PutOptions {
    /// Write only where nothing is yet; [`DriverErrorKind::Precondition`] otherwise. Of two who try at once, one
    /// succeeds.
    pub create_only: bool,
    /// The sha256 that the content must have; [`DriverErrorKind::Checksum`] otherwise, and nothing is written.
    pub checksum: Option<Digest>,
}

/// What a presigned URL allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PresignedMethod {
    /// To read.
    Get,
    /// To ask for size and existence.
    Head,
}

/// A place for content, by path. Methods retry what is throttled or failed on the backend's side, with jitter, for
/// as long as the context's deadline allows.
#[async_trait]
pub trait StorageDriver: fmt::Debug + Send + Sync {
    /// The backend's name, as configuration and logs have it.
    fn name(&self) -> &'static str;

    /// The whole content, which is small by its nature.
    ///
    /// # Errors
    /// [`DriverErrorKind::NotFound`]; [`DriverErrorKind::TooLarge`] when it is longer than `limit` bytes.
    async fn get(&self, ctx: &Context, path: &Path, limit: u64) -> Result<Bytes, DriverError>;

    /// The content from byte `offset`, at most `length` bytes of it; beyond the end there is nothing, which is no
    /// error.
    ///
    /// # Errors
    /// [`DriverErrorKind::NotFound`].
    async fn read(&self, ctx: &Context, path: &Path, offset: u64, length: Option<u64>) -> Result<Reading, DriverError>;

    /// Writes `content`, of any length, in bounded memory, and returns its length. Replaces what was there unless
    /// told otherwise.
    ///
    /// # Errors
    /// [`DriverErrorKind::Precondition`], [`DriverErrorKind::Checksum`]; [`DriverErrorKind::Content`] when the
    /// content broke off or is not as long as it said.
    async fn put(&self, ctx: &Context, path: &Path, content: Content, options: PutOptions) -> Result<u64, DriverError>;

    /// The size in bytes of the file at `path`. One question to the backend, and never a listing.
    ///
    /// # Errors
    /// [`DriverErrorKind::NotFound`] when there is no file, though something may lie below.
    async fn stat(&self, ctx: &Context, path: &Path) -> Result<u64, DriverError>;

    /// Whether something lies below `path`. A sibling whose name begins alike does not.
    ///
    /// # Errors
    /// The backend's failures; that nothing is there is none.
    async fn is_folder(&self, ctx: &Context, path: &Path) -> Result<bool, DriverError>;

    /// The entries of folder `path`, in lexical order of their names, each once.
    ///
    /// # Errors
    /// [`DriverErrorKind::NotFound`] when nothing lies below it.
    async fn list(&self, ctx: &Context, path: &Path) -> Result<Vec<Entry>, DriverError>;

    /// Makes `destination` of the contents of `sources` (path and size in bytes), one after the other, where nothing
    /// is yet. The backend does it on its own side where it can: no byte need pass through this process. The
    /// sources are left to the caller, who deletes them.
    ///
    /// # Errors
    /// [`DriverErrorKind::NotFound`] when a source is missing; [`DriverErrorKind::Precondition`] when the
    /// destination exists. Either leaves the destination as it was.
    async fn compose(&self, ctx: &Context, sources: &[(Path, u64)], destination: &Path) -> Result<(), DriverError>;

    /// Deletes the files at `paths`; one that is not there is no error.
    ///
    /// # Errors
    /// The first that could not be deleted.
    async fn delete(&self, ctx: &Context, paths: &[Path]) -> Result<(), DriverError>;

    /// Deletes everything at and below `path`, not its siblings.
    ///
    /// # Errors
    /// [`DriverErrorKind::NotFound`] when there was nothing.
    async fn delete_tree(&self, ctx: &Context, path: &Path) -> Result<(), DriverError>;

    /// A URL by which anyone may do `method` on `path` for `expiry`, without asking the backend now; `None` where
    /// the backend has no such thing.
    ///
    /// # Errors
    /// [`DriverErrorKind::Denied`] when there are no credentials to sign with.
    async fn presign(
        &self,
        ctx: &Context,
        path: &Path,
        method: PresignedMethod,
        expiry: Duration,
    ) -> Result<Option<String>, DriverError>;

    /// The backend's way of taking content straight from who has it; `None` where it has none.
    fn direct(&self) -> Option<&dyn DirectStore> {
        None
    }
}
