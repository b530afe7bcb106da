//! A client that waits for nothing, and what it says.

use std::{
    fmt::Debug,
    sync::{Arc, Mutex},
    time::Duration,
};

use berth::{
    client::{ClientOptions, Credential, Patience, Registry, RemoteRepository, RetryPolicy, Source},
    config::Secret,
    context::Context,
    digest::Digest,
};
use bytes::Bytes;
use futures_util::FutureExt as _;

use crate::server::Server;

/// Retries of each request.
pub(crate) const RETRIES: u32 = 3;

/// A client, and the pauses that it would have made.
pub(crate) struct Client {
    pub(crate) registry: Registry,
    pub(crate) ctx: Context,
    pub(crate) pauses: Arc<Mutex<Vec<Duration>>>,
}

/// Of whoever is logged in as alice.
pub(crate) fn alice() -> Credential {
    Credential::Password { name: "alice".to_owned(), password: Secret::new("wonderland") }
}

/// Her Authorization, as RFC 7617 has it.
pub(crate) const ALICE: &str = "Basic YWxpY2U6d29uZGVybGFuZA==";

impl Client {
    /// Of `server`, by nobody.
    pub(crate) fn of(server: &Server) -> Self {
        Self::with(server, |_| {})
    }

    /// Of `server`, set up further.
    pub(crate) fn with(server: &Server, set: impl FnOnce(&mut ClientOptions)) -> Self {
        let pauses: Arc<Mutex<Vec<Duration>>> = Arc::default();
        let noted = pauses.clone();
        let pause = move |pause| {
            noted.lock().unwrap().push(pause);
            std::future::ready(()).boxed()
        };
        let retry = RetryPolicy { retries: RETRIES, pause: Arc::new(pause), ..RetryPolicy::default() };
        let mut options = ClientOptions { retry, ..ClientOptions::new(server.addr.to_string().parse().unwrap()) };
        set(&mut options);
        Self { registry: Registry::connect(options).unwrap(), ctx: Context::background("test"), pauses }
    }

    pub(crate) fn repository(&self) -> RemoteRepository {
        self.registry.remote(&"app".parse().unwrap())
    }
}

/// Patience for `patience` with everything.
pub(crate) fn impatient(patience: Duration) -> Patience {
    Patience { connect: patience, stall: patience, answer: patience }
}

/// That `result` failed with a sentence that holds all of `parts`, on one line and without control characters.
#[track_caller]
pub(crate) fn says<T, E: ToString + Debug>(result: Result<T, E>, parts: &[&str]) {
    let Err(error) = result else { panic!("it went well") };
    let said = error.to_string();
    assert!(!said.chars().any(char::is_control), "{said:?}");
    assert!(said.len() < 1000, "{said}");
    for part in parts {
        assert!(said.contains(part), "no {part:?} in: {said}");
    }
}

/// `content` as what is pushed, and its digest.
pub(crate) fn source(content: &Bytes) -> (Digest, Arc<dyn Source>) {
    (Digest::canonical(content), Arc::new(content.clone()))
}
