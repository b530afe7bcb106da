//! What a check runs on.

use std::{any::Any, sync::Arc};

use berth::{
    context::Context,
    digest::Digest,
    driver::{DriverError, DriverErrorKind, Path, PutOptions, StorageDriver},
};
use bytes::Bytes;

use crate::content::{IntoContent, all};

pub(crate) const CREATE: PutOptions = PutOptions { create_only: true, checksum: None };

/// A store that holds nothing, and two drivers on it, as two processes would have.
pub(crate) struct Store {
    pub(crate) driver: Arc<dyn StorageDriver>,
    /// Another driver on the same store.
    pub(crate) other: Arc<dyn StorageDriver>,
    /// What must last as long as they do: a folder, an emulator.
    #[allow(dead_code)] // only held
    pub(crate) keep: Box<dyn Any + Send + Sync>,
}

pub(crate) fn ctx() -> Context {
    Context::background("test")
}

pub(crate) fn path(text: &str) -> Path {
    text.parse().unwrap()
}

/// Create only, with the checksum of `content`.
pub(crate) fn create_checked(content: &Bytes) -> PutOptions {
    PutOptions { create_only: true, ..checked(content) }
}

/// With the checksum of `content`.
pub(crate) fn checked(content: &Bytes) -> PutOptions {
    PutOptions { create_only: false, checksum: Some(Digest::canonical(content)) }
}

#[track_caller]
pub(crate) fn assert_kind<T: std::fmt::Debug>(result: Result<T, DriverError>, kind: DriverErrorKind) {
    match result {
        Err(error) if error.kind == kind => {}
        other => panic!("{other:?} instead of {kind:?}"),
    }
}

/// The store through its driver, tersely.
impl Store {
    pub(crate) async fn put(
        &self,
        at: &str,
        content: impl IntoContent,
        options: PutOptions,
    ) -> Result<u64, DriverError> {
        self.driver.put(&ctx(), &path(at), content.into_content(), options).await
    }

    /// Puts `content`, which must succeed.
    pub(crate) async fn fill(&self, at: &str, content: impl Into<Bytes>) {
        let content: Bytes = content.into();
        let size = content.len() as u64;
        assert_eq!(self.put(at, content, PutOptions::default()).await.unwrap(), size);
    }

    pub(crate) async fn get(&self, at: &str) -> Result<Bytes, DriverError> {
        self.driver.get(&ctx(), &path(at), u64::MAX).await
    }

    /// The content, read as a stream.
    pub(crate) async fn read(&self, at: &str, offset: u64, length: Option<u64>) -> Result<Bytes, DriverError> {
        Ok(all(self.driver.read(&ctx(), &path(at), offset, length).await?).await)
    }

    pub(crate) async fn stat(&self, at: &str) -> Result<u64, DriverError> {
        self.driver.stat(&ctx(), &path(at)).await
    }

    pub(crate) async fn is_folder(&self, at: &str) -> bool {
        self.driver.is_folder(&ctx(), &path(at)).await.unwrap()
    }

    /// The names in a folder, those of folders with a slash behind.
    pub(crate) async fn list(&self, at: &str) -> Result<Vec<String>, DriverError> {
        let entries = self.driver.list(&ctx(), &path(at)).await?;
        Ok(entries.into_iter().map(|entry| entry.name + if entry.is_folder { "/" } else { "" }).collect())
    }

    pub(crate) async fn compose(&self, sources: &[(&str, usize)], destination: &str) -> Result<(), DriverError> {
        let sources: Vec<_> = sources.iter().map(|(at, size)| (path(at), *size as u64)).collect();
        self.driver.compose(&ctx(), &sources, &path(destination)).await
    }

    pub(crate) async fn delete(&self, at: &[&str]) -> Result<(), DriverError> {
        let paths: Vec<_> = at.iter().map(|at| path(at)).collect();
        self.driver.delete(&ctx(), &paths).await
    }

    pub(crate) async fn delete_tree(&self, at: &str) -> Result<(), DriverError> {
        self.driver.delete_tree(&ctx(), &path(at)).await
    }

    /// Asserts that nothing is at `at`, nor listed in its folder.
    pub(crate) async fn assert_nothing(&self, at: &str) {
        assert_kind(self.get(at).await, DriverErrorKind::NotFound);
        assert_kind(self.stat(at).await, DriverErrorKind::NotFound);
        let at = path(at);
        if let Some(folder) = at.parent()
            && let Ok(names) = self.list(folder.as_str()).await
        {
            assert!(!names.iter().any(|name| name == at.file_name()), "{names:?}");
        }
    }

    /// Asserts that `at` holds `content`, as `expected`; nothing where that is `None`.
    pub(crate) async fn assert_holds(&self, at: &str, expected: Option<&Bytes>) {
        match expected {
            None => self.assert_nothing(at).await,
            Some(expected) => {
                crate::content::assert_same(&self.get(at).await.unwrap(), expected);
                assert_eq!(self.stat(at).await.unwrap(), expected.len() as u64);
            }
        }
    }
}
