//! The cache that all instances share: a DynamoDB table with string keys `pk` and `sk`.
//!
//! | row | `pk` | `sk` | attributes |
//! |---|---|---|---|
//! | content, of a repository | `repository#<name>#<digest>` | `layers` or `manifests` | `size`, `type`, `expires` |
//! | content, global | `blob#<digest>` | `descriptor` | `size`, `expires` |
//! | another name of content | as above, by the provisional digest | as above | `canonical`, `expires` |
//! | tombstone | as above | as above | `deleted`, `expires` |
//!
//! `size` is in bytes, `type` the media type (absent: `application/octet-stream`), `canonical` a digest. `expires` is
//! the table's TTL attribute, in seconds since 1970; DynamoDB deletes days late ("Using time to live (TTL) in
//! DynamoDB"), so that rows past it are not taken for anything here. `deleted` is until when nothing may be set, in
//! the same unit. A repository's rows have its name and the digest in their partition key, so that a repository that
//! everybody pulls is spread over partitions.
//!
//! - Reads are strongly consistent: once [`clear`](crate::distribution::BlobDescriptorService::clear) has answered, no
//!   instance is granted access by this table any more. It costs 0.5 read units a row more.
//! - Whatever is set is set on condition that no tombstone is there; several rows in one transaction.
//! - What goes by another name needs two reads: of the name, and of the content that grants.
//! - A repository's names live less long than a tombstone. A name that was set before a clear is thus gone before the
//!   content can be set again, and does not come back with it.
//! - A table that does not exist fails look-ups as any failure does, but has nothing to be cleared.

mod failure;
mod rows;
mod scope_rows;
mod table;
mod writes;

use std::{sync::Arc, time::Duration};

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{Client, config};

use self::{scope_rows::ScopeRows, table::Table};
use super::{Clock, DescriptorCache, LinkSet, none::NoCache, scope::Scope};
use crate::{distribution::BlobDescriptorService, name::RepositoryName};

/// How long content is remembered. Rows are as good as the day they were set, unless other programs delete links of
/// the same bucket: then this is how long Berth may go on granting access.
pub const CONTENT_LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a repository remembers another name of content: less than [`super::TOMBSTONE_LIFE`], by more than clocks
/// of instances differ.
pub const NAME_LIFE: Duration = Duration::from_secs(14 * 60);

/// How long a connection may take: a cache must not cost more than it saves.
const CONNECT_TIMEOUT: Duration = Duration::from_millis(500);

/// How long one attempt of a request may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(1);

/// Attempts of one request.
const ATTEMPTS: u32 = 2;

/// The pause before the second attempt, at most.
const BACKOFF: Duration = Duration::from_millis(50);

/// How the cache is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// The table's name.
    pub table: String,
    /// What tells the time.
    pub clock: Clock,
}

/// The cache in a DynamoDB table.
pub struct DynamoDbCache {
    table: Arc<Table>,
    near: NoCache,
    clock: Clock,
}

impl DynamoDbCache {
    /// The cache in the table of `options`, reached as `sdk` says (HTTP client, region, endpoint, credentials). Its
    /// timeouts and retries are those of a cache, whatever `sdk` says of them. Asks nothing yet.
    pub fn new(sdk: &SdkConfig, options: Options) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .operation_attempt_timeout(ATTEMPT_TIMEOUT)
            .operation_timeout(ATTEMPT_TIMEOUT * ATTEMPTS + BACKOFF)
            .build();
        let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS).with_initial_backoff(BACKOFF);
        let config = config::Builder::from(sdk).timeout_config(timeouts).retry_config(retries).build();
        Self {
            table: Arc::new(Table::new(Client::from_conf(config), options.table)),
            near: NoCache::default(),
            clock: options.clock,
        }
    }

    fn scope(&self, scope: Scope) -> Arc<dyn BlobDescriptorService> {
        Arc::new(ScopeRows { scope, table: self.table.clone(), clock: self.clock.clone() })
    }
}

impl DescriptorCache for DynamoDbCache {
    fn global(&self) -> Arc<dyn BlobDescriptorService> {
        self.scope(Scope::Global)
    }

    fn scoped(&self, name: &RepositoryName, links: LinkSet) -> Arc<dyn BlobDescriptorService> {
        self.scope(Scope::Repository(name.clone(), links))
    }

    fn near(&self, name: &RepositoryName, links: LinkSet) -> Arc<dyn BlobDescriptorService> {
        // Nothing of it lies in this process.
        self.near.near(name, links)
    }
}
