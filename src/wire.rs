//! The only place that builds real adapters from configuration.

mod access;

use std::{cell::LazyCell, sync::Arc};

use aws_sdk_s3::config::SharedHttpClient;

pub use access::AuthError;
use access::Door;

use crate::{
    aws::{Account, Keys, http_client, sdk_config},
    cache::{
        Clock, DescriptorCache,
        breaker::Breaker,
        dynamodb::{self, DynamoDbCache},
        memory::{self, MemoryCache},
        none::NoCache,
        tiered::Tiered,
    },
    config::{CacheKind, Config, DirectUpload, Driver, DynamoDb, S3, Secret, Storage},
    driver::{
        DriverError, StorageDriver,
        cloudfront::CloudFront,
        filesystem::FilesystemDriver,
        memory::MemoryDriver,
        s3::{S3Config, S3Driver},
    },
    http::{App, Edge, Options as HttpOptions},
    storage::{DirectOptions, Options as StorageOptions, StorageRegistry, UploadSecret, Validation},
};

/// What one configuration describes, built. Nothing is asked over the network until something is asked of it.
pub struct Adapters<'a> {
    config: &'a Config,
    /// One client for both services: they share connections and the trusted certificates.
    http: LazyCell<SharedHttpClient>,
    driver: Arc<dyn StorageDriver>,
}

impl<'a> Adapters<'a> {
    /// Opens the storage of `config`; a folder is made when it is missing.
    ///
    /// # Errors
    /// [`DriverError`] when the folder cannot be used.
    pub async fn open(config: &'a Config) -> Result<Self, DriverError> {
        let http = LazyCell::new(http_client as fn() -> SharedHttpClient);
        let driver: Arc<dyn StorageDriver> = match &config.storage.driver {
            Driver::Filesystem { root } => Arc::new(FilesystemDriver::open(root)?),
            Driver::S3(bucket) => Arc::new(S3Driver::new(s3(bucket), &http).await),
            Driver::InMemory => Arc::new(MemoryDriver::new()),
        };
        Ok(Self { config, http, driver })
    }

    /// Where the bytes are.
    pub fn driver(&self) -> &Arc<dyn StorageDriver> {
        &self.driver
    }

    /// The API over the registry.
    ///
    /// # Errors
    /// [`AuthError`].
    pub async fn app(&self) -> Result<App, AuthError> {
        let config = self.config;
        let Door { access, tokens } = access::door(&config.auth, &self.driver)?;
        let options = StorageOptions {
            redirect: config.storage.redirect,
            cloudfront: cloudfront(&config.storage),
            direct: direct(&config.storage.direct_upload),
            validation: Validation { layers: config.validation.layers, platforms: config.validation.platforms },
            secret: config.http.secret.as_ref().map(|secret| UploadSecret::new(secret.expose().as_bytes())),
            clock: Clock::default(),
            // What is looked up ahead is remembered, or it is looked up in vain.
            look_ahead: matches!(config.storage.cache.kind, CacheKind::DynamoDb(_))
                && config.storage.cache.remember_access,
        };
        Ok(App {
            access,
            tokens,
            namespace: Arc::new(StorageRegistry::new(self.driver.clone(), self.cache().await, options)),
            options: HttpOptions {
                host: config.http.host.clone(),
                prefix: config.http.prefix.trim_end_matches('/').to_owned(),
                relative_urls: config.http.relative_urls && config.http.host.is_none(),
                headers: config.http.headers.clone(),
                deletes: config.storage.delete,
                request_timeout: None,
                largest_answer: None,
                access_log: config.log.access,
                explains: false,
                edge: Edge {
                    origin_secrets: exposed(&config.http.edge.origin_secrets).collect(),
                    required: config.http.edge.required,
                    upload_key: exposed(&config.http.edge.upload_keys).next(),
                },
            },
        })
    }

    async fn cache(&self) -> Arc<dyn DescriptorCache> {
        let storage = &self.config.storage;
        let memory = || {
            let entries = usize::try_from(storage.cache.entries).unwrap_or(usize::MAX);
            MemoryCache::new(memory::Options { entries, ..memory::Options::default() })
        };
        match &storage.cache.kind {
            CacheKind::None => Arc::new(NoCache::default()),
            CacheKind::InMemory => Arc::new(memory()),
            CacheKind::DynamoDb(table) => {
                let sdk = sdk_config(&self.http, &account(table, &storage.driver)).await;
                let options = dynamodb::Options { table: table.table.clone(), clock: Clock::default() };
                let shared = Breaker::new(Arc::new(DynamoDbCache::new(&sdk, options)), Clock::default());
                let tiered = Tiered::new(memory(), Arc::new(shared));
                Arc::new(if storage.cache.remember_access { tiered } else { tiered.forgetting_access() })
            }
        }
    }
}

fn s3(bucket: &S3) -> S3Config {
    S3Config {
        account: Account { region: bucket.region.clone(), endpoint: bucket.endpoint.clone(), keys: keys(bucket) },
        root: Some(bucket.root.clone()).filter(|root| !root.is_empty()),
        force_path_style: bucket.force_path_style,
        ..S3Config::new(&bucket.bucket)
    }
}

fn cloudfront(config: &Storage) -> Option<Arc<CloudFront>> {
    let (before, Driver::S3(bucket)) = (config.cloudfront.as_ref()?, &config.driver) else { return None };
    Some(Arc::new(CloudFront {
        key_pair_id: before.key_pair_id.clone(),
        key: before.key.clone(),
        root: bucket.root.clone(),
        life: before.life,
        clock: Clock::default(),
    }))
}

fn direct(config: &DirectUpload) -> DirectOptions {
    let default = DirectOptions::default();
    DirectOptions {
        largest_put: config.largest_put.unwrap_or(default.largest_put),
        part: config.part.unwrap_or(default.part),
        ..default
    }
}

/// The table is reached with the bucket's keys, where those are configured: who has one account has no second.
fn account(table: &DynamoDb, driver: &Driver) -> Account {
    let keys = if let Driver::S3(bucket) = driver { keys(bucket) } else { None };
    Account { region: table.region.clone(), endpoint: table.endpoint.clone(), keys }
}

fn exposed(secrets: &[Secret]) -> impl Iterator<Item = String> {
    secrets.iter().map(|secret| secret.expose().to_owned())
}

fn keys(bucket: &S3) -> Option<Keys> {
    let credentials = bucket.credentials.as_ref()?;
    Some(Keys { access: credentials.access_key.clone(), secret: credentials.secret_key.expose().to_owned() })
}
