//! Where the checks push, and what they have left there so far.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::{
    client::{Host, Registry, RemoteRepository, Source},
    digest::Digest,
    distribution::{BackendError, BackendErrorKind},
    name::{RepositoryName, Tag},
};

/// The repository.
pub(super) struct TestRepository {
    pub(super) host: Host,
    pub(super) name: RepositoryName,
    pub(super) remote: RemoteRepository,
    made: Mutex<Made>,
}

/// What is there by these checks.
#[derive(Default)]
pub(super) struct Made {
    pub(super) blobs: Vec<Digest>,
    pub(super) image: Option<Image>,
}

/// A pushed image.
#[derive(Clone)]
pub(super) struct Image {
    pub(super) tag: Tag,
    pub(super) digest: Digest,
    pub(super) layer: Bytes,
}

impl TestRepository {
    pub(super) fn new(registry: &Registry, name: &RepositoryName) -> Self {
        let (host, remote) = (registry.host().clone(), registry.remote(name));
        Self { host, name: name.clone(), remote, made: Mutex::default() }
    }

    pub(super) fn made(&self) -> MutexGuard<'_, Made> {
        // A panic elsewhere leaves a list that is as good as before.
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records that `content` may be there from now on, also where its push fails midway.
    pub(super) fn note(&self, content: &Bytes) -> (Digest, Arc<dyn Source>) {
        let digest = Digest::canonical(content);
        self.made().blobs.push(digest);
        (digest, Arc::new(content.clone()))
    }

    /// Records that a blob cannot be there.
    pub(super) fn forget(&self, digest: &Digest) {
        self.made().blobs.retain(|made| made != digest);
    }

    /// What to do about an `error` of a push (`action` "push") or a pull.
    pub(super) fn fix(&self, error: Option<&BackendError>, action: &str) -> String {
        let Self { host, name, .. } = self;
        match error.map(|error| error.kind) {
            Some(BackendErrorKind::Denied) => format!(
                "the rules of {host} must allow this login to {action} on {name}; to use a repository where it may \
                 already: --repository NAME"
            ),
            Some(BackendErrorKind::Throttled | BackendErrorKind::Timeout) => {
                format!("wait and try again; the log of {host} shows what takes so long")
            }
            _ => format!("see the log of {host}"),
        }
    }
}
