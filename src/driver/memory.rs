//! Content in memory: for tests, and for a registry that may forget.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};

use super::{DriverError, DriverErrorKind, Entry, Path, PresignedMethod, PutOptions, StorageDriver, source::Source};
use crate::{
    context::Context,
    distribution::{Content, Reading},
};

/// A driver on nothing but memory. What it holds goes with it.
#[derive(Debug, Default)]
pub struct MemoryDriver {
    files: Mutex<BTreeMap<Path, Bytes>>,
}

impl MemoryDriver {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// The files, unless the time for the call has run out. No lock is held while anything is awaited.
    fn files(&self, ctx: &Context, path: &Path) -> Result<MutexGuard<'_, BTreeMap<Path, Bytes>>, DriverError> {
        ctx.remaining().map_err(|passed| DriverError::deadline(path, passed))?;
        // Nothing in this file panics with the lock held, and no write is in two steps.
        Ok(self.files.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn content(&self, ctx: &Context, path: &Path) -> Result<Bytes, DriverError> {
        self.files(ctx, path)?.get(path).cloned().ok_or_else(|| not_found(path))
    }
}

#[async_trait]
impl StorageDriver for MemoryDriver {
    fn name(&self) -> &'static str {
        "inmemory"
    }

    async fn get(&self, ctx: &Context, path: &Path, limit: u64) -> Result<Bytes, DriverError> {
        let content = self.content(ctx, path)?;
        if content.len() as u64 > limit {
            let message = format!("{} bytes, {limit} at most", content.len());
            return Err(DriverError::new(DriverErrorKind::TooLarge, path, message));
        }
        Ok(content)
    }

    async fn read(&self, ctx: &Context, path: &Path, offset: u64, length: Option<u64>) -> Result<Reading, DriverError> {
        let content = self.content(ctx, path)?;
        let size = content.len() as u64;
        let start = offset.min(size);
        let end = length.map_or(size, |length| start.saturating_add(length).min(size));
        // Both are at most the size, which is a usize.
        let part = content.slice(start as usize..end as usize);
        Ok(Reading { size, stream: Content::from(part).stream })
    }

    async fn put(&self, ctx: &Context, path: &Path, content: Content, options: PutOptions) -> Result<u64, DriverError> {
        drop(self.files(ctx, path)?);
        let mut source = Source::new(path, content, options.checksum);
        let mut bytes = BytesMut::new();
        while let Some(frame) = source.next_in_time(ctx).await? {
            bytes.extend_from_slice(&frame);
        }
        let mut files = self.files(ctx, path)?;
        if options.create_only && files.contains_key(path) {
            return Err(DriverError::new(DriverErrorKind::Precondition, path, ""));
        }
        files.insert(path.clone(), bytes.freeze());
        Ok(source.seen())
    }

    async fn stat(&self, ctx: &Context, path: &Path) -> Result<u64, DriverError> {
        Ok(self.content(ctx, path)?.len() as u64)
    }

    async fn is_folder(&self, ctx: &Context, path: &Path) -> Result<bool, DriverError> {
        Ok(below(&*self.files(ctx, path)?, path).next().is_some())
    }

    async fn list(&self, ctx: &Context, path: &Path) -> Result<Vec<Entry>, DriverError> {
        let files = self.files(ctx, path)?;
        let mut entries = BTreeMap::new();
        for (_, rest) in below(&files, path) {
            let (name, is_folder) = rest.split_once('/').map_or((rest, false), |(name, _)| (name, true));
            *entries.entry(name).or_insert(false) |= is_folder;
        }
        if entries.is_empty() {
            return Err(not_found(path));
        }
        Ok(entries.into_iter().map(|(name, is_folder)| Entry { name: name.to_owned(), is_folder }).collect())
    }

    async fn compose(&self, ctx: &Context, sources: &[(Path, u64)], destination: &Path) -> Result<(), DriverError> {
        let mut files = self.files(ctx, destination)?;
        let mut whole = BytesMut::new();
        for (source, _) in sources {
            whole.extend_from_slice(files.get(source).ok_or_else(|| not_found(source))?);
        }
        if files.contains_key(destination) {
            return Err(DriverError::new(DriverErrorKind::Precondition, destination, ""));
        }
        files.insert(destination.clone(), whole.freeze());
        Ok(())
    }

    async fn delete(&self, ctx: &Context, paths: &[Path]) -> Result<(), DriverError> {
        let Some(first) = paths.first() else { return Ok(()) };
        let mut files = self.files(ctx, first)?;
        for path in paths {
            files.remove(path);
        }
        Ok(())
    }

    async fn delete_tree(&self, ctx: &Context, path: &Path) -> Result<(), DriverError> {
        let mut files = self.files(ctx, path)?;
        let mut paths: Vec<Path> = below(&files, path).map(|(path, _)| path.clone()).collect();
        paths.extend(files.contains_key(path).then(|| path.clone()));
        for path in &paths {
            files.remove(path);
        }
        if paths.is_empty() { Err(not_found(path)) } else { Ok(()) }
    }

    async fn presign(
        &self,
        ctx: &Context,
        path: &Path,
        _: PresignedMethod,
        _: Duration,
    ) -> Result<Option<String>, DriverError> {
        self.files(ctx, path).map(|_| None)
    }
}

/// The files below `path`, each with its path relative to it.
fn below<'a>(files: &'a BTreeMap<Path, Bytes>, path: &'a Path) -> impl Iterator<Item = (&'a Path, &'a str)> {
    // Siblings such as `/a-b` lie between `/a` and `/a/b`, so the range begins early and is filtered.
    files
        .range((Bound::Excluded(path), Bound::Unbounded))
        .map(|(file, _)| file)
        .take_while(|file| file.as_str().starts_with(path.as_str()))
        .filter_map(|file| {
            let rest = file.as_str().strip_prefix(path.as_str())?;
            Some((file, rest.strip_prefix('/')?))
        })
}

fn not_found(path: &Path) -> DriverError {
    DriverError::new(DriverErrorKind::NotFound, path, "")
}
