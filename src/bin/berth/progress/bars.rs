//! A bar for each blob that moves, and one for all of them.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use berth::{
    digest::Digest,
    manifest::ContentReference,
    transfer::{Kind, Progress, Settled},
};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{line, short};

const ONE: &str = "{prefix:13} [{bar:24}] {decimal_bytes:>10} of {decimal_total_bytes:<10} {decimal_bytes_per_sec}";
const ALL: &str =
    "{prefix:13} [{bar:24}] {decimal_bytes:>10} of {decimal_total_bytes:<10} {decimal_bytes_per_sec}, {eta} left";
/// How often the rate is computed anew, also when nothing moves.
const TICK: Duration = Duration::from_millis(500);

pub(super) struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    moving: Mutex<HashMap<Digest, ProgressBar>>,
}

impl Bars {
    pub(super) fn new() -> Self {
        let all = MultiProgress::new();
        let total = all.add(bar(0, ALL, "all"));
        Self { all, total, moving: Mutex::default() }
    }

    fn moving(&self) -> MutexGuard<'_, HashMap<Digest, ProgressBar>> {
        self.moving.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bar(size: u64, template: &str, name: &str) -> ProgressBar {
    // A template that indicatif did not understand would give its own.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(size).with_style(style.progress_chars("=> ")).with_prefix(name.to_owned())
}

impl Progress for Bars {
    fn planned(&self, blobs: &[ContentReference]) {
        self.total.set_length(blobs.iter().map(|blob| blob.size).sum());
        self.total.enable_steady_tick(TICK);
    }

    fn began(&self, blob: &ContentReference) {
        let bar = self.all.insert_before(&self.total, bar(blob.size, ONE, &short(&blob.digest)));
        self.moving().insert(blob.digest, bar);
    }

    fn moved(&self, digest: &Digest, bytes: u64) {
        if let Some(bar) = self.moving().get(digest) {
            // After a broken connection some of it comes again.
            let fresh = bytes.min(bar.length().unwrap_or_default().saturating_sub(bar.position()));
            bar.inc(fresh);
            self.total.inc(fresh);
        }
    }

    fn settled(&self, settled: &Settled) {
        if settled.kind == Kind::Blob {
            let bar = self.moving().remove(&settled.digest);
            if let Some(bar) = bar {
                self.total.inc(settled.size.saturating_sub(bar.position()));
                bar.finish_and_clear();
                self.all.remove(&bar);
            }
        }
        let _ = self.all.println(line(settled, &short(&settled.digest))); // a terminal that is gone
    }

    fn ended(&self) {
        self.total.finish_and_clear();
        let _ = self.all.clear(); // a terminal that is gone
    }
}
