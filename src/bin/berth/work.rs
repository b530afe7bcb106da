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
    let resumable = "stopped; the same command goes on from here";
    run_with_code(async { work.await.map(|()| ExitCode::SUCCESS) }, resumable)
}

/// The same for `work` that chooses its exit code; `interrupted` is printed when a signal ends it.
pub(crate) fn run_with_code(work: impl Future<Output = anyhow::Result<ExitCode>>, interrupted: &str) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return complain(1, &error),
    };
    let outcome = runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        tokio::select! {
            outcome = work => outcome.map(Ok),
            _ = interrupt.recv() => Ok(Err(INTERRUPTED)),
            _ = terminate.recv() => Ok(Err(TERMINATED)),
        }
    });
    // A thread may still wait for standard input, which nobody needs any more.
    runtime.shutdown_background();
    match outcome {
        Ok(Ok(code)) => code,
        Ok(Err(signal)) => complain(signal, &interrupted),
        Err(error) => complain(1, &format!("{error:#}")),
    }
}
