//! `berth gateway`.

mod child;

use std::{io, net::SocketAddr, path::PathBuf, process::ExitCode};

use anyhow::Context as _;
use berth::{
    client::Host,
    config::Log,
    gateway::{self, Names, Spool},
    http, logging,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::oneshot,
};

use crate::{MISCONFIGURED, complain, registry::connect};
use child::Child;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  berth gateway --to registry.example.com          then: docker push localhost:5001/app:1
  berth gateway --to registry.example.com -- docker push localhost:5001/app:1

A command is run while the gateway serves; it is told the address by BERTH_GATEWAY, and its exit code is handed on.
Whoever reaches the gateway pushes and pulls with the login of whoever started it.")]
pub(crate) struct Gateway {
    /// The registry to push to and pull from, with the login that Docker's configuration has for it.
    #[arg(long, value_name = "HOST")]
    to: Host,
    /// Where to listen. Anything else than this machine's own addresses lets others in.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:5001")]
    addr: String,
    /// The folder where content waits while it is pushed [default: TMPDIR, or /var/tmp]
    #[arg(long, value_name = "DIR")]
    spool: Option<PathBuf>,
    /// Another name by which clients call the gateway, such as host.docker.internal.
    #[arg(long, value_name = "HOST[:PORT]")]
    allow_host: Vec<String>,
    /// Speak to the registry without TLS.
    #[arg(long)]
    plain_http: bool,
    /// Do not say where it serves.
    #[arg(long, short)]
    quiet: bool,
    /// A command to run; the gateway ends with it.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Gateway {
    pub(crate) fn run(self) -> ExitCode {
        // Who runs it is told by its clients what goes wrong.
        let log = Log { level: tracing::Level::WARN, ..Log::default() };
        if let Err(error) = logging::init(&log) {
            return complain(MISCONFIGURED, &error);
        }
        match self.serve() {
            Ok(code) => code,
            Err(error) => complain(1, &format!("{error:#}")),
        }
    }

    #[tokio::main]
    async fn serve(self) -> anyhow::Result<ExitCode> {
        let spool = Spool::open(self.spool.as_deref())?;
        let listener = listen(&self.addr).await?;
        let address = listener.local_addr().context("the socket has no address")?;
        let names = self.names(address)?;
        let registry = connect(&self.to, self.plain_http)?;
        let router = gateway::router(gateway::Gateway::new(registry, spool), names);
        // Listened to before anyone is told where the gateway is, so that no early signal ends it midway.
        let mut signals = Signals::new()?;
        self.say(address);

        let (stop, stopped) = oneshot::channel::<()>();
        let serving = http::serve(listener, router, http::Timeouts::default(), async { drop(stopped.await) });
        tokio::pin!(serving);
        let code = match self.command.split_first() {
            None => {
                tokio::select! {
                    () = &mut serving => {}
                    _ = signals.next() => {}
                }
                ExitCode::SUCCESS
            }
            Some((program, arguments)) => {
                let mut child = Child::start(program, arguments, &name(address))?;
                tokio::select! {
                    () = &mut serving => ExitCode::FAILURE,
                    code = child.end(&mut signals) => code?,
                }
            }
        };
        drop(stop);
        tokio::select! {
            () = serving => Ok(code),
            _ = signals.next() => anyhow::bail!("stopped at once"),
        }
    }

    fn names(&self, address: SocketAddr) -> anyhow::Result<Names> {
        let mut names = Names::of(address);
        for name in &self.allow_host {
            names = names.and(name).context("--allow-host")?;
        }
        Ok(names)
    }

    /// One line: what a command prints stays its own.
    fn say(&self, address: SocketAddr) {
        if !address.ip().is_loopback() {
            tracing::warn!(%address, "whoever reaches this address pushes and pulls with your login");
        }
        if self.quiet {
            return;
        }
        let said = format!("Berth serves {} at {}", self.to, name(address));
        if self.command.is_empty() { println!("{said}") } else { eprintln!("{said}") }
    }
}

/// What clients call it, so that Docker knows it for this machine.
fn name(address: SocketAddr) -> String {
    match address {
        SocketAddr::V4(v4) if v4.ip().is_loopback() => format!("localhost:{}", v4.port()),
        other => other.to_string(),
    }
}

async fn listen(addr: &str) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(addr).await;
    bound.with_context(|| format!("cannot listen on {addr} (--addr HOST:PORT chooses another address)"))
}

/// What asks the process to stop.
struct Signals {
    terminate: tokio::signal::unix::Signal,
    interrupt: tokio::signal::unix::Signal,
}

/// What was asked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    /// SIGTERM, which was meant for this process alone.
    Terminate,
    /// SIGINT, which a terminal sends to all processes of a command.
    Interrupt,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Terminate,
            _ = self.interrupt.recv() => Asked::Interrupt,
        }
    }
}
