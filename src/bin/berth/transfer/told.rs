//! What is said when all is done.

use std::time::Duration;

use berth::transfer::{Kind, Outcome, Planned, Report, Settled};
use indicatif::DecimalBytes;
use serde::Serialize;

use super::Moving;
use crate::registry::{print, print_json};

/// What was done with what.
pub(super) struct Told<'a> {
    /// As in "pushed".
    pub(super) done: &'static str,
    /// Where it came from.
    pub(super) source: &'a str,
    /// Where it is now.
    pub(super) destination: &'a str,
    /// Whether the content itself went to standard output, so that nothing else may.
    pub(super) aside: bool,
}

/// The document of `--json`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    source: &'a str,
    destination: &'a str,
    digest: String,
    media_type: &'static str,
    seconds: f64,
    blobs: Sums,
    manifests: Sums,
    content: &'a [Settled],
}

/// How many there are, and their bytes, by what was done with them.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sums {
    sent: Sum,
    present: Sum,
    mounted: Sum,
    left_out: Sum,
}

#[derive(Serialize)]
struct Sum {
    count: usize,
    bytes: u64,
}

impl Sums {
    fn of(report: &Report, kind: Kind) -> Self {
        let sum = |outcome| {
            let (count, bytes) = report.sum(kind, outcome);
            Sum { count, bytes }
        };
        let [sent, present, mounted, left_out] =
            [Outcome::Sent, Outcome::Present, Outcome::Mounted, Outcome::LeftOut].map(sum);
        Self { sent, present, mounted, left_out }
    }
}

impl Told<'_> {
    pub(super) fn tell(&self, moving: &Moving, root: &Planned, report: &Report, took: Duration) -> anyhow::Result<()> {
        let Self { done, source, destination, aside } = self;
        if moving.json {
            let document = Document {
                source,
                destination,
                digest: root.digest.to_string(),
                media_type: root.manifest.media_type().as_str(),
                seconds: took.as_secs_f64(),
                blobs: Sums::of(report, Kind::Blob),
                manifests: Sums::of(report, Kind::Manifest),
                content: &report.settled,
            };
            return print_json(&document);
        }
        if moving.quiet {
            return Ok(());
        }
        let line = format!("{done} {destination}, {}; {}", root.digest, blobs(report));
        if *aside {
            eprintln!("{line}");
            return Ok(());
        }
        print(&format!("{line}\n"))
    }
}

/// As in "2 blobs sent (12.30 MB), 1 there already (3.00 kB)".
fn blobs(report: &Report) -> String {
    let kinds = [
        (Outcome::Sent, "sent"),
        (Outcome::Mounted, "mounted"),
        (Outcome::Present, "there already"),
        (Outcome::LeftOut, "left out, to be fetched elsewhere"),
    ];
    let said: Vec<String> = kinds
        .into_iter()
        .map(|(outcome, words)| (report.sum(Kind::Blob, outcome), words))
        .filter(|((count, _), _)| *count > 0)
        .map(|((count, bytes), words)| format!("{count} {words} ({})", DecimalBytes(bytes)))
        .collect();
    if said.is_empty() { "it has no blobs".to_owned() } else { format!("blobs: {}", said.join(", ")) }
}
