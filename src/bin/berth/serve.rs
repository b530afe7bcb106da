//! `berth serve`.

use std::{
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::Context as _;
use berth::{
    config::{Address, Config, ConfigError, Controller, Driver, process_environment},
    http, logging, maintenance,
    wire::Adapters,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

use crate::{MISCONFIGURED, complain};

#[derive(clap::Args)]
pub(crate) struct Serve {
    /// Configuration in distribution's YAML; REGISTRY_CONFIGURATION_PATH names it too. REGISTRY_* variables override.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen.
    #[arg(long, value_name = "HOST:PORT")]
    addr: Option<String>,
    /// The folder that holds the data.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
}

impl Serve {
    pub(crate) fn run(self) -> ExitCode {
        let config = match self.configuration() {
            Ok(config) => config,
            Err(error) => return complain(MISCONFIGURED, &error),
        };
        if let Err(error) = logging::init(&config.log) {
            return complain(MISCONFIGURED, &error);
        }
        match serve(&config) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(1, &format!("{error:#}")),
        }
    }

    fn configuration(&self) -> Result<Config, ConfigError> {
        let mut config = Config::load(self.config.as_deref(), process_environment())?;
        if let Some(addr) = &self.addr {
            config = config.with_addr(addr)?;
        }
        if let Some(data) = &self.data {
            config = config.with_data_dir(data)?;
        }
        config.for_server()
    }
}

#[tokio::main]
async fn serve(config: &Config) -> anyhow::Result<()> {
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let data = place(&config.storage.driver);
    let adapters = Adapters::open(config).await.with_context(|| format!("{data} cannot be used"))?;
    let app = adapters.app().await?;
    let listener = listen(&config.http.addr).await?;
    // Listened to before anyone is told where the registry is, so that no early signal ends the process midway.
    let (told, insisted) = (signals(1)?, signals(2)?);
    let local = listener.local_addr().context("the socket has no address")?;
    println!("Berth serves {}, data in {data}", url(config, local.port()));
    if config.auth.controller == Controller::None {
        warn_of_strangers(local);
    }

    let stop = async {
        told.await;
        tracing::info!("stopping once the requests under way are answered; a second signal stops at once");
    };
    let purging = config.storage.upload_purging.clone();
    if purging.enabled {
        tokio::spawn(maintenance::forever(adapters.driver().clone(), purging));
    }
    tokio::select! {
        () = http::serve(listener, http::router(app), http::Timeouts::default(), stop) => Ok(()),
        () = insisted => anyhow::bail!("stopped at once"),
    }
}

/// Says that nobody is asked who they are: an error, where others than this machine's own users may come.
fn warn_of_strangers(address: SocketAddr) {
    const OPEN: &str = "NOBODY IS ASKED WHO THEY ARE: whoever reaches this registry can read, replace and delete everything \
                        in it; set auth.berth and auth.rules, or auth.htpasswd";
    if address.ip().is_loopback() {
        tracing::warn!(%address, "{OPEN}");
    } else {
        tracing::error!(%address, "{OPEN}");
    }
}

/// Where the data is, for people.
fn place(driver: &Driver) -> String {
    match driver {
        Driver::Filesystem { root } => {
            std::path::absolute(root).as_deref().map_or(root.as_path(), Path::new).display().to_string()
        }
        Driver::S3(s3) => match &s3.endpoint {
            Some(endpoint) => format!("s3://{}/{} at {endpoint}", s3.bucket, s3.root),
            None => format!("s3://{}/{}", s3.bucket, s3.root),
        },
        Driver::InMemory => "memory, gone when it stops".to_owned(),
    }
}

/// Where clients on this machine find the registry.
fn url(config: &Config, port: u16) -> String {
    let host = match config.http.addr.host.as_str() {
        "" | "0.0.0.0" | "::" => "localhost".to_owned(),
        host => host.to_owned(),
    };
    let prefix = config.http.prefix.trim_end_matches('/');
    format!("http://{}{prefix}", Address { host, port })
}

async fn listen(addr: &Address) -> anyhow::Result<TcpListener> {
    let bound = match addr.host.as_str() {
        // Every interface: a socket for IPv6 takes IPv4 too, where there is IPv6 at all.
        "" => match TcpListener::bind(("::", addr.port)).await {
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => TcpListener::bind(("0.0.0.0", addr.port)).await,
            bound => bound,
        },
        host => TcpListener::bind((host, addr.port)).await,
    };
    bound.with_context(|| format!("cannot listen on {addr} (--addr HOST:PORT chooses another address)"))
}

/// Completes when SIGTERM or SIGINT has come `times` times, counted from now.
fn signals(times: usize) -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        for _ in 0..times {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        }
    })
}
