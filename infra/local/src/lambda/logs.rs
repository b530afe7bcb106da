//! What instances write.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::sync::watch;

/// Lines kept; the oldest go first.
const KEPT: usize = 20_000;

/// Which of its outputs a process wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One line of an instance's output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// The instance, as [`InstanceView::id`](super::InstanceView::id) names it.
    pub instance: u64,
    /// Where it was written.
    pub stream: Stream,
    /// The line without its end; bytes that are not UTF-8 are replaced.
    pub text: String,
}

#[derive(Debug)]
pub(super) struct Logs {
    lines: Mutex<VecDeque<LogLine>>,
    changed: watch::Sender<()>,
    echo: bool,
}

impl Logs {
    pub(super) fn new(echo: bool) -> Self {
        Self { lines: Mutex::default(), changed: watch::Sender::new(()), echo }
    }

    fn lines(&self) -> MutexGuard<'_, VecDeque<LogLine>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn all(&self) -> Vec<LogLine> {
        self.lines().iter().cloned().collect()
    }

    /// Waits for a line, written already or yet to come.
    pub(super) async fn find(&self, wanted: impl Fn(&LogLine) -> bool) -> LogLine {
        let mut changed = self.changed.subscribe();
        loop {
            changed.mark_unchanged();
            if let Some(line) = self.lines().iter().find(|line| wanted(line)) {
                return line.clone();
            }
            // Its sender is a field of this value.
            let _ = changed.changed().await;
        }
    }

    fn add(&self, line: LogLine) {
        if self.echo {
            eprintln!("[{}] {}", line.instance, line.text);
        }
        let mut lines = self.lines();
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
        drop(lines);
        self.changed.send_replace(());
    }

    /// Keeps every line of an output until it ends.
    pub(super) async fn keep(self: Arc<Self>, instance: u64, stream: Stream, output: impl AsyncRead + Unpin) {
        let mut lines = BufReader::new(output).split(b'\n');
        while let Ok(Some(line)) = lines.next_segment().await {
            self.add(LogLine { instance, stream, text: String::from_utf8_lossy(&line).into_owned() });
        }
    }
}
