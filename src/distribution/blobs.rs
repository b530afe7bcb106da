//! Blobs: stat, provide, serve, ingest.

use async_trait::async_trait;
use bytes::Bytes;

use std::ops::RangeInclusive;

use super::{
    Announced, BackendError, BlobError, Content, DirectCommit, DirectFault, PartsPage, Reading, StagedCommit, Target,
    UploadError,
};
use crate::{
    context::Context,
    descriptor::Descriptor,
    digest::{Algorithm, Digest},
    name::RepositoryName,
};

/// Tells what is known of a blob, without opening it. A descriptor in hand means that access was checked.
#[async_trait]
pub trait BlobStatter: Send + Sync {
    /// The descriptor of the blob that `digest`, canonical or provisional, names.
    ///
    /// # Errors
    /// [`BlobError::Unknown`] when it is not here; [`BlobError::Backend`] when that could not be found out.
    async fn stat(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError>;

    /// [`Self::stat`] for many, in the order of `digests`: `None` stands for unknown. Implementations with a
    /// batch call use it; this one asks one by one.
    ///
    /// # Errors
    /// [`BackendError`] when any of them could not be found out.
    async fn stat_many(&self, ctx: &Context, digests: &[Digest]) -> Result<Vec<Option<Descriptor>>, BackendError> {
        let mut found = Vec::with_capacity(digests.len());
        for digest in digests {
            found.push(match self.stat(ctx, digest).await {
                Ok(descriptor) => Some(descriptor),
                Err(BlobError::Backend(error)) => return Err(error),
                Err(_) => None,
            });
        }
        Ok(found)
    }
}

/// A statter that can be told what to answer: what a cache is.
///
/// Entries of one scope (global, or one repository) imply nothing for another; any may be missing at any time.
#[async_trait]
pub trait BlobDescriptorService: BlobStatter {
    /// Remembers that `digest` names the content of `descriptor`. Where the two differ in algorithm, the
    /// descriptor's (canonical) digest is remembered too. A digest under a fresh tombstone (see
    /// [`Self::clear`]) is left unset without an error.
    ///
    /// # Errors
    /// [`BlobError::Contradiction`] for two digests of one algorithm that differ; [`BlobError::Backend`].
    async fn set_descriptor(&self, ctx: &Context, digest: &Digest, descriptor: &Descriptor) -> Result<(), BlobError>;

    /// [`Self::set_descriptor`] for many; this one sets one by one.
    ///
    /// # Errors
    /// As [`Self::set_descriptor`]; which of them were set is then unknown.
    async fn set_many(&self, ctx: &Context, entries: &[(Digest, Descriptor)]) -> Result<(), BlobError> {
        for (digest, descriptor) in entries {
            self.set_descriptor(ctx, digest, descriptor).await?;
        }
        Ok(())
    }

    /// Forgets `digest`, and with it every name of the same content in this scope. Leaves a tombstone that
    /// keeps a look-up which began earlier from setting it again.
    ///
    /// # Errors
    /// [`BlobError::Backend`] when the entry may still be there: then access must not be thought revoked.
    async fn clear(&self, ctx: &Context, digest: &Digest) -> Result<(), BlobError>;
}

/// Gives a blob's bytes.
#[async_trait]
pub trait BlobProvider: Send + Sync {
    /// The whole content, for content that is small by its nature (manifests, configurations).
    ///
    /// # Errors
    /// [`BlobError::Unknown`]; [`BlobError::Backend`], also when it is longer than `limit` bytes.
    async fn get(&self, ctx: &Context, digest: &Digest, limit: u64) -> Result<Bytes, BlobError>;

    /// The content from byte `offset`, at most `length` bytes of it. Beyond the end there is nothing to read,
    /// which is no error.
    ///
    /// # Errors
    /// [`BlobError::Unknown`]; [`BlobError::Backend`].
    async fn open(
        &self,
        ctx: &Context,
        digest: &Digest,
        offset: u64,
        length: Option<u64>,
    ) -> Result<Reading, BlobError>;
}

/// Who wants a blob, as far as it says where it is to be had.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wish<'a> {
    /// Whether it is wanted by a HEAD, rather than by a GET.
    pub head: bool,
    /// Where the client reached the registry, where that is known: `scheme://authority`. What is said here is the client's
    /// word, and may be anything.
    pub origin: Option<&'a str>,
}

/// How a blob is to be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Served {
    /// At this URL, for some minutes, without further credentials.
    Redirect(String),
    /// From here: [`BlobProvider::open`] it.
    Here(Descriptor),
}

/// Tells where a blob is to be had: the answer is a value, so that the interface knows no HTTP types.
#[async_trait]
pub trait BlobServer: Send + Sync {
    /// Where the blob is to be had as `wish` has it. Access is checked.
    ///
    /// # Errors
    /// [`BlobError::Unknown`]; [`BlobError::Backend`].
    async fn serve(&self, ctx: &Context, digest: &Digest, wish: Wish<'_>) -> Result<Served, BlobError>;
}

/// What a new upload is about, as far as the client said.
#[derive(Debug, Clone, Default)]
pub struct NewUpload {
    /// A blob that may be here already, and the repository that has it (any, if the client named none).
    pub mount: Option<(Digest, Option<RepositoryName>)>,
    /// The algorithm by which the client will name the content; sha256 when it did not say.
    pub algorithm: Option<Algorithm>,
    /// Content that the client would hand to the backend itself.
    pub announced: Option<Announced>,
}

/// What came of a new upload.
pub enum Created {
    /// The repository has the blob, mounted or found; nothing is to be sent.
    Mounted(Descriptor),
    /// A session is open.
    Session(Box<dyn BlobWriter>),
}

/// Where a session stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The session's id: a UUID.
    pub id: String,
    /// What [`BlobIngester::resume`] takes to continue, in any process. Opaque and safe in a URL's query.
    pub state: String,
    /// Bytes stored so far.
    pub size: u64,
}

