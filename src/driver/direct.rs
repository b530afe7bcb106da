//! Content that does not pass through this process: its sender hands it to the backend, by requests signed here.

use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;

use super::{DriverError, Path};
use crate::{context::Context, digest::Digest, distribution::SignedPut};

/// What a signed request writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DirectWrite<'a> {
    /// A file, where nothing is yet.
    File {
        /// The sha256 that its content has; the backend takes no other.
        checksum: &'a Digest,
        /// Its size in bytes.
        size: u64,
        /// What it bears, for [`Found::mark`].
        mark: &'a str,
    },
    /// A part of a file to be.
    Part {
        /// The upload that [`DirectStore::begin`] began.
        upload: &'a str,
        /// Counted from 1.
        number: u32,
        /// Its size in bytes.
        size: u64,
    },
}

/// A file, as the backend describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its size in bytes.
    pub size: u64,
    /// Its sha256, where the backend has verified it.
    pub checksum: Option<Digest>,
    /// What it was marked with when it was written.
    pub mark: Option<String>,
    /// When it was written.
    pub modified: Option<SystemTime>,
    /// The backend's name for its content, for [`DirectStore::copy_at_once`]. Equal content has an equal one; that equal ones
    /// are of equal content is no more certain than MD5 makes it.
    pub tag: Option<String>,
}

/// A part that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPart {
    /// Counted from 1.
    pub number: u32,
    /// Its size in bytes.
    pub size: u64,
    /// The backend's name for its content.
    pub tag: String,
}

/// How far a copy has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Copied {
    /// The destination is there: made now, or by somebody before.
    Whole,
    /// So many bytes of it are in an upload by which it goes on; without one, it begins anew.
    Partly {
        /// The upload.
        upload: Option<String>,
        /// Bytes in it.
        bytes: u64,
    },
}

/// What came of [`DirectStore::copy_verified`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum VerifiedCopy {
    /// The destination has the content, made now.
    Stored,
    /// The source has other content. Nothing was stored.
    Mismatch {
        /// The sha256 of the source, as the backend has computed it.
        actual: Digest,
    },
    /// The backend does not report what it copied. Nothing was stored.
    Unverified,
}

/// What a backend offers to those who write to it without passing through this process. All of it keeps
/// [`super::StorageDriver`]'s promises: above all, a file is there whole or not at all.
#[async_trait]
pub trait DirectStore: Send + Sync {
    /// A request for `write` at `path`, good for `life`. The backend is not asked now.
    ///
    /// # Errors
    /// [`super::DriverErrorKind::Denied`] when there are no credentials to sign with.
    async fn sign(
        &self,
        ctx: &Context,
        path: &Path,
        write: DirectWrite<'_>,
        life: Duration,
    ) -> Result<SignedPut, DriverError>;

    /// What is known of the file at `path`, by one question.
    ///
    /// # Errors
    /// [`super::DriverErrorKind::NotFound`].
    async fn look(&self, ctx: &Context, path: &Path) -> Result<Found, DriverError>;

    /// Begins an upload in parts for `path`, whose owner joins or aborts it.
    ///
    /// # Errors
    /// The backend's failures.
    async fn begin(&self, ctx: &Context, path: &Path) -> Result<String, DriverError>;

    /// Parts of `upload`, by number, after number `after`: at most `most`, which is at most 1,000.
    ///
    /// # Errors
    /// [`super::DriverErrorKind::NotFound`] when the upload is over.
    async fn parts(
        &self,
        ctx: &Context,
        path: &Path,
        upload: &str,
        after: u32,
        most: u32,
    ) -> Result<Vec<StoredPart>, DriverError>;

    /// Makes the file at `path` of `parts`, in the order of their numbers, and ends `upload`. What was there is
    /// replaced.
    ///
    /// # Errors
    /// [`super::DriverErrorKind::NotFound`] when the upload is over, perhaps by an earlier call that did its work.
    async fn join(&self, ctx: &Context, path: &Path, upload: &str, parts: &[StoredPart]) -> Result<(), DriverError>;

    /// Ends `upload` and drops its parts; one that is over is no error.
    ///
    /// # Errors
    /// The backend's failures.
    async fn abort(&self, ctx: &Context, path: &Path, upload: &str) -> Result<(), DriverError>;

    /// Goes on copying `source`, of `size` bytes, to `destination`, where nothing is yet, on the backend's side; until
    /// `until` or a little longer, but never without getting on. `upload` is what an earlier call left.
    ///
    /// # Errors
    /// [`super::DriverErrorKind::NotFound`] when there is no source.
    async fn copy(
        &self,
        ctx: &Context,
        source: (&Path, u64),
        destination: &Path,
        upload: Option<&str>,
        until: Option<Instant>,
    ) -> Result<Copied, DriverError>;

    /// Copies `source` to `destination` on the backend's side, if its sha256 is `expected`, as the backend computes it from the
    /// bytes that it copies. Others may write to `source` meanwhile: all of it is read at once, and the destination is not
    /// visible to anybody before its content was compared. What is at the destination already stays. The copy is given up at
    /// `until`; its comparison and its clean-up may take a little longer. `size` is that of the source in bytes, as far as it is
    /// known; a wrong one does no harm.
    ///
    /// # Errors
    /// [`super::DriverErrorKind::Precondition`] when something is at the destination, and the source has the content all the
    /// same; [`super::DriverErrorKind::NotFound`] when there is no source; [`super::DriverErrorKind::TooLarge`] when the backend
    /// copies so much in parts alone; [`super::DriverErrorKind::Timeout`] when it was not done by then.
    async fn copy_verified(
        &self,
        ctx: &Context,
        source: (&Path, Option<u64>),
        destination: &Path,
        expected: &Digest,
        until: Instant,
    ) -> Result<VerifiedCopy, DriverError>;

    /// Copies `source`, of `size` bytes, to `destination` on the backend's side, in one go and before `until`; only where
    /// nothing is yet, and only if the source has `tag`, where one is given. Nothing but the content is copied. Returns the
    /// sha256 of what was copied, as far as the backend says.
    ///
    /// # Errors
    /// [`super::DriverErrorKind::NotFound`] when there is no source; [`super::DriverErrorKind::Precondition`] when something
    /// is at the destination, perhaps by an attempt of this very call, or the source has another tag;
    /// [`super::DriverErrorKind::Timeout`] when it was not done by then, though it may still come to be;
    /// [`super::DriverErrorKind::TooLarge`] when the backend copies so much in parts alone.
    async fn copy_at_once(
        &self,
        ctx: &Context,
        source: (&Path, u64),
        tag: Option<&str>,
        destination: &Path,
        until: Instant,
    ) -> Result<Option<Digest>, DriverError>;
}
