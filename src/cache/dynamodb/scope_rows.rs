//! The rows of one scope, as a descriptor service.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;

use super::{
    failure::{Failure, Reason},
    rows::{Row, RowKey},
    table::{Rows, Table, Written},
    writes::Batch,
};
use crate::{
    cache::{Clock, scope::Scope},
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BackendError, BlobDescriptorService, BlobError, BlobStatter},
};

pub(super) struct ScopeRows {
    pub(super) scope: Scope,
    pub(super) table: Arc<Table>,
    pub(super) clock: Clock,
}

impl ScopeRows {
    fn key(&self, digest: &Digest) -> RowKey {
        RowKey::new(&self.scope, digest)
    }

    async fn row(&self, ctx: &Context, digest: &Digest) -> Result<Option<Row>, Failure> {
        let item = self.table.get(ctx, &self.key(digest)).await?;
        Ok(item.and_then(|item| Row::read(digest, &item, self.clock.now())))
    }

    /// What the rows of `digests` say, each asked for once.
    async fn rows(
        &self,
        ctx: &Context,
        digests: impl Iterator<Item = Digest>,
    ) -> Result<HashMap<Digest, Row>, Failure> {
        let digests: HashSet<Digest> = digests.collect();
        if digests.is_empty() {
            return Ok(HashMap::new());
        }
        let keys: Vec<RowKey> = digests.iter().map(|digest| self.key(digest)).collect();
        let rows: Rows = self.table.get_many(ctx, &keys).await?;
        let now = self.clock.now();
        let said = digests.into_iter().zip(&keys);
        Ok(said.filter_map(|(digest, key)| Some((digest, Row::read(&digest, rows.get(key)?, now)?))).collect())
    }

    /// Leaves a tombstone in place of the row of `digest`. Where there is no table there is nothing to be cleared.
    async fn bury(&self, ctx: &Context, digest: &Digest) -> Result<(), Failure> {
        match self.table.overwrite(ctx, self.key(digest).tombstone(self.clock.now())).await {
            Err(Failure { reason: Reason::NoTable, .. }) => Ok(()),
            outcome => outcome,
        }
    }

    /// The content that `digest` names, if that is known.
    async fn named(&self, ctx: &Context, digest: &Digest) -> Result<Option<Digest>, Failure> {
        if digest.is_canonical() {
            return Ok(None);
        }
        match self.row(ctx, digest).await {
            Ok(Some(Row::Name(canonical))) => Ok(Some(canonical)),
            Ok(_) | Err(Failure { reason: Reason::NoTable, .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

#[async_trait]
impl BlobStatter for ScopeRows {
    async fn stat(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        let mut row = self.row(ctx, digest).await.map_err(BackendError::from)?;
        if let Some(Row::Name(canonical)) = row {
            row = self.row(ctx, &canonical).await.map_err(BackendError::from)?;
        }
        match row {
            Some(Row::Content(descriptor)) => Ok(descriptor),
            _ => Err(BlobError::Unknown(*digest)),
        }
    }

    async fn stat_many(&self, ctx: &Context, digests: &[Digest]) -> Result<Vec<Option<Descriptor>>, BackendError> {
        let mut rows = self.rows(ctx, digests.iter().copied()).await?;
        let named = rows.values().filter_map(|row| match row {
            Row::Name(canonical) if !digests.contains(canonical) => Some(*canonical),
            _ => None,
        });
        let more = self.rows(ctx, named.collect::<Vec<_>>().into_iter()).await?;
        rows.extend(more);
        let content = |digest| match rows.get(digest)? {
            Row::Content(descriptor) => Some(descriptor.clone()),
            Row::Name(canonical) => match rows.get(canonical)? {
                Row::Content(descriptor) => Some(descriptor.clone()),
                Row::Name(_) => None,
            },
        };
        Ok(digests.iter().map(content).collect())
    }
}

#[async_trait]
impl BlobDescriptorService for ScopeRows {
    async fn set_descriptor(&self, ctx: &Context, digest: &Digest, descriptor: &Descriptor) -> Result<(), BlobError> {
        self.set_many(ctx, &[(*digest, descriptor.clone())]).await
    }

    async fn set_many(&self, ctx: &Context, entries: &[(Digest, Descriptor)]) -> Result<(), BlobError> {
        let now = self.clock.now();
        for batch in Batch::of(&self.scope, entries, now)? {
            let written = self.table.set(ctx, batch.rows().to_vec(), now).await.map_err(BackendError::from)?;
            if let Written::Cancelled(refused) = written {
                // Once more without what was refused. Who is refused then has lost a race, and may stay unset.
                self.table.set(ctx, batch.without(&refused), now).await.map_err(BackendError::from)?;
            }
        }
        Ok(())
    }

    async fn clear(&self, ctx: &Context, digest: &Digest) -> Result<(), BlobError> {
        // The content first: should the name's turn fail, the name still leads here when it is cleared again.
        if let Some(canonical) = self.named(ctx, digest).await.map_err(BackendError::from)? {
            self.bury(ctx, &canonical).await.map_err(BackendError::from)?;
        }
        Ok(self.bury(ctx, digest).await.map_err(BackendError::from)?)
    }
}
