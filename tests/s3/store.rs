//! A driver over a fresh S3 endpoint.

use std::{
    io,
    sync::Arc,
    time::{Duration, Instant},
};

use berth::{
    aws::{Account, Keys, http_client},
    context::{Caller, Context},
    distribution::{Content, Reading},
    driver::{
        DriverError, Path, PutOptions, StorageDriver as _,
        s3::{S3Config, S3Driver},
    },
};
use berth_local::S3Emulator;
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

pub(crate) const MIB: usize = 1 << 20;

pub(crate) const CREATE: PutOptions = PutOptions { create_only: true, checksum: None };

pub(crate) struct Store {
    pub(crate) emulator: S3Emulator,
    pub(crate) driver: Arc<S3Driver>,
}

pub(crate) async fn store() -> Store {
    store_with(|_| {}).await
}

pub(crate) async fn store_with(change: impl FnOnce(&mut S3Config)) -> Store {
    store_on(S3Emulator::start().await.unwrap(), change).await
}

pub(crate) async fn store_on(emulator: S3Emulator, change: impl FnOnce(&mut S3Config)) -> Store {
    let mut config = config(&emulator);
    change(&mut config);
    let driver = Arc::new(S3Driver::new(config, &http_client()).await);
    Store { emulator, driver }
}

pub(crate) fn config(emulator: &S3Emulator) -> S3Config {
    let options = emulator.options();
    let keys = Keys { access: options.access_key.clone(), secret: options.secret_key.clone() };
    S3Config {
        account: Account {
            region: Some(options.region.clone()),
            endpoint: Some(emulator.endpoint()),
            keys: Some(keys),
        },
        root: Some("some/root".to_owned()),
        force_path_style: true,
        ..S3Config::new(emulator.bucket())
    }
}

impl Store {
    pub(crate) async fn put(
        &self,
        name: &str,
        content: impl Into<Content>,
        options: PutOptions,
    ) -> Result<u64, DriverError> {
        self.driver.put(&ctx(), &path(name), content.into(), options).await
    }

    /// The whole content.
    pub(crate) async fn content(&self, name: &str) -> Result<Bytes, DriverError> {
        self.driver.get(&ctx(), &path(name), u64::MAX).await
    }

    pub(crate) async fn read(&self, name: &str, offset: u64, length: Option<u64>) -> Result<Reading, DriverError> {
        self.driver.read(&ctx(), &path(name), offset, length).await
    }

    /// What S3 was asked since the last call, as `2 GetObject, 1 PutObject`.
    pub(crate) fn asked(&self) -> String {
        let counts = self.emulator.counts();
        self.emulator.reset();
        let counts = counts.iter().map(|(name, count)| format!("{count} {}", name.trim_start_matches("s3:")));
        counts.collect::<Vec<_>>().join(", ")
    }
}

pub(crate) fn ctx() -> Context {
    Context::background("test")
}

/// A context that has `time`.
pub(crate) fn ctx_for(time: Duration) -> Context {
    Context::new("test".to_owned(), Caller::Registry, Some(Instant::now() + time), tracing::Span::none())
}

pub(crate) fn path(name: &str) -> Path {
    name.parse().unwrap()
}

/// `size` bytes, which no part or chunk of a round size has the same as another.
pub(crate) fn bytes(size: usize) -> Bytes {
    let block: Vec<u8> = (0..25_013_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let mut bytes = Vec::with_capacity(size + block.len());
    while bytes.len() < size {
        bytes.extend_from_slice(&block);
    }
    bytes.truncate(size);
    bytes.into()
}

/// `content` in chunks, of unknown length.
pub(crate) fn chunked(content: &Bytes) -> Content {
    let content = content.clone();
    let chunks: Vec<_> =
        (0..content.len()).step_by(100_000).map(|at| content.slice(at..content.len().min(at + 100_000))).collect();
    Content { length: None, stream: stream::iter(chunks.into_iter().map(Ok)).boxed() }
}

/// `content` in chunks, whose sender says its length.
pub(crate) fn announced(content: &Bytes) -> Content {
    Content { length: Some(content.len() as u64), ..chunked(content) }
}

/// `content`, and then the connection of its sender breaks.
pub(crate) fn broken(content: &Bytes, length: Option<u64>) -> Content {
    let breaks = stream::iter([Err(io::Error::new(io::ErrorKind::ConnectionReset, "the sender is gone"))]);
    Content { length, stream: chunked(content).stream.chain(breaks).boxed() }
}

pub(crate) async fn all(reading: Reading) -> io::Result<Vec<u8>> {
    reading
        .stream
        .try_fold(Vec::new(), async |mut all, bytes| {
            all.extend_from_slice(&bytes);
            Ok(all)
        })
        .await
}

/// Waits for a fact.
pub(crate) async fn until(fact: impl Fn() -> bool) {
    let wait = async {
        while !fact() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.unwrap();
}
