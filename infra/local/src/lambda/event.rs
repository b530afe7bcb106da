//! One event on its way to an instance, and its answer on the way back.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::InvokeError;

/// What a caller waits for.
pub(super) type Outcome = Result<Bytes, InvokeError>;

/// An event that no instance has been given yet.
#[derive(Debug)]
pub(super) struct Invocation {
    pub(super) id: String,
    pub(super) payload: Bytes,
    /// Nobody may be listening any more: the event is handled all the same, as at AWS.
    pub(super) reply: oneshot::Sender<Outcome>,
}

/// An event as the Runtime API hands it over.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) payload: Bytes,
    /// Milliseconds since 1970 at which the instance is killed.
    pub(super) deadline: u128,
}

/// A request id in the form that Lambda gives it: a random UUID.
pub(super) fn request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// Milliseconds since 1970.
pub(super) fn epoch_millis(time: SystemTime) -> u128 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

/// The X-Ray trace of a request ("Tracing header", AWS X-Ray Developer Guide): nobody keeps it here.
pub(super) fn trace(request_id: &str, time: SystemTime) -> String {
    let unique: String = request_id.chars().filter(char::is_ascii_hexdigit).take(24).collect();
    format!("Root=1-{:08x}-{unique}", epoch_millis(time) / 1000)
}
