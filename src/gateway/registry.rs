//! The registry that the gateway is.

use std::sync::Arc;

use async_trait::async_trait;

use super::{Spool, known::Known, repository::GatewayRepository, sessions::Sessions};
use crate::{
    client::Registry,
    context::Context,
    distribution::{BackendError, Namespace, Page, Paging, Repository},
    name::RepositoryName,
};

/// Another registry, whose blobs are taken in here first.
pub struct Gateway(Arc<Shared>);

/// What all repositories share.
pub(super) struct Shared {
    pub(super) registry: Registry,
    pub(super) spool: Spool,
    pub(super) sessions: Arc<Sessions>,
    pub(super) known: Known,
}

impl Gateway {
    /// A gateway to `registry`, which keeps in `spool` what is not there yet. Within a runtime: uploads that are given up
    /// are seen to there.
    pub fn new(registry: Registry, spool: Spool) -> Self {
        let sessions = Arc::<Sessions>::default();
        tokio::spawn(sessions.clone().sweep());
        Self(Arc::new(Shared { registry, spool, sessions, known: Known::default() }))
    }
}

#[async_trait]
impl Namespace for Gateway {
    fn repository(&self, name: &RepositoryName) -> Arc<dyn Repository> {
        Arc::new(GatewayRepository::new(self.0.clone(), name))
    }

    async fn repositories(&self, ctx: &Context, paging: &Paging) -> Result<Page<RepositoryName>, BackendError> {
        self.0.registry.repositories(ctx, paging).await
    }
}
