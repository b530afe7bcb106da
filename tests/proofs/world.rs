//! What every proof is made and checked in: a clock that tests set, and what a verifier says.

use std::{
    fmt::Debug,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use berth::{
    auth::{
        Identity,
        proof::{Offer, ProofError, Verifier},
    },
    context::{Clock, Context},
};

/// The registry's host, as clients reach it.
pub(crate) const REGISTRY: &str = "registry.example.com";

/// The system's time, and a number of seconds that a test adds.
#[derive(Clone, Default)]
pub(crate) struct Hands(Arc<AtomicI64>);

impl Hands {
    pub(crate) fn clock(&self) -> Clock {
        let hands = self.clone();
        Clock::new(move || hands.now().duration_since(UNIX_EPOCH).unwrap())
    }

    pub(crate) fn now(&self) -> SystemTime {
        let ahead = self.0.load(Ordering::Relaxed);
        let seconds = Duration::from_secs(ahead.unsigned_abs());
        if ahead < 0 { SystemTime::now() - seconds } else { SystemTime::now() + seconds }
    }

    /// Turns them forwards; backwards when negative.
    pub(crate) fn turn(&self, seconds: i64) {
        self.0.fetch_add(seconds, Ordering::Relaxed);
    }
}

/// What `verifier` says to `password`, offered to [`REGISTRY`].
pub(crate) async fn verify(verifier: &dyn Verifier, password: &str) -> Result<Option<Identity>, ProofError> {
    let offer = Offer { host: REGISTRY, name: "anything \u{1f40b}:\"", password };
    verifier.verify(&Context::background("test"), &offer).await
}

/// Whom `password` proves.
pub(crate) async fn proven(verifier: &dyn Verifier, password: &str) -> String {
    verify(verifier, password).await.unwrap().expect("the offer is of this kind").to_string()
}

/// Why `password` is refused.
pub(crate) async fn refused(verifier: &dyn Verifier, password: &str, what: &(impl Debug + ?Sized)) -> String {
    match verify(verifier, password).await {
        Err(ProofError::Wrong(reason)) => reason,
        other => panic!("{what:?}: not refused but {other:?}"),
    }
}

/// Why nobody can say now whether `password` is good.
pub(crate) async fn unavailable(verifier: &dyn Verifier, password: &str, what: &(impl Debug + ?Sized)) -> String {
    match verify(verifier, password).await {
        Err(ProofError::Unavailable(error)) => error.to_string(),
        other => panic!("{what:?}: not unavailable but {other:?}"),
    }
}
