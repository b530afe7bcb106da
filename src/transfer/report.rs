//! What came of a transfer.

use serde::Serialize;

use crate::digest::Digest;

/// What a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A configuration or a layer.
    Blob,
    /// A manifest or an index.
    Manifest,
}

/// What was done with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Its bytes went to the destination.
    Sent,
    /// It was there.
    Present,
    /// The registry took it from another of its repositories; no bytes moved.
    Mounted,
    /// A layer that is to be fetched elsewhere (it has `urls`): it was not looked at.
    LeftOut,
}

/// One thing that is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settled {
    /// What it is.
    pub kind: Kind,
    /// As it is called.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// What was done with it.
    pub outcome: Outcome,
}

/// Everything that was done, in that order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Blobs and manifests.
    pub settled: Vec<Settled>,
}

impl Report {
    /// How many things of `kind` came out so, and their bytes.
    pub fn sum(&self, kind: Kind, outcome: Outcome) -> (usize, u64) {
        let wanted = self.settled.iter().filter(|settled| settled.kind == kind && settled.outcome == outcome);
        wanted.fold((0, 0), |(count, bytes), settled| (count + 1, bytes + settled.size))
    }
}
