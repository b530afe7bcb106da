//! What is seen of the edge.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// What became of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Handled {
    /// It is under way.
    Running,
    /// An origin answered it.
    Origin,
    /// A function answered it.
    Answered,
    /// CloudFront refused it: its method, its signature, its length.
    Refused,
    /// A function failed, or an origin did.
    Failed,
}

/// One request of a viewer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EdgeRequest {
    /// Position in the log, from 0.
    pub sequence: u64,
    /// Its method.
    pub method: String,
    /// Its path and query, as the viewer sent them.
    pub uri: String,
    /// What became of it.
    pub handled: Handled,
    /// The Id of the origin that it was sent to.
    pub origin: Option<String>,
    /// The path and query that the origin was sent.
    pub sent: Option<String>,
    /// The status that the viewer got; none while there is none, or when the connection broke.
    pub status: Option<u16>,
    /// The status that the origin answered.
    pub origin_status: Option<u16>,
    /// Bytes of its body that were read so far.
    pub request_bytes: u64,
    /// Why it was refused, or failed.
    pub reason: Option<String>,
    /// Lines that functions wrote to their console.
    pub log: Vec<String>,
    /// How often a function ran for it.
    pub function_runs: u32,
    /// The most of its steps that a function took for it: [`Ran::utilization`](super::Ran::utilization).
    pub utilization: u32,
}

#[derive(Debug)]
struct Entry {
    request: EdgeRequest,
    bytes: Arc<AtomicU64>,
}

/// Every request since the start or the last reset.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<Vec<Arc<Mutex<Entry>>>>);

/// A request's entry, to be completed on the way. It may be forgotten meanwhile.
#[derive(Clone, Debug)]
pub(super) struct Place(Arc<Mutex<Entry>>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Place {
    /// Where the bytes of its body are counted.
    pub(super) fn bytes(&self) -> Arc<AtomicU64> {
        Arc::clone(&lock(&self.0).bytes)
    }

    pub(super) fn note(&self, change: impl FnOnce(&mut EdgeRequest)) {
        change(&mut lock(&self.0).request);
    }
}

impl Log {
    pub(super) fn open(&self, method: &str, uri: &str) -> Place {
        let mut entries = lock(&self.0);
        let request = EdgeRequest {
            sequence: entries.len() as u64,
            method: method.to_owned(),
            uri: uri.to_owned(),
            handled: Handled::Running,
            origin: None,
            sent: None,
            status: None,
            origin_status: None,
            request_bytes: 0,
            reason: None,
            log: Vec::new(),
            function_runs: 0,
            utilization: 0,
        };
        let entry = Arc::new(Mutex::new(Entry { request, bytes: Arc::default() }));
        entries.push(Arc::clone(&entry));
        Place(entry)
    }

    pub(super) fn requests(&self) -> Vec<EdgeRequest> {
        let entries = lock(&self.0);
        let snapshot = |entry: &Arc<Mutex<Entry>>| {
            let entry = lock(entry);
            EdgeRequest { request_bytes: entry.bytes.load(Ordering::Relaxed), ..entry.request.clone() }
        };
        entries.iter().map(snapshot).collect()
    }

    /// How many requests each origin answered, by its Id, and how many were `answered`, `refused`, `failed` without.
    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for request in self.requests() {
            let name = match request.handled {
                Handled::Running => continue,
                Handled::Origin => request.origin.unwrap_or_default(),
                Handled::Answered => "answered".to_owned(),
                Handled::Refused => "refused".to_owned(),
                Handled::Failed => "failed".to_owned(),
            };
            *counts.entry(name).or_default() += 1;
        }
        counts
    }

    pub(super) fn reset(&self) {
        lock(&self.0).clear();
    }
}
