//! The command that runs while the gateway serves.

use std::{io, os::unix::process::ExitStatusExt as _, process::ExitCode};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process;

use super::{Asked, Signals};

/// Tells the command where the gateway is.
pub(super) const ENVIRONMENT: &str = "BERTH_GATEWAY";

pub(super) struct Child(process::Child);

impl Child {
    pub(super) fn start(program: &str, arguments: &[String], gateway: &str) -> anyhow::Result<Self> {
        let mut command = process::Command::new(program);
        let child = command.args(arguments).env(ENVIRONMENT, gateway).spawn();
        Ok(Self(child.with_context(|| format!("{program} cannot be run"))?))
    }

    /// Waits for its end; the code to end with. What asks this process to stop asks the command to.
    pub(super) async fn end(&mut self, signals: &mut Signals) -> io::Result<ExitCode> {
        loop {
            tokio::select! {
                status = self.0.wait() => {
                    let status = status?;
                    // As shells have it ("Exit Status", Bash Reference Manual).
                    let code = status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(1);
                    return Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)));
                }
                asked = signals.next() => {
                    // The terminal has told it already of the other.
                    if asked == Asked::Terminate {
                        self.terminate();
                    }
                }
            }
        }
    }

    fn terminate(&self) {
        let pid = self.0.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        if let Some(pid) = pid {
            // It may have ended by itself just now.
            let _ = kill_process(pid, Signal::TERM);
        }
    }
}
