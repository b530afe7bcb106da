//! A function in a caller's hand.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use super::counters::{Counters, InstanceView, Start};
use super::event::request_id;
use super::logs::LogLine;
use super::pool::Pool;
use super::settings::{FunctionBuilder, Settings};
use super::tenant::Tenant;
use super::{Door, DoorOptions, InvokeError};
use crate::Error;
use crate::host::Host;

/// A Lambda function: a program, and the processes in which it runs. Clones are the same function; its processes are killed
/// when the last is dropped. It has threads of its own, so callers may be on any runtime.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// use berth_local::lambda::{DoorOptions, Function};
///
/// let emulators = berth_local::Emulators::start().await?;
/// let function = Function::builder("target/release/bootstrap").envs(emulators.env()).instances(4).seed(7).start().await?;
/// let door = function.door(DoorOptions::default())?;
/// println!("{} {:?}", door.url(), function.counters());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Function(Arc<Running>);

#[derive(Debug)]
struct Running {
    pool: Arc<Pool>,
    /// Ends what runs on it after the processes are gone.
    host: Arc<Host>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.pool.stop();
    }
}

impl Function {
    /// Sets up a function that runs `program`.
    pub fn builder(program: impl Into<PathBuf>) -> FunctionBuilder {
        FunctionBuilder::new(program.into())
    }

    pub(super) async fn start(mut settings: Settings) -> Result<Self, Error> {
        settings.program = executable(&settings.program)?;
        let host = Host::start().map_err(Error::Thread)?;
        let handle = host.handle().cloned().ok_or_else(|| Error::Thread(std::io::Error::other("no runtime")))?;
        let function = Self(Arc::new(Running { pool: Pool::new(settings, handle), host }));
        function.0.pool.started().await;
        Ok(function)
    }

    pub(super) fn pool(&self) -> &Arc<Pool> {
        &self.0.pool
    }

    pub(super) fn host(&self) -> &Arc<Host> {
        &self.0.host
    }

    /// Opens a front door. It closes when it is dropped.
    ///
    /// # Errors
    /// [`Error::Address`].
    pub fn door(&self, options: DoorOptions) -> Result<Door, Error> {
        Door::open(self.clone(), options)
    }

    /// Invokes the function with an event, JSON by custom, and waits for its answer. Dropping the future does not
    /// stop the invocation.
    ///
    /// # Errors
    /// [`InvokeError`].
    pub async fn invoke(&self, event: impl Into<Bytes>) -> Result<Bytes, InvokeError> {
        self.0.pool.submit(request_id(), event.into()).await.unwrap_or(Err(InvokeError::Stopped))
    }

    /// The instances that there are now.
    pub fn instances(&self) -> Vec<InstanceView> {
        self.0.pool.views()
    }

    /// How each process started, the oldest first, also of those that ended.
    pub fn starts(&self) -> Vec<Start> {
        self.0.pool.starts()
    }

    /// Sums since the start. An invocation is billed when its instance asks for the next event or ends, a moment after the
    /// client has its answer: see [`Function::settled`].
    pub fn counters(&self) -> Counters {
        self.0.pool.counters()
    }

    /// Kills every instance now, also in mid-request. Returns how many there were.
    pub fn kill_all(&self) -> usize {
        self.0.pool.kill(|_| true)
    }

    /// Kills one instance now, also in mid-request. False when there is none of that number.
    pub fn kill(&self, instance: u64) -> bool {
        self.0.pool.kill(|tenant| tenant.id == instance) > 0
    }

    /// Kills the instances that wait for an event, so that the next events find fresh ones. Returns how many there were.
    pub fn recycle(&self) -> usize {
        self.0.pool.kill(Tenant::is_idle)
    }

    /// Kills every instance for good, and returns when they are gone: what dropping the last clone does.
    pub fn stop(&self) {
        self.0.pool.stop();
    }

    /// Waits until no event waits or runs, and every instance asks for the next one, frozen unless told otherwise.
    pub async fn settled(&self) {
        self.0.pool.settled().await;
    }

    /// What instances have written: the last lines, in the order of arrival.
    pub fn logs(&self) -> Vec<LogLine> {
        self.0.pool.logs.all()
    }

    /// Waits for a line that `wanted` picks, written already or yet to come.
    pub async fn log(&self, wanted: impl Fn(&LogLine) -> bool) -> LogLine {
        self.0.pool.logs.find(wanted).await
    }
}

/// The absolute path of a program.
fn executable(program: &Path) -> Result<PathBuf, Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let refused = |source| Error::Program(program.to_owned(), source);
    let path = program.canonicalize().map_err(refused)?;
    let metadata = path.metadata().map_err(refused)?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
        return Err(refused(std::io::ErrorKind::PermissionDenied.into()));
    }
    Ok(path)
}