/// Takes blobs in.
#[async_trait]
pub trait BlobIngester: Send + Sync {
    /// Stores content that is held in memory, and links it.
    ///
    /// # Errors
    /// [`BlobError::Backend`].
    async fn put(&self, ctx: &Context, media_type: &str, content: Bytes) -> Result<Descriptor, BlobError>;

    /// Opens a session, or mounts a blob. A mount that cannot be made opens a session.
    ///
    /// # Errors
    /// [`UploadError::SizeInvalid`] for announced content that is larger than any, or of another size than the
    /// caller may know; [`UploadError::Backend`].
    async fn create(&self, ctx: &Context, new: NewUpload) -> Result<Created, UploadError>;

    /// The session `id` as it stands now, from any state that an earlier answer gave.
    ///
    /// # Errors
    /// [`UploadError::Unknown`], [`UploadError::StateInvalid`], [`UploadError::Backend`].
    async fn resume(&self, ctx: &Context, id: &str, state: &str) -> Result<Box<dyn BlobWriter>, UploadError>;
}

/// An upload session, held by one caller for one request.
#[async_trait]
pub trait BlobWriter: Send {
    /// Where it stands, as far as this writer knows.
    fn upload(&self) -> Upload;

    /// Asks storage where the session stands, and goes there.
    ///
    /// # Errors
    /// [`UploadError::Unknown`] when it is over; [`UploadError::Backend`].
    async fn refresh(&mut self, ctx: &Context) -> Result<Upload, UploadError>;

    /// Appends `content`, all of it or nothing. `at` is where the client says that it begins.
    ///
    /// # Errors
    /// [`UploadError::RangeInvalid`] when `at` is not the session's size, or another writer came first;
    /// [`UploadError::SizeInvalid`], [`UploadError::Interrupted`], [`UploadError::Unknown`], [`UploadError::Backend`].
    async fn append(&mut self, ctx: &Context, at: Option<u64>, content: Content) -> Result<Upload, UploadError>;

    /// Appends the last `content` (which may be empty), checks that everything together has the digest that the
    /// client gave, stores it under its canonical digest and links it under both.
    ///
    /// # Errors
    /// As [`Self::append`], and [`UploadError::DigestMismatch`]: then nothing is stored under that digest.
    async fn commit(
        self: Box<Self>,
        ctx: &Context,
        digest: &Digest,
        at: Option<u64>,
        content: Content,
    ) -> Result<Descriptor, UploadError>;

    /// Where the announced content may go without passing through this registry; `None` where nowhere, and of sessions
    /// that nothing was announced to.
    ///
    /// # Errors
    /// [`UploadError::Backend`].
    async fn target(&mut self, _ctx: &Context) -> Result<Option<Target>, UploadError> {
        Ok(None)
    }

    /// Which of the parts `numbers`, counted from 1, are there, and where the others go. Beyond the last there are none;
    /// an answer may end early.
    ///
    /// # Errors
    /// [`UploadError::Direct`] when the session has no parts, or no longer takes any; [`UploadError::Unknown`];
    /// [`UploadError::Backend`].
    async fn parts(&mut self, _ctx: &Context, _numbers: RangeInclusive<u32>) -> Result<PartsPage, UploadError> {
        Err(DirectFault::NoParts.into())
    }

    /// Closes the session over content that its sender handed to the backend: looks that it is `digest`, stores it under
    /// that and links it, or does a part of that. `None` when nothing of this digest was announced, or the session holds
    /// bytes of its own: then [`Self::commit`] it.
    ///
    /// # Errors
    /// [`UploadError::Direct`] and [`UploadError::SizeInvalid`], which leave the session as it was;
    /// [`UploadError::DigestMismatch`], which ends it; [`UploadError::Unknown`]; [`UploadError::Backend`].
    async fn commit_direct(&mut self, _ctx: &Context, _digest: &Digest) -> Result<Option<DirectCommit>, UploadError> {
        Ok(None)
    }

    /// Closes the session over content that the edge in front of this registry stored for its client: looks that it is
    /// `digest`, stores it and links it, or does a part of that. `size` is how many bytes it has, by word of its sender, who
    /// gets nothing by a false one; without it the backend is asked. `None` where the backend takes no content from others.
    ///
    /// # Errors
    /// [`UploadError::Direct`] when there is nothing; [`UploadError::RangeInvalid`] when the session holds bytes of its own;
    /// [`UploadError::DigestMismatch`], which removes what was stored; [`UploadError::Unknown`]; [`UploadError::Backend`].
    async fn commit_staged(
        &mut self,
        _ctx: &Context,
        _digest: &Digest,
        _size: Option<u64>,
    ) -> Result<Option<StagedCommit>, UploadError> {
        Ok(None)
    }

    /// Ends the session and frees what it stored. Every later use of it is [`UploadError::Unknown`].
    ///
    /// # Errors
    /// [`UploadError::Unknown`], [`UploadError::Backend`].
    async fn cancel(self: Box<Self>, ctx: &Context) -> Result<(), UploadError>;
}

/// All of it: what a repository offers for its blobs.
#[async_trait]
pub trait BlobService: BlobStatter + BlobProvider + BlobServer + BlobIngester {
    /// Revokes the repository's access to the blob, by every name of it. The content stays, for others.
    ///
    /// # Errors
    /// [`BlobError::Unknown`]; [`BlobError::InUse`] when a stored manifest names it; [`BlobError::Backend`].
    async fn delete(&self, ctx: &Context, digest: &Digest) -> Result<(), BlobError>;
}
