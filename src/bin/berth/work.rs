//! Work that somebody may interrupt.

use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use crate::complain;

/// What shells say of a program that ctrl-C ended.
const INTERRUPTED: u8 = 130;
/// What they say of one that was told to end.
const TERMINATED: u8 = 143;

/// Does `work` to its end, or until a signal comes. What is half done then was never to be seen.
pub(crate) fn run(work: impl Future<Output = anyhow::Result<()>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(1, &error),
    };
    let outcome = runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            outcome = work => outcome.map(|()| None),
            _ = interrupt.recv() => Ok(Some(INTERRUPTED)),
            _ = terminate.recv() => Ok(Some(TERMINATED)),
        }
    });
    // A thread may still wait for standard input, which nobody needs any more.
    runtime.shutdown_background();
    match outcome {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(code)) => complain(code, &"stopped; the same command goes on from here"),
        Err(error) => complain(1, &format!("{error:#}")),
    }
}
