//! A driver that fails when it is told to: for tests of what a crash or a failing backend leaves behind.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use bytes::Bytes;

use super::{
    Copied, DirectStore, DirectWrite, DriverError, DriverErrorKind, Entry, Found, Path, PresignedMethod, PutOptions,
    StorageDriver, StoredPart, VerifiedCopy,
};
use crate::{
    context::Context,
    digest::Digest,
    distribution::{Content, Reading, SignedPut},
};

/// What is asked of a driver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // each is the method of that name
pub enum Operation {
    Get,
    Read,
    Put,
    Stat,
    IsFolder,
    List,
    Compose,
    Delete,
    DeleteTree,
    Presign,
    Sign,
    Look,
    Begin,
    Parts,
    Join,
    Abort,
    Copy,
    CopyVerified,
    CopyAtOnce,
}

impl Operation {
    /// Whether it changes what is stored. A process that crashes before one of these is a process that crashes
    /// anywhere.
    pub fn changes(self) -> bool {
        match self {
            Self::Put | Self::Compose | Self::Delete | Self::DeleteTree => true,
            Self::Begin | Self::Join | Self::Abort | Self::Copy | Self::CopyVerified | Self::CopyAtOnce => true,
            Self::Get | Self::Read | Self::Stat | Self::IsFolder | Self::List | Self::Presign => false,
            Self::Sign | Self::Look | Self::Parts => false,
        }
    }
}

/// How an operation fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is not done.
    Refused(DriverErrorKind),
    /// It is done, and the answer that says so is lost.
    AnswerLost(DriverErrorKind),
}

/// Decides over each operation, given the path that it is about (the destination of a composition, the first path of
/// a deletion).
type Plan = Box<dyn Fn(Operation, &Path) -> Option<Fault> + Send + Sync>;

/// A driver around another one.
pub struct FaultDriver {
    inner: Arc<dyn StorageDriver>,
    plan: Plan,
}

impl FaultDriver {
    /// `inner`, but for what `plan` decides.
    pub fn new(
        inner: Arc<dyn StorageDriver>,
        plan: impl Fn(Operation, &Path) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self { inner, plan: Box::new(plan) }
    }

    async fn decide<T>(
        &self,
        operation: Operation,
        path: &Path,
        work: impl Future<Output = Result<T, DriverError>>,
    ) -> Result<T, DriverError> {
        let failed = |kind| DriverError::new(kind, path, format!("{operation:?} fails in this test"));
        match (self.plan)(operation, path) {
            None => work.await,
            Some(Fault::Refused(kind)) => Err(failed(kind)),
            Some(Fault::AnswerLost(kind)) => {
                work.await?;
                Err(failed(kind))
            }
        }
    }
}

impl fmt::Debug for FaultDriver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultDriver").field("inner", &self.inner).finish_non_exhaustive()
    }
}

#[async_trait]
impl StorageDriver for FaultDriver {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    async fn get(&self, ctx: &Context, path: &Path, limit: u64) -> Result<Bytes, DriverError> {
        self.decide(Operation::Get, path, self.inner.get(ctx, path, limit)).await
    }

    async fn read(&self, ctx: &Context, path: &Path, offset: u64, length: Option<u64>) -> Result<Reading, DriverError> {
        self.decide(Operation::Read, path, self.inner.read(ctx, path, offset, length)).await
    }

    async fn put(&self, ctx: &Context, path: &Path, content: Content, options: PutOptions) -> Result<u64, DriverError> {
        self.decide(Operation::Put, path, self.inner.put(ctx, path, content, options)).await
    }

    async fn stat(&self, ctx: &Context, path: &Path) -> Result<u64, DriverError> {
        self.decide(Operation::Stat, path, self.inner.stat(ctx, path)).await
    }

    async fn is_folder(&self, ctx: &Context, path: &Path) -> Result<bool, DriverError> {
        self.decide(Operation::IsFolder, path, self.inner.is_folder(ctx, path)).await
    }

    async fn list(&self, ctx: &Context, path: &Path) -> Result<Vec<Entry>, DriverError> {
        self.decide(Operation::List, path, self.inner.list(ctx, path)).await
    }

