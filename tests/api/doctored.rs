//! A driver that does as a test tells it: gives URLs, or fails.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use berth::{
    context::Context,
    distribution::{Content, Reading},
    driver::{
        DriverError, DriverErrorKind, Entry, Path, PresignedMethod, PutOptions, StorageDriver, memory::MemoryDriver,
    },
};
use bytes::Bytes;
use tokio::sync::oneshot;

#[derive(Debug)]
pub(crate) struct Doctored {
    inner: MemoryDriver,
    /// How often it was asked anything.
    calls: AtomicU64,
    fault: Mutex<Option<DriverErrorKind>>,
    presigns: Mutex<Option<String>>,
    /// What is read, whatever was asked for.
    misread: Mutex<Option<Bytes>>,
    /// What the next write waits for, and tells of itself.
    gate: Mutex<Option<Gate>>,
}

#[derive(Debug)]
struct Gate {
    entered: oneshot::Sender<()>,
    released: oneshot::Receiver<()>,
    done: oneshot::Sender<()>,
}

/// A write that is held up.
pub(crate) struct Held {
    /// Completes when the write has begun.
    pub(crate) entered: oneshot::Receiver<()>,
    /// Lets it go on.
    pub(crate) release: oneshot::Sender<()>,
    /// Completes when it is done; an error when it was given up.
    pub(crate) done: oneshot::Receiver<()>,
}

impl Doctored {
    pub(crate) fn new(inner: MemoryDriver) -> Self {
        Self {
            inner,
            calls: AtomicU64::new(0),
            fault: Mutex::default(),
            presigns: Mutex::default(),
            misread: Mutex::default(),
            gate: Mutex::default(),
        }
    }

    /// From now on everything fails so, or nothing.
    pub(crate) fn fail(&self, kind: Option<DriverErrorKind>) {
        *self.fault.lock().unwrap() = kind;
    }

    /// From now on there are presigned URLs that begin with `base`.
    pub(crate) fn presign_at(&self, base: &str) {
        *self.presigns.lock().unwrap() = Some(base.to_owned());
    }

    /// From now on every read gives `bytes`.
    pub(crate) fn misread(&self, bytes: &'static [u8]) {
        *self.misread.lock().unwrap() = Some(Bytes::from_static(bytes));
    }

    /// Holds up the next write.
    pub(crate) fn hold(&self) -> Held {
        let ((entered_by, entered), (release, released), (done_by, done)) =
            (oneshot::channel(), oneshot::channel(), oneshot::channel());
        *self.gate.lock().unwrap() = Some(Gate { entered: entered_by, released, done: done_by });
        Held { entered, release, done }
    }

    /// How often it was asked anything.
    pub(crate) fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    fn admit(&self, ctx: &Context, path: &Path) -> Result<(), DriverError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        ctx.remaining().map_err(|passed| DriverError::deadline(path, passed))?;
        match *self.fault.lock().unwrap() {
            Some(kind) => Err(DriverError::new(kind, path, "doctored")),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl StorageDriver for Doctored {
    fn name(&self) -> &'static str {
        "doctored"
    }

    async fn get(&self, ctx: &Context, path: &Path, limit: u64) -> Result<Bytes, DriverError> {
        self.admit(ctx, path)?;
        self.inner.get(ctx, path, limit).await
    }

    async fn read(&self, ctx: &Context, path: &Path, offset: u64, length: Option<u64>) -> Result<Reading, DriverError> {
        self.admit(ctx, path)?;
        let misread = self.misread.lock().unwrap().clone();
        match misread {
            Some(bytes) => Ok(Reading { size: bytes.len() as u64, stream: Content::from(bytes).stream }),
            None => self.inner.read(ctx, path, offset, length).await,
        }
    }

    async fn put(&self, ctx: &Context, path: &Path, content: Content, options: PutOptions) -> Result<u64, DriverError> {
        self.admit(ctx, path)?;
        let gate = self.gate.lock().unwrap().take();
        let Some(Gate { entered, released, done }) = gate else {
            return self.inner.put(ctx, path, content, options).await;
        };
        let _ = entered.send(());
        let _ = released.await;
        let length = self.inner.put(ctx, path, content, options).await;
        let _ = done.send(());
        length
    }

    async fn stat(&self, ctx: &Context, path: &Path) -> Result<u64, DriverError> {
        self.admit(ctx, path)?;
        self.inner.stat(ctx, path).await
    }

    async fn is_folder(&self, ctx: &Context, path: &Path) -> Result<bool, DriverError> {
        self.admit(ctx, path)?;
        self.inner.is_folder(ctx, path).await
    }

    async fn list(&self, ctx: &Context, path: &Path) -> Result<Vec<Entry>, DriverError> {
        self.admit(ctx, path)?;
        self.inner.list(ctx, path).await
    }

    async fn compose(&self, ctx: &Context, sources: &[(Path, u64)], destination: &Path) -> Result<(), DriverError> {
        self.admit(ctx, destination)?;
        self.inner.compose(ctx, sources, destination).await
    }

    async fn delete(&self, ctx: &Context, paths: &[Path]) -> Result<(), DriverError> {
        self.admit(ctx, &Path::root())?;
        self.inner.delete(ctx, paths).await
    }

    async fn delete_tree(&self, ctx: &Context, path: &Path) -> Result<(), DriverError> {
        self.admit(ctx, path)?;
        self.inner.delete_tree(ctx, path).await
    }

    async fn presign(
        &self,
        ctx: &Context,
        path: &Path,
        method: PresignedMethod,
        _: Duration,
    ) -> Result<Option<String>, DriverError> {
        self.admit(ctx, path)?;
        let base = self.presigns.lock().unwrap().clone();
        Ok(base.map(|base| format!("{base}{path}?method={method:?}")))
    }
}
