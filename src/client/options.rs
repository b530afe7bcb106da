//! How a client behaves.

use std::{sync::Arc, time::Duration};

use super::{Anonymous, Credentials, Host, KeptUploads, RetryPolicy, Scheme};

/// The piece of an upload in bytes, where nobody asks for another: what Lambda carries (6 MB as base64: "Lambda
/// quotas", AWS Lambda Developer Guide).
const PIECE: usize = 4 << 20;
/// Parts of one upload that are under way at once, where nobody asks for others: enough for S3, which bounds what one
/// connection reaches ("Performance guidelines for Amazon S3").
const PARTS: usize = 4;

/// Which registry, who asks, and how patiently.
#[derive(Clone)]
pub struct ClientOptions {
    /// The registry.
    pub host: Host,
    /// How it is spoken to.
    pub scheme: Scheme,
    /// Who asks.
    pub credentials: Arc<dyn Credentials>,
    /// `User-Agent` of every request.
    pub user_agent: String,
    /// What is tried again, and when.
    pub retry: RetryPolicy,
    /// How long to wait for what.
    pub patience: Patience,
    /// The most bytes that go into one request, where that is known beforehand; what the registry refuses is learnt.
    pub largest_body: Option<u64>,
    /// Bytes of a piece of an upload. So many are held in memory for each upload of a stream.
    pub piece: usize,
    /// Parts of one direct upload that are under way at once.
    pub parts_at_once: usize,
    /// Where direct uploads are noted that a later run goes on with, if anywhere.
    pub kept: Option<KeptUploads>,
}

/// How long to wait. There is no limit to how long a transfer takes that goes on.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For more bytes of a transfer, either way.
    pub stall: Duration,
    /// For an answer to begin, once a request is sent. Closing a large upload takes other registries minutes.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(10), stall: Duration::from_secs(60), answer: Duration::from_secs(300) }
    }
}

impl ClientOptions {
    /// Asks `host` as nobody in particular, with TLS unless it is on this machine.
    pub fn new(host: Host) -> Self {
        Self {
            scheme: host.scheme(),
            host,
            credentials: Arc::new(Anonymous),
            user_agent: concat!("berth/", env!("CARGO_PKG_VERSION")).to_owned(),
            retry: RetryPolicy::default(),
            patience: Patience::default(),
            largest_body: None,
            piece: PIECE,
            parts_at_once: PARTS,
            kept: None,
        }
    }
}
