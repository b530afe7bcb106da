//! How a transfer goes, for whoever waits for it: on standard error.

mod bars;
mod lines;

use std::{
    io::{IsTerminal as _, stderr},
    sync::Arc,
};

use berth::{
    digest::Digest,
    transfer::{Kind, Outcome, Progress, Settled},
};
use indicatif::DecimalBytes;

/// Nobody waits.
struct Silent;

impl Progress for Silent {}

/// Bars on a terminal, lines elsewhere, nothing where `quiet`.
pub(crate) fn progress(quiet: bool) -> Arc<dyn Progress> {
    match quiet {
        true => Arc::new(Silent),
        false if stderr().is_terminal() => Arc::new(bars::Bars::new()),
        false => Arc::new(lines::Lines),
    }
}

/// What was done with something, as people say it.
fn done(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Sent => "sent",
        Outcome::Present => "there already",
        Outcome::Mounted => "mounted",
        Outcome::LeftOut => "left out",
    }
}

/// One line of what was done.
fn line(settled: &Settled, digest: &str) -> String {
    let kind = match settled.kind {
        Kind::Blob => "blob",
        Kind::Manifest => "manifest",
    };
    format!("{:<13} {kind:<8} {digest} {}", done(settled.outcome), DecimalBytes(settled.size))
}

/// As much of a digest as tells it from the others.
fn short(digest: &Digest) -> String {
    digest.encoded().chars().take(12).collect()
}
