//! Why an invocation has no answer.

use std::time::Duration;

/// The outcome of an invocation that the function did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvokeError {
    /// The event is larger than Lambda takes; no instance has seen it.
    #[error("the event has {size} bytes, more than {limit}")]
    TooLarge {
        /// Bytes of the event.
        size: usize,
        /// The most that is taken.
        limit: usize,
    },
    /// Every instance is busy, and the function was told to refuse then.
    #[error("every instance is busy")]
    Throttled,
    /// The function reported an error, or answered more than Lambda takes (`Function.ResponseSizeTooLarge`). The instance lives on.
    #[error("{kind}: {payload}")]
    Function {
        /// The error's type: of the `Lambda-Runtime-Function-Error-Type` header, or Lambda's own.
        kind: String,
        /// What the function posted, JSON by custom.
        payload: String,
    },
    /// The function's time was over; its instance was killed.
    #[error("task timed out after {:.2} seconds", .0.as_secs_f64())]
    TimedOut(Duration),
    /// The instance ended while it handled the event: by itself, or killed on command.
    #[error("the instance ended in mid-request: {0}")]
    Exited(String),
    /// The instance that was started for the event never asked for it.
    #[error("the instance did not start: {0}")]
    Init(String),
    /// The function is stopped.
    #[error("the function is stopped")]
    Stopped,
}
