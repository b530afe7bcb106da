//! One operating-system process.

use std::future::poll_fn;
use std::io;
use std::path::Path;
use std::pin::pin;
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};

/// How long a killed process may take to be gone: it is a matter of microseconds unless the machine is drowning.
const REAP: Duration = Duration::from_secs(2);

/// A child process; killed, also when frozen, on drop.
///
/// Signals are sent and the process is reaped under one lock, so that a signal never hits another process which got the id.
#[derive(Debug)]
pub(super) struct Process {
    pid: u32,
    child: Mutex<Child>,
}

impl Process {
    /// Starts `program` with exactly this environment. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// Those of the operating system: no such file, not executable, no more processes.
    pub(super) fn spawn(
        program: &Path,
        folder: &Path,
        environment: &[(String, String)],
    ) -> io::Result<(Self, ChildStdout, ChildStderr)> {
        let mut command = Command::new(program);
        command.env_clear().envs(environment.iter().map(|(name, value)| (name, value))).current_dir(folder);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: Ctrl-C at a terminal is for the parent, which then kills without a warning, as Lambda does. And
        // should the parent be killed, the kernel hangs up on stopped processes of a group that nobody is left to wake.
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn()?;
        let missing = || io::Error::other("the process has no output");
        let stdout = child.stdout.take().ok_or_else(missing)?;
        let stderr = child.stderr.take().ok_or_else(missing)?;
        let pid = child.id().ok_or_else(missing)?;
        Ok((Self { pid, child: Mutex::new(child) }, stdout, stderr))
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signal(&self, signal: Signal) {
        let child = self.child();
        let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // A process that has ended meanwhile is what `exited` reports.
            let _ = kill_process(pid, signal);
        }
    }

    /// Stops it where it stands.
    pub(super) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// Lets it go on.
    pub(super) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// Ends it without a warning. It is gone when [`Process::exited`] says so.
    pub(super) fn kill(&self) {
        self.signal(Signal::KILL);
    }

    /// Waits for its end.
    pub(super) async fn exited(&self) -> io::Result<ExitStatus> {
        poll_fn(|context| {
            let mut child = self.child();
            pin!(child.wait()).poll(context)
        })
        .await
    }

    /// Waits for the end of a process that was killed, where nothing can be awaited.
    pub(super) fn reap(&self) {
        let begun = Instant::now();
        while matches!(self.child().try_wait(), Ok(None)) && begun.elapsed() < REAP {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
}
