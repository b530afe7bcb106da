//! How a function is set up.

use std::path::PathBuf;
use std::time::Duration;

use super::{Function, PAYLOAD_LIMIT};
use crate::Error;

/// When instances are started, and which of the idle gets an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scaling {
    /// One is started when all are busy and there are fewer than the most; the one used last is used again. Lambda's way.
    #[default]
    OnDemand,
    /// All are started ahead, those that end are replaced, and each event goes to an idle one at random.
    AllAtRandom,
}

/// What happens to an event when no instance is idle and none may be started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenBusy {
    /// It waits its turn.
    #[default]
    Wait,
    /// It is refused, as Lambda does at the limit of concurrency: 429 at a function URL, 503 at an HTTP API.
    Refuse,
}

/// The settings of one function, fixed for its life.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) program: PathBuf,
    pub(super) name: String,
    pub(super) handler: String,
    pub(super) region: String,
    pub(super) memory: u32,
    pub(super) env: Vec<(String, String)>,
    pub(super) timeout: Duration,
    pub(super) init_timeout: Duration,
    pub(super) instances: usize,
    pub(super) scaling: Scaling,
    pub(super) when_busy: WhenBusy,
    pub(super) recycle_after: Option<u64>,
    pub(super) freeze: bool,
    pub(super) seed: Option<u64>,
    pub(super) event_limit: usize,
    pub(super) answer_limit: usize,
    pub(super) echo: bool,
}

/// Sets up a [`Function`]: one instance at most, frozen when idle, 60 s for each event, unless told otherwise.
#[derive(Clone, Debug)]
#[must_use]
pub struct FunctionBuilder(Settings);

impl FunctionBuilder {
    pub(super) fn new(program: PathBuf) -> Self {
        Self(Settings {
            program,
            name: "berth".to_owned(),
            handler: "registry".to_owned(),
            region: "us-east-1".to_owned(),
            memory: 512,
            env: Vec::new(),
            timeout: Duration::from_secs(60),
            init_timeout: Duration::from_secs(10),
            instances: 1,
            scaling: Scaling::default(),
            when_busy: WhenBusy::default(),
            recycle_after: None,
            freeze: true,
            seed: None,
            event_limit: PAYLOAD_LIMIT,
            answer_limit: PAYLOAD_LIMIT,
            echo: false,
        })
    }

    /// `AWS_LAMBDA_FUNCTION_NAME`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.0.name = name.into();
        self
    }

    /// `_HANDLER`, by which one program is several functions.
    pub fn handler(mut self, handler: impl Into<String>) -> Self {
        self.0.handler = handler.into();
        self
    }

    /// `AWS_REGION`.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.0.region = region.into();
        self
    }

    /// Megabytes, told to the function and not enforced.
    pub fn memory(mut self, megabytes: u32) -> Self {
        self.0.memory = megabytes;
        self
    }

    /// Adds a variable to the environment, or replaces one of Lambda's own.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.env.push((name.into(), value.into()));
        self
    }

    /// Adds variables, such as [`Emulators::env`](crate::Emulators::env).
    pub fn envs<N: Into<String>, V: Into<String>>(mut self, variables: impl IntoIterator<Item = (N, V)>) -> Self {
        self.0.env.extend(variables.into_iter().map(|(name, value)| (name.into(), value.into())));
        self
    }

    /// Without the variables whose names begin with `prefix`, of those added so far.
    pub fn without_env(mut self, prefix: &str) -> Self {
        self.0.env.retain(|(name, _)| !name.starts_with(prefix));
        self
    }

    /// How long an instance may take for one event before it is killed.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.0.timeout = timeout;
        self
    }

    /// How long an instance may take to its first poll before it is killed; Lambda's is 10 s.
    pub fn init_timeout(mut self, timeout: Duration) -> Self {
        self.0.init_timeout = timeout;
        self
    }

    /// The most instances at a time; at least one.
    pub fn instances(mut self, most: usize) -> Self {
        self.0.instances = most.max(1);
        self
    }

    /// When they start, and which one is chosen.
    pub fn scaling(mut self, scaling: Scaling) -> Self {
        self.0.scaling = scaling;
        self
    }

    /// [`Scaling::AllAtRandom`], choosing the same for the same seed and the same idle instances.
    pub fn seed(mut self, seed: u64) -> Self {
        self.0.seed = Some(seed);
        self.scaling(Scaling::AllAtRandom)
    }

    /// What happens to events while all are busy.
    pub fn when_busy(mut self, policy: WhenBusy) -> Self {
        self.0.when_busy = policy;
        self
    }

    /// Ends an instance once it has handled so many events: 1 is a fresh process for each.
    pub fn recycle_after(mut self, invocations: u64) -> Self {
        self.0.recycle_after = Some(invocations.max(1));
        self
    }

    /// Whether an instance that waits for an event is stopped (SIGSTOP) until there is one.
    pub fn freeze(mut self, freeze: bool) -> Self {
        self.0.freeze = freeze;
        self
    }

    /// Bytes of an event, [`PAYLOAD_LIMIT`] unless told otherwise. Lambda's own message speaks of 6,291,456 for a request.
    pub fn event_limit(mut self, bytes: usize) -> Self {
        self.0.event_limit = bytes;
        self
    }

    /// Bytes of an answer, [`PAYLOAD_LIMIT`] unless told otherwise.
    pub fn answer_limit(mut self, bytes: usize) -> Self {
        self.0.answer_limit = bytes;
        self
    }

    /// Whether lines that instances write are passed on to this process's standard error.
    pub fn echo(mut self, echo: bool) -> Self {
        self.0.echo = echo;
        self
    }

    /// Starts the function. With [`Scaling::AllAtRandom`] every instance has asked for its first event, or failed to, when
    /// this returns. Everything stops when the last clone of it, and the last of its doors, is dropped.
    ///
    /// # Errors
    /// [`Error::Program`] when there is no such program, [`Error::Thread`].
    pub async fn start(self) -> Result<Function, Error> {
        Function::start(self.0).await
    }
}
