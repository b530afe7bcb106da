//! What travels with a call: which request, until when, for whom.

mod clock;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

pub use clock::Clock;

/// The context of a call. Cheap to clone; every service method takes one first.
#[derive(Debug, Clone)]
pub struct Context(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    request_id: String,
    deadline: Option<Instant>,
    caller: Caller,
    span: tracing::Span,
}

/// Who asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Caller {
    /// Nobody who said a name.
    #[default]
    Anonymous,
    /// Somebody whose name a controller has checked.
    Named(String),
    /// The registry itself: start-up, maintenance.
    Registry,
}

/// The deadline of the call has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time for this request ran out; try again")]
pub struct DeadlinePassed;

impl Context {
    /// A context for request `request_id`, asked by `caller`, to be answered before `deadline` if there is one.
    /// `span` is the tracing span that work done elsewhere (other tasks, threads) enters.
    pub fn new(request_id: String, caller: Caller, deadline: Option<Instant>, span: tracing::Span) -> Self {
        Self(Arc::new(Inner { request_id, deadline, caller, span }))
    }

    /// A context for work that the registry does of its own accord; `purpose` takes the place of a request id.
    pub fn background(purpose: &str) -> Self {
        Self::new(purpose.to_owned(), Caller::Registry, None, tracing::Span::current())
    }

    /// The same, asked by `caller`.
    #[must_use]
    pub fn asked_by(&self, caller: Caller) -> Self {
        let Inner { request_id, deadline, span, .. } = &*self.0;
        Self::new(request_id.clone(), caller, *deadline, span.clone())
    }

    /// The same, to be over before `deadline` if not earlier.
    #[must_use]
    pub fn before(&self, deadline: Instant) -> Self {
        let Inner { request_id, deadline: own, caller, span } = &*self.0;
        let deadline = own.map_or(deadline, |own| own.min(deadline));
        Self::new(request_id.clone(), caller.clone(), Some(deadline), span.clone())
    }

    /// The id that logs and the client's error answer share.
    pub fn request_id(&self) -> &str {
        &self.0.request_id
    }

    /// Who asks.
    pub fn caller(&self) -> &Caller {
        &self.0.caller
    }

    /// The span of the request.
    pub fn span(&self) -> &tracing::Span {
        &self.0.span
    }

    /// When the call must be over, if ever.
    pub fn deadline(&self) -> Option<Instant> {
        self.0.deadline
    }

    /// The time left: `None` without a deadline.
    ///
    /// # Errors
    /// [`DeadlinePassed`] when there is none left.
    pub fn remaining(&self) -> Result<Option<Duration>, DeadlinePassed> {
        match self.0.deadline {
            None => Ok(None),
            Some(deadline) => match deadline.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => Ok(Some(left)),
                _ => Err(DeadlinePassed),
            },
        }
    }
}