    async fn compose(&self, ctx: &Context, sources: &[(Path, u64)], destination: &Path) -> Result<(), DriverError> {
        self.decide(Operation::Compose, destination, self.inner.compose(ctx, sources, destination)).await
    }

    async fn delete(&self, ctx: &Context, paths: &[Path]) -> Result<(), DriverError> {
        let Some(first) = paths.first() else { return Ok(()) };
        self.decide(Operation::Delete, first, self.inner.delete(ctx, paths)).await
    }

    async fn delete_tree(&self, ctx: &Context, path: &Path) -> Result<(), DriverError> {
        self.decide(Operation::DeleteTree, path, self.inner.delete_tree(ctx, path)).await
    }

    async fn presign(
        &self,
        ctx: &Context,
        path: &Path,
        method: PresignedMethod,
        expiry: Duration,
    ) -> Result<Option<String>, DriverError> {
        self.decide(Operation::Presign, path, self.inner.presign(ctx, path, method, expiry)).await
    }

    fn direct(&self) -> Option<&dyn DirectStore> {
        self.inner.direct().is_some().then_some(self)
    }
}

impl FaultDriver {
    /// The inner driver's own way, which it must have.
    fn way(&self, path: &Path) -> Result<&dyn DirectStore, DriverError> {
        let none = || DriverError::new(DriverErrorKind::Failed, path, "this driver takes nothing directly");
        self.inner.direct().ok_or_else(none)
    }
}

#[async_trait]
impl DirectStore for FaultDriver {
    async fn sign(
        &self,
        ctx: &Context,
        path: &Path,
        write: DirectWrite<'_>,
        life: Duration,
    ) -> Result<SignedPut, DriverError> {
        self.decide(Operation::Sign, path, self.way(path)?.sign(ctx, path, write, life)).await
    }

    async fn look(&self, ctx: &Context, path: &Path) -> Result<Found, DriverError> {
        self.decide(Operation::Look, path, self.way(path)?.look(ctx, path)).await
    }

    async fn begin(&self, ctx: &Context, path: &Path) -> Result<String, DriverError> {
        self.decide(Operation::Begin, path, self.way(path)?.begin(ctx, path)).await
    }

    async fn parts(
        &self,
        ctx: &Context,
        path: &Path,
        upload: &str,
        after: u32,
        most: u32,
    ) -> Result<Vec<StoredPart>, DriverError> {
        self.decide(Operation::Parts, path, self.way(path)?.parts(ctx, path, upload, after, most)).await
    }

    async fn join(&self, ctx: &Context, path: &Path, upload: &str, parts: &[StoredPart]) -> Result<(), DriverError> {
        self.decide(Operation::Join, path, self.way(path)?.join(ctx, path, upload, parts)).await
    }

    async fn abort(&self, ctx: &Context, path: &Path, upload: &str) -> Result<(), DriverError> {
        self.decide(Operation::Abort, path, self.way(path)?.abort(ctx, path, upload)).await
    }

    async fn copy(
        &self,
        ctx: &Context,
        source: (&Path, u64),
        destination: &Path,
        upload: Option<&str>,
        until: Option<Instant>,
    ) -> Result<Copied, DriverError> {
        let copy = self.way(destination)?.copy(ctx, source, destination, upload, until);
        self.decide(Operation::Copy, destination, copy).await
    }

    async fn copy_verified(
        &self,
        ctx: &Context,
        source: (&Path, Option<u64>),
        destination: &Path,
        expected: &Digest,
        until: Instant,
    ) -> Result<VerifiedCopy, DriverError> {
        let copy = self.way(destination)?.copy_verified(ctx, source, destination, expected, until);
        self.decide(Operation::CopyVerified, destination, copy).await
    }

    async fn copy_at_once(
        &self,
        ctx: &Context,
        source: (&Path, u64),
        tag: Option<&str>,
        destination: &Path,
        until: Instant,
    ) -> Result<Option<Digest>, DriverError> {
        let copy = self.way(destination)?.copy_at_once(ctx, source, tag, destination, until);
        self.decide(Operation::CopyAtOnce, destination, copy).await
    }
}
