//! Caches to try, the time they are told, and the content they are asked about.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use berth::{
    cache::{
        Clock, DescriptorCache, LinkSet,
        dynamodb::{self, DynamoDbCache},
        memory::{self, MemoryCache},
        tiered::Tiered,
    },
    context::Context,
    descriptor::Descriptor,
    digest::{Algorithm, Digest},
    distribution::{BlobDescriptorService, BlobError},
    name::RepositoryName,
};
use berth_local::DynamoDbEmulator;

/// A cache, and the hands of its clock.
pub(crate) struct Subject {
    pub(crate) cache: Arc<dyn DescriptorCache>,
    pub(crate) time: Time,
    /// Where it lies, if in a table.
    pub(crate) emulator: Option<DynamoDbEmulator>,
}

pub(crate) async fn memory() -> Subject {
    let time = Time::default();
    Subject { cache: Arc::new(in_memory(&time, 1_000)), time, emulator: None }
}

pub(crate) async fn dynamodb() -> Subject {
    let (time, emulator) = (Time::default(), DynamoDbEmulator::start().await.unwrap());
    Subject { cache: Arc::new(in_table(&emulator, &time)), time, emulator: Some(emulator) }
}

pub(crate) async fn tiered() -> Subject {
    let (time, emulator) = (Time::default(), DynamoDbEmulator::start().await.unwrap());
    let cache = Tiered::new(in_memory(&time, 1_000), Arc::new(in_table(&emulator, &time)));
    Subject { cache: Arc::new(cache), time, emulator: Some(emulator) }
}

pub(crate) fn in_memory(time: &Time, entries: usize) -> MemoryCache {
    MemoryCache::new(memory::Options { entries, clock: time.clock() })
}

pub(crate) fn in_table(emulator: &DynamoDbEmulator, time: &Time) -> DynamoDbCache {
    let options = dynamodb::Options { table: emulator.table().to_owned(), clock: time.clock() };
    DynamoDbCache::new(&sdk(&emulator.endpoint(), &emulator.options().region), options)
}

pub(crate) fn sdk(endpoint: &str, region: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new(region.to_owned()))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            "AKIATEST", "secret", None, None, "test",
        )))
        .build()
}

/// The time of day, which stands until it is told to pass.
#[derive(Clone)]
pub(crate) struct Time(Arc<AtomicU64>);

impl Default for Time {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(1_800_000_000_000)))
    }
}

impl Time {
    pub(crate) fn clock(&self) -> Clock {
        let millis = self.0.clone();
        Clock::new(move || Duration::from_millis(millis.load(Ordering::SeqCst)))
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.0.fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn turn_back(&self, time: Duration) {
        self.0.fetch_sub(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Subject {
    pub(crate) fn global(&self) -> Arc<dyn BlobDescriptorService> {
        self.cache.global()
    }

    pub(crate) fn layers(&self, repository: &str) -> Arc<dyn BlobDescriptorService> {
        self.cache.scoped(&name(repository), LinkSet::Layers)
    }

    pub(crate) fn manifests(&self, repository: &str) -> Arc<dyn BlobDescriptorService> {
        self.cache.scoped(&name(repository), LinkSet::Manifests)
    }

    pub(crate) fn emulator(&self) -> &DynamoDbEmulator {
        self.emulator.as_ref().unwrap()
    }

    /// How many requests the table has seen since the last reset, by operation.
    pub(crate) fn requests(&self) -> Vec<(String, u64)> {
        self.emulator().counts().into_iter().map(|(name, n)| (name.replace("dynamodb:", ""), n)).collect()
    }
}

pub(crate) fn name(repository: &str) -> RepositoryName {
    repository.parse().unwrap()
}

pub(crate) fn ctx() -> Context {
    Context::background("test")
}

/// Content `n` as a layer.
pub(crate) fn layer(n: u32) -> Descriptor {
    let digest = Digest::canonical(&n.to_be_bytes());
    Descriptor { media_type: "application/vnd.oci.image.layer.v1.tar+gzip".to_owned(), size: u64::from(n) + 7, digest }
}

/// What content `n` is also called.
pub(crate) fn sha512(n: u32) -> Digest {
    Digest::of(Algorithm::Sha512, &n.to_be_bytes())
}

/// As [`sha512`].
pub(crate) fn sha384(n: u32) -> Digest {
    Digest::of(Algorithm::Sha384, &n.to_be_bytes())
}

/// What `cache` says of `digest`; no cache in these tests fails unless told to.
pub(crate) async fn known(cache: &Arc<dyn BlobDescriptorService>, digest: &Digest) -> Option<Descriptor> {
    let one = match cache.stat(&ctx(), digest).await {
        Ok(descriptor) => Some(descriptor),
        Err(BlobError::Unknown(unknown)) if unknown == *digest => None,
        Err(error) => panic!("stat failed: {error}"),
    };
    let many = cache.stat_many(&ctx(), &[*digest]).await.unwrap();
    assert_eq!(many, std::slice::from_ref(&one), "a batch says what a single look-up says");
    one
}
