//! `berth keys`: API keys, for those who have neither AWS credentials nor a token of an issuer; and the keys by which the
//! registry signs its tokens and the URLs of its uploads.

mod life;

use std::{path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context as _;
use berth::{
    auth::{
        proof::keys::{ApiKey, KeyStore as _, create, revoke},
        token::SigningKeys,
    },
    config::{Config, Driver, process_environment},
    context::{Clock, Context},
    rotation::Overlap,
    storage::{ApiKeys, StoredKeys, UploadSecrets},
    wire::Adapters,
};
use clap::Subcommand;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{MISCONFIGURED, complain};

#[derive(clap::Args)]
pub(crate) struct Keys {
    #[command(subcommand)]
    command: Command,
    /// The configuration of the registry, as in `berth serve`.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    /// The folder that holds the data, as in `berth serve`.
    #[arg(long, value_name = "DIR", global = true)]
    data: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Make an API key, and print it: nobody can see it again.
    Create {
        /// What rules call it (key:NAME). Several keys may have one name, so that one can follow another.
        name: String,
        /// How long it works, as in 90d, 12h; without it, until it is revoked.
        #[arg(long, value_name = "TIME", value_parser = life::parse)]
        expires: Option<Duration>,
    },
    /// List the API keys: name, when made, until when good.
    List,
    /// Revoke every API key of a name. Whoever used one lately may do so for 30 seconds more.
    Revoke {
        /// The name.
        name: String,
    },
    /// Make new keys by which the registry signs tokens, and the URLs of uploads. They do so two minutes from now; tokens
    /// that are about stay good, and uploads that have begun can be finished.
    Rotate {
        /// Only that which signs these.
        #[arg(value_enum)]
        which: Option<Signed>,
        /// The keys before are in wrong hands: sign with the new ones at once, and take nothing that those signed, which
        /// every instance heeds within a quarter of an hour. Everybody needs a new token, and begins uploads anew.
        #[arg(long)]
        drop: bool,
    },
}

/// What a registry signs.
#[derive(Clone, Copy, PartialEq, clap::ValueEnum)]
enum Signed {
    Tokens,
    Uploads,
}

impl Keys {
    pub(crate) fn run(self) -> ExitCode {
        let config = match self.configuration() {
            Ok(config) => config,
            Err(error) => return complain(MISCONFIGURED, &format!("{error:#}")),
        };
        match carry_out(self.command, &config) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => complain(1, &format!("{error:#}")),
        }
    }

    fn configuration(&self) -> anyhow::Result<Config> {
        let mut config = Config::load(self.config.as_deref(), process_environment())?;
        if let Some(data) = &self.data {
            config = config.with_data_dir(data)?;
        }
        let forgets = matches!(config.storage.driver, Driver::InMemory);
        anyhow::ensure!(!forgets, "storage.inmemory: the keys of a registry in memory cannot be reached from here");
        Ok(config)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn carry_out(command: Command, config: &Config) -> anyhow::Result<()> {
    let adapters = Adapters::open(config).await.context("the storage cannot be used")?;
    let keys = ApiKeys::new(adapters.driver().clone());
    let ctx = Context::background("keys");
    match command {
        Command::Create { name, expires } => {
            let now = OffsetDateTime::now_utc();
            let expires = expires.map(|life| now.checked_add(life.try_into()?).context("--expires is too far away"));
            let key = create(&keys, &ctx, &name, expires.transpose()?, now).await?;
            println!("{key}");
        }
        Command::List => {
            for (_, ApiKey { name, created, expires }) in keys.list(&ctx).await? {
                let until = expires.map_or(Ok("revoked".to_owned()), |expires| expires.format(&Rfc3339))?;
                println!("{name}\tmade {}\tgood until {until}", created.format(&Rfc3339)?);
            }
        }
        Command::Revoke { name } => match revoke(&keys, &ctx, &name).await? {
            0 => anyhow::bail!("there is no API key of the name {name:?}; `berth keys list` shows those there are"),
            1 => println!("revoked one key"),
            count => println!("revoked {count} keys"),
        },
        Command::Rotate { which, drop } => {
            let overlap = if drop { Overlap::Dropped } else { Overlap::Kept };
            let given = config.http.secret.is_some();
            anyhow::ensure!(
                !given || which != Some(Signed::Uploads),
                "http.secret signs uploads here; change it there"
            );
            if which != Some(Signed::Uploads) {
                let store = Arc::new(StoredKeys::signing(adapters.driver().clone()));
                let name = SigningKeys::new(store, Clock::default()).rotate(&ctx, overlap).await?;
                println!("made the signing key {name}");
            }
            if which != Some(Signed::Tokens) && !given {
                UploadSecrets::stored(adapters.driver().clone(), Clock::default()).rotate(&ctx, overlap).await?;
                println!("made a secret for uploads");
            }
        }
    }
    Ok(())
}
