//! What is counted and measured.

use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

/// Sums over a function's life, as its metrics have them ("Types of metrics for Lambda functions").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counters {
    /// Events accepted.
    pub invocations: u64,
    /// Processes started, or tried.
    pub starts: u64,
    /// Events that waited for a process to start for them.
    pub cold_starts: u64,
    /// Events without an answer, whatever the cause.
    pub errors: u64,
    /// Of these, those whose time was over.
    pub timeouts: u64,
    /// Events refused because all instances were busy; not among the invocations.
    pub throttles: u64,
    /// Milliseconds to pay for: each invocation from its hand-over until the instance asks for the next, with the start of its
    /// process where it is that process's first, rounded up.
    pub billed_ms: u64,
}

/// What an instance is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It has not asked for an event yet.
    Starting,
    /// It waits for an event, running.
    Idle,
    /// It waits for an event, stopped.
    Frozen,
    /// It handles an event.
    Busy,
}

/// One instance, as it is now.
#[derive(Clone, Debug, Serialize)]
pub struct InstanceView {
    /// Its number: the first that the function started is 1.
    pub id: u64,
    /// Its process.
    pub pid: u32,
    /// What it is doing.
    pub state: State,
    /// Events handed to it so far.
    pub invocations: u64,
    /// Bytes in memory now; none where the system does not say.
    pub resident: Option<u64>,
    /// Bytes in memory at most so far.
    pub peak_resident: Option<u64>,
}

/// How one process started. Durations are from just before `exec`, in milliseconds where this is JSON.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Start {
    /// The instance's number.
    pub instance: u64,
    /// Its process.
    pub pid: u32,
    /// When it was started.
    #[serde(rename = "spawned_at_ms", serialize_with = "since_epoch")]
    pub spawned_at: SystemTime,
    /// Until it asked for its first event; none before that.
    #[serde(rename = "first_poll_ms", serialize_with = "millis")]
    pub first_poll: Option<Duration>,
    /// Until it had answered its first event; none before that. Only of an instance that was started for an event is this a
    /// cold start: others wait in between.
    #[serde(rename = "first_answer_ms", serialize_with = "millis")]
    pub first_answer: Option<Duration>,
}

fn since_epoch<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u128(super::event::epoch_millis(*time))
}

fn millis<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    duration.map(|duration| duration.as_secs_f64() * 1e3).serialize(serializer)
}
