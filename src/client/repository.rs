//! One repository of a registry somewhere else.

use std::sync::Arc;

use http::Method;

use super::{
    blobs::RemoteBlobs,
    door::Scopes,
    manifests::RemoteManifests,
    registry::Shared,
    signatures::RemoteSignatures,
    tags::RemoteTags,
    transport::{Answer, Failure, Request},
};
use crate::{
    api::{Query, Route},
    context::Context,
    distribution::{BlobService, ManifestService, Repository, SignatureService, TagService},
    name::RepositoryName,
};

/// A repository over HTTP.
pub struct RemoteRepository {
    pub(super) remote: Remote,
    blobs: RemoteBlobs,
    manifests: RemoteManifests,
    tags: RemoteTags,
    signatures: RemoteSignatures,
}

/// What its services are made of.
#[derive(Clone)]
pub(super) struct Remote {
    pub(super) shared: Arc<Shared>,
    pub(super) name: RepositoryName,
}

impl RemoteRepository {
    pub(super) fn new(shared: Arc<Shared>, name: RepositoryName) -> Self {
        let remote = Remote { shared, name };
        Self {
            blobs: RemoteBlobs(remote.clone()),
            manifests: RemoteManifests(remote.clone()),
            tags: RemoteTags(remote.clone()),
            signatures: RemoteSignatures(remote.clone()),
            remote,
        }
    }
}

impl Remote {
    /// A request of `method` for `route`.
    pub(super) fn request(&self, method: Method, route: &Route, scopes: Scopes) -> Request {
        Request::new(method, self.shared.transport.url(route, &Query::default()), scopes)
    }

    /// A request that reads `route`.
    pub(super) fn read(&self, method: Method, route: &Route) -> Request {
        self.request(method, route, Scopes::pull(&self.name))
    }

    pub(super) async fn send(&self, ctx: &Context, request: &Request) -> Result<Answer, Failure> {
        self.shared.transport.send(ctx, request).await
    }

    /// The answer to `request`, which is about `what`, if it has one of `statuses`.
    pub(super) async fn expect(
        &self,
        ctx: &Context,
        request: &Request,
        statuses: &[u16],
        what: &str,
    ) -> Result<Answer, Failure> {
        let answer = self.send(ctx, request).await?;
        if statuses.contains(&answer.status.as_u16()) { Ok(answer) } else { Err(answer.into_failure(what).await) }
    }

    pub(super) fn host(&self) -> &str {
        self.shared.transport.host().as_str()
    }
}

impl Repository for RemoteRepository {
    fn name(&self) -> &RepositoryName {
        &self.remote.name
    }

    fn blobs(&self) -> &dyn BlobService {
        &self.blobs
    }

    fn manifests(&self) -> &dyn ManifestService {
        &self.manifests
    }

    fn tags(&self) -> &dyn TagService {
        &self.tags
    }

    fn signatures(&self) -> &dyn SignatureService {
        &self.signatures
    }
}
