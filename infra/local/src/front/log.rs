//! The request log.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::recorded::{Arrived, Recorded, Service};

/// Every request since the start or the last reset.
#[derive(Debug, Default)]
pub(crate) struct Log(Mutex<Entries>);

#[derive(Debug, Default)]
struct Entries {
    /// Counts resets: an answer that belongs to a request from before a reset finds its entry gone.
    generation: u64,
    requests: Vec<Recorded>,
}

/// Where a request's entry is, to be completed when its answer is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    generation: u64,
    index: usize,
}

impl Place {
    /// The request's number, from 1.
    pub(crate) fn number(self) -> u64 {
        self.index as u64 + 1
    }
}

impl Entries {
    /// None when it was forgotten since.
    fn at(&mut self, place: Place) -> Option<&mut Recorded> {
        (self.generation == place.generation).then(|| self.requests.get_mut(place.index)).flatten()
    }
}

impl Log {
    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn open(&self, arrived: Arrived, identity: Option<String>, fault: Option<String>) -> Place {
        let mut entries = self.entries();
        let index = entries.requests.len();
        entries.requests.push(Recorded::new(index as u64, arrived, identity, fault));
        Place { generation: entries.generation, index }
    }

    pub(crate) fn close(&self, place: Place, status: u16, response_bytes: Option<u64>) {
        if let Some(entry) = self.entries().at(place) {
            entry.status = Some(status);
            entry.response_bytes = response_bytes;
        }
    }

    pub(crate) fn consumed(&self, place: Place, units: Option<f64>) {
        if let Some(entry) = self.entries().at(place) {
            entry.units = units;
        }
    }

    /// Notes which statements allow a request, or that one of its permissions is denied.
    pub(crate) fn decided<E>(&self, place: Place, decision: Result<&[String], E>) {
        if let Some(entry) = self.entries().at(place) {
            match decision {
                Ok(names) => {
                    let new = names.iter().filter(|name| !entry.allowed_by.contains(name)).cloned().collect::<Vec<_>>();
                    entry.allowed_by.extend(new);
                }
                Err(_) => entry.denied = true,
            }
        }
    }

    pub(crate) fn requests(&self, service: Option<Service>) -> Vec<Recorded> {
        let entries = self.entries();
        entries.requests.iter().filter(|r| service.is_none_or(|s| r.service == s)).cloned().collect()
    }

    /// How often each operation was called, without requests of S3 by presigned URL.
    pub(crate) fn counts(&self, service: Option<Service>) -> BTreeMap<String, u64> {
        let entries = self.entries();
        let mut counts = BTreeMap::new();
        for request in &entries.requests {
            // Of STS a presigned request is the program's own.
            if (!request.presigned || request.service == Service::Sts) && service.is_none_or(|s| request.service == s) {
                *counts.entry(request.name()).or_default() += 1;
            }
        }
        counts
    }

    pub(crate) fn reset(&self) {
        let mut entries = self.entries();
        entries.generation += 1;
        entries.requests.clear();
    }
}
