//! A driver that does as a test tells it: gives URLs, or fails.

use std::{sync::Mutex, time::Duration};

use async_trait::async_trait;
use berth::{
    context::Context,
    distribution::{Content, Reading},
    driver::{
        DriverError, DriverErrorKind, Entry, Path, PresignedMethod, PutOptions, StorageDriver, memory::MemoryDriver,
    },
};
use bytes::Bytes;

#[derive(Debug)]
pub(crate) struct Doctored {
    inner: MemoryDriver,
    fault: Mutex<Option<DriverErrorKind>>,
    presigns: Mutex<Option<String>>,
}

impl Doctored {
    pub(crate) fn new(inner: MemoryDriver) -> Self {
        Self { inner, fault: Mutex::default(), presigns: Mutex::default() }
    }

    /// From now on everything fails so, or nothing.
    pub(crate) fn fail(&self, kind: Option<DriverErrorKind>) {
        *self.fault.lock().unwrap() = kind;
    }

    /// From now on there are presigned URLs that begin with `base`.
    pub(crate) fn presign_at(&self, base: &str) {
        *self.presigns.lock().unwrap() = Some(base.to_owned());
    }

    fn admit(&self, ctx: &Context, path: &Path) -> Result<(), DriverError> {
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
        self.inner.read(ctx, path, offset, length).await
    }

    async fn put(&self, ctx: &Context, path: &Path, content: Content, options: PutOptions) -> Result<u64, DriverError> {
        self.admit(ctx, path)?;
        self.inner.put(ctx, path, content, options).await
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
