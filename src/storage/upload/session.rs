//! Opening and continuing sessions.

use std::{sync::Arc, time::Duration};

use uuid::Uuid;

use super::{
    direct::DirectOptions,
    record::{Log, Progress, Record},
    secrets::UploadSecrets,
    state::UploadSecret,
};
use crate::{
    context::Context,
    digest::{Algorithm, MultiHasher},
    distribution::{BackendError, BackendErrorKind, UploadError},
    driver::{DirectStore, StorageDriver},
    name::RepositoryName,
};

/// How long a session lives, from its opening. Purging may take everything older.
pub(super) const SESSION_LIFE: Duration = Duration::from_secs(7 * 24 * 3600);

/// The upload sessions of one repository.
#[derive(Clone)]
pub(in crate::storage) struct Sessions {
    pub(super) driver: Arc<dyn StorageDriver>,
    pub(super) repository: RepositoryName,
    pub(super) secrets: Arc<UploadSecrets>,
    direct: DirectOptions,
    /// Whether clients are sent to the backend.
    redirect: bool,
}

/// A session as far as one request knows it.
pub(super) struct Session {
    pub(super) sessions: Sessions,
    pub(super) secret: UploadSecret,
    pub(super) id: String,
    pub(super) progress: Progress,
}

impl Sessions {
    pub(in crate::storage) fn new(
        driver: Arc<dyn StorageDriver>,
        repository: RepositoryName,
        secrets: Arc<UploadSecrets>,
        direct: DirectOptions,
        redirect: bool,
    ) -> Self {
        Self { driver, repository, secrets, direct, redirect }
    }

    /// The driver's way of taking content that does not pass through the registry, if it has one and that is wanted.
    pub(super) fn way(&self) -> Option<(&dyn DirectStore, &DirectOptions)> {
        self.staging().filter(|_| self.redirect)
    }

    /// The same for content that the edge hands to the driver, which needs no client to be sent anywhere.
    pub(super) fn staging(&self) -> Option<(&dyn DirectStore, &DirectOptions)> {
        self.driver.direct().map(|way| (way, &self.direct))
    }

    /// Opens a session. Nothing is stored.
    pub(super) async fn open(&self, ctx: &Context, algorithm: Algorithm) -> Result<Session, UploadError> {
        let secret = self.secrets.signer(ctx).await?;
        // Version 7 carries the time of opening, which spares a file that would say it.
        let id = Uuid::now_v7().to_string();
        Ok(Session { sessions: self.clone(), secret, id, progress: Progress::new(algorithm) })
    }

    /// The session `id` as its `state` has it; storage is not asked.
    pub(super) async fn resume(&self, ctx: &Context, id: &str, state: &str) -> Result<Session, UploadError> {
        let verify = |secret: &UploadSecret| secret.verify(&self.repository, id, state);
        let progress = self.secrets.verify(ctx, verify).await?.ok_or(UploadError::StateInvalid)?;
        let secret = self.secrets.signer(ctx).await?;
        let opened = id.parse::<Uuid>().ok().and_then(|id| id.get_timestamp());
        let age = opened.map(|time| {
            let (seconds, nanoseconds) = time.to_unix();
            let opened = std::time::UNIX_EPOCH + Duration::new(seconds, nanoseconds);
            // A clock that runs behind the one that opened the session counts as no time passed.
            std::time::SystemTime::now().duration_since(opened).unwrap_or_default()
        });
        if age.is_none_or(|age| age > SESSION_LIFE) {
            return Err(UploadError::Unknown(id.to_owned()));
        }
        Ok(Session { sessions: self.clone(), secret, id: id.to_owned(), progress })
    }
}

impl Progress {
    /// Nothing stored, of content to be named by `algorithm`.
    fn new(algorithm: Algorithm) -> Self {
        Self { hashes: MultiHasher::new(algorithm).save(), ..Self::default() }
    }
}

impl Session {
    pub(super) fn log(&self) -> Log<'_> {
        Log { driver: &*self.sessions.driver, repository: &self.sessions.repository, id: &self.id }
    }

    pub(super) fn unknown(&self) -> UploadError {
        UploadError::Unknown(self.id.clone())
    }

    /// The hash so far.
    pub(super) fn hasher(&self) -> Result<MultiHasher, UploadError> {
        MultiHasher::resume(&self.progress.hashes)
            .map_err(|error| BackendError::new(BackendErrorKind::Failed, error.to_string()).into())
    }

    /// Goes to the newest record.
    pub(super) async fn refresh(&mut self, ctx: &Context) -> Result<(), UploadError> {
        let carried = self.progress.number;
        loop {
            match self.log().read(ctx, self.progress.number + 1).await.map_err(BackendError::from)? {
                Some(Record::Open(progress)) => self.progress = progress,
                Some(Record::Cancelled) => return Err(self.unknown()),
                None => break,
            }
        }
        // No news of a session that holds something means that it stands as carried, or is over and gone.
        if self.progress.number == carried && carried > 0 {
            self.load(ctx).await?;
        }
        Ok(())
    }

    /// Reads the record that this session stands at, for the chunks that a URL does not carry.
    pub(super) async fn load(&mut self, ctx: &Context) -> Result<(), UploadError> {
        match self.log().read(ctx, self.progress.number).await.map_err(BackendError::from)? {
            Some(Record::Open(progress)) => {
                self.progress = progress;
                Ok(())
            }
            Some(Record::Cancelled) | None => Err(self.unknown()),
        }
    }
}
