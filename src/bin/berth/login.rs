//! `berth login` and `berth logout`.

use std::{
    io::{self, Read as _},
    process::ExitCode,
};

use anyhow::Context as _;
use berth::{
    client::{CredentialsError, DockerConfig, HELPER, Host, Login, Scheme, USERNAME, login, mint},
    config::Secret,
};

use crate::complain;

/// The longest password that is read, in bytes.
const LONGEST: u64 = 64 << 10;

#[derive(clap::Args)]
pub(crate) struct LogIn {
    /// The registry: registry.example.com, localhost:5000.
    host: Host,
    /// A user of the registry, or any name before an API key or an OIDC token; without it, AWS credentials count.
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    username: Option<String>,
    /// Take the password from standard input.
    #[arg(long, requires = "username")]
    password_stdin: bool,
    /// Keep a password that is good for some minutes, instead of having docker-credential-berth asked for fresh ones.
    #[arg(long, conflicts_with = "username")]
    once: bool,
    /// Without TLS; on this machine that is so by itself.
    #[arg(long)]
    plain_http: bool,
}

#[derive(clap::Args)]
pub(crate) struct LogOut {
    /// The registry, as it was given to `berth login`.
    host: Host,
}

impl LogIn {
    pub(crate) fn run(self) -> ExitCode {
        conclude(self.log_in())
    }

    #[tokio::main(flavor = "current_thread")]
    async fn log_in(self) -> anyhow::Result<String> {
        let Self { host, username, once, plain_http, .. } = &self;
        // Read before anybody is asked, so that nothing is half done.
        let mut docker = DockerConfig::open()?;
        let scheme = if *plain_http { Scheme::Http } else { host.scheme() };
        let (name, password) = match username {
            Some(name) => (name.as_str(), password()?),
            None => (USERNAME, mint(host).await?),
        };
        let caller = match login(host, scheme, name, &password, username.is_none()).await? {
            Login::Known(caller) => caller.map(|caller| format!(" as {caller}")).unwrap_or_default(),
            Login::NotNeeded => return Ok(format!("{host} asks nobody to log in; nothing was changed")),
        };
        let kept = if username.is_none() && !once {
            docker.set_helper(host, HELPER)?;
            "its clients have docker-credential-berth asked for fresh passwords"
        } else {
            if docker.helper(host).is_some_and(|helper| helper == HELPER) {
                docker.forget_helper(host)?;
            }
            match docker.keychain(host) {
                Some(keychain) => {
                    keychain.store(host, name, &password)?;
                    docker.note_login(host)?;
                    "the password is in the keychain that Docker uses"
                }
                None => {
                    docker.set_login(host, name, &password)?;
                    "the password is kept, not encrypted"
                }
            }
        };
        let path = docker.path().display().to_string();
        docker.save()?;
        Ok(format!("logged in to {host}{caller}; {kept} ({path})"))
    }
}

impl LogOut {
    pub(crate) fn run(self) -> ExitCode {
        conclude(self.log_out())
    }

    fn log_out(self) -> anyhow::Result<String> {
        let Self { host } = self;
        let mut docker = DockerConfig::open()?;
        let was_helped = docker.helper(&host).is_some_and(|helper| helper == HELPER);
        if was_helped {
            docker.forget_helper(&host)?;
        }
        let was_kept = docker.forget_login(&host)?;
        if !was_helped && !was_kept {
            return Ok(format!("not logged in to {host}"));
        }
        let erased = match docker.keychain(&host) {
            Some(keychain) if was_kept => keychain.erase(&host),
            _ => Ok(()),
        };
        docker.save()?;
        erased?;
        Ok(format!("logged out of {host}"))
    }
}

/// What standard input holds, without the end of its line.
pub(crate) fn password() -> anyhow::Result<Secret> {
    let mut text = String::new();
    io::stdin().take(LONGEST).read_to_string(&mut text).context("the password cannot be read from standard input")?;
    let text = text.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(!text.is_empty(), "standard input holds no password");
    Ok(Secret::new(text))
}

fn conclude(result: anyhow::Result<String>) -> ExitCode {
    match result {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            let users = matches!(error.downcast_ref(), Some(CredentialsError::None));
            let more = if users { "; a user of the registry needs --username NAME --password-stdin" } else { "" };
            complain(1, &format!("{error:#}{more}"))
        }
    }
}
