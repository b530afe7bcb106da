//! A registry somewhere else, by the interfaces that storage has.

use std::sync::{Arc, OnceLock, atomic::AtomicU64};

use async_trait::async_trait;

use super::{
    ClientOptions, ConnectError, Host, KeptUploads, RemoteRepository,
    door::Scopes,
    lists::{Listing, entries},
    transport::{Failure, Request, Transport},
};
use crate::{
    api::{Query, Route},
    context::Context,
    distribution::{BackendError, Namespace, Page, Paging, Repository},
    name::RepositoryName,
};

/// A registry over HTTP. Cheap to clone; clones share connections, tokens and what was learnt of the registry.
#[derive(Clone)]
pub struct Registry(pub(super) Arc<Shared>);

/// What all services of one registry share.
pub(super) struct Shared {
    pub(super) transport: Transport,
    /// The most bytes that the registry takes in one request, as far as is known.
    pub(super) largest_body: AtomicU64,
    /// Bytes of a piece of an upload.
    pub(super) piece: usize,
    /// Whether the registry has blobs sent to its storage, once it was asked for that.
    pub(super) is_direct: OnceLock<bool>,
    /// Parts of one direct upload at once.
    pub(super) parts_at_once: usize,
    pub(super) kept: Option<KeptUploads>,
}

impl Registry {
    /// A client with these options. Nothing is asked of the registry yet.
    ///
    /// # Errors
    /// [`ConnectError`].
    pub fn connect(options: ClientOptions) -> Result<Self, ConnectError> {
        let transport = Transport::new(&options)?;
        let largest_body = AtomicU64::new(options.largest_body.unwrap_or(u64::MAX));
        let (piece, parts_at_once) = (options.piece.max(1), options.parts_at_once.max(1));
        let is_direct = OnceLock::new();
        Ok(Self(Arc::new(Shared { transport, largest_body, piece, is_direct, parts_at_once, kept: options.kept })))
    }

    /// The registry's name.
    pub fn host(&self) -> &Host {
        self.0.transport.host()
    }

    /// Asks whether it is a registry that lets this client in (OCI distribution specification, "Determining Support").
    ///
    /// # Errors
    /// [`BackendError`] says what is there instead.
    pub async fn check(&self, ctx: &Context) -> Result<(), BackendError> {
        let transport = &self.0.transport;
        let url = transport.url(&Route::Base, &Query::default());
        let answer = transport.send(ctx, &Request::new(http::Method::GET, url, Scopes::none())).await?;
        match answer.status.as_u16() {
            200 => Ok(()),
            401 | 403 | 429 | 500.. => Err(answer.into_failure("GET /v2/").await.into()),
            status => {
                let what = format!("answers {status} to GET /v2/, as no registry does; is the name right?");
                Err(Failure::wrong(&answer.host(), what).into())
            }
        }
    }

    /// [`Namespace::repository`], with what a client can do beyond the interfaces.
    pub fn remote(&self, name: &RepositoryName) -> RemoteRepository {
        RemoteRepository::new(self.0.clone(), name.clone())
    }
}

#[async_trait]
impl Namespace for Registry {
    fn repository(&self, name: &RepositoryName) -> Arc<dyn Repository> {
        Arc::new(self.remote(name))
    }

    async fn repositories(&self, ctx: &Context, paging: &Paging) -> Result<Page<RepositoryName>, BackendError> {
        let listing = Listing { transport: &self.0.transport, route: Route::Catalog, scopes: Scopes::catalog() };
        let page = listing.read(ctx, paging).await?;
        Ok(entries(self.host(), page)?)
    }
}
