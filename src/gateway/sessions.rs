//! Uploads that clients of the gateway have begun.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::spooled::Spooled;
use crate::{
    distribution::{BackendError, BackendErrorKind},
    name::RepositoryName,
};

/// How long a session stands that nobody touches: its client is gone.
const IDLE: Duration = Duration::from_secs(15 * 60);
/// Sessions at once: each has a file open.
const MOST: usize = 500;

/// All of them. They end with the process.
#[derive(Default)]
pub(super) struct Sessions(Mutex<HashMap<String, Arc<Session>>>);

/// One of them.
pub(super) struct Session {
    pub(super) id: String,
    name: RepositoryName,
    /// `None` when it is over. Held by who adds to it or sends it on.
    pub(super) spooled: tokio::sync::Mutex<Option<Spooled>>,
    size: AtomicU64,
    touched: Mutex<Instant>,
}

impl Sessions {
    /// Opens one for repository `name`.
    pub(super) fn open(&self, name: &RepositoryName, spooled: Spooled) -> Result<Arc<Session>, BackendError> {
        let mut sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| !session.is_idle());
        if sessions.len() >= MOST {
            let message =
                format!("{MOST} uploads are under way, which is as many as the gateway takes; try again later");
            return Err(BackendError::new(BackendErrorKind::Throttled, message));
        }
        let session = Arc::new(Session {
            id: Uuid::now_v7().to_string(),
            name: name.clone(),
            spooled: tokio::sync::Mutex::new(Some(spooled)),
            size: AtomicU64::new(0),
            touched: Mutex::new(Instant::now()),
        });
        sessions.insert(session.id.clone(), session.clone());
        Ok(session)
    }

    /// The session `id` of repository `name`.
    pub(super) fn get(&self, name: &RepositoryName, id: &str) -> Option<Arc<Session>> {
        let sessions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.get(id).filter(|session| session.name == *name).cloned().inspect(|session| session.touch())
    }

    /// Ends it. Its content goes with who holds it last.
    pub(super) fn end(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    /// Ends those whose clients are gone, now and then, for ever.
    pub(super) async fn sweep(self: Arc<Self>) {
        loop {
            tokio::time::sleep(IDLE / 4).await;
            self.0.lock().unwrap_or_else(PoisonError::into_inner).retain(|_, session| !session.is_idle());
        }
    }
}

impl Session {
    /// Bytes that it holds.
    pub(super) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Notes that it holds so many.
    pub(super) fn grew(&self, size: u64) {
        self.size.store(size, Ordering::Release);
        self.touch();
    }

    fn touch(&self) {
        *self.touched.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Whether nobody is at it, nor was for long.
    fn is_idle(&self) -> bool {
        let touched = *self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        touched.elapsed() > IDLE && self.spooled.try_lock().is_ok()
    }
}
