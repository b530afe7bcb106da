//! Docker's credential helper protocol (docker/docker-credential-helpers, README: "Development"): a verb as the only
//! argument, the rest on standard input, answers and errors on standard output.

use std::{
    collections::BTreeMap,
    io::{self, Read, Write as _},
    process::ExitCode,
    str::FromStr,
};

use serde::Deserialize;
use serde_json::json;

use super::{CredentialsError, DockerConfig, DockerConfigError, HELPER, Host, HostError, USERNAME, mint};

/// What a helper is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    /// The login of a registry.
    Get,
    /// To keep a login.
    Store,
    /// To forget a login.
    Erase,
    /// The registries that it has logins of.
    List,
    /// Its version.
    Version,
}

/// What a helper cannot do. What it says is what Docker's clients expect, word for word where they compare it.
#[derive(Debug, thiserror::Error)]
enum HelperError {
    /// No login of that registry. Clients go on as nobody, if they can.
    #[error("credentials not found in native keychain")]
    NotFound,
    /// No login, because there are no AWS credentials.
    #[error("credentials not found in native keychain")]
    NoCredentials,
    /// There is no such verb.
    #[error("unknown credential action {0:?}; allowed: get, store, erase, list, version")]
    Verb(String),
    /// Standard input cannot be read, or has no end.
    #[error("standard input cannot be read: {0}")]
    Input(io::Error),
    /// No server is named.
    #[error("no credentials server URL")]
    NoServer,
    /// What is named is no registry.
    #[error(transparent)]
    Host(#[from] HostError),
    /// A login to keep that is not as Docker writes it.
    #[error("the login to keep is not JSON with ServerURL, Username and Secret")]
    Malformed,
    /// A login of somebody else's registry.
    #[error("docker-credential-berth makes logins and keeps none; {0} needs another credential helper")]
    Keeps(Host),
    /// There are no credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// Docker's configuration cannot be read.
    #[error(transparent)]
    Config(#[from] DockerConfigError),
}

impl FromStr for Verb {
    type Err = HelperError;

    fn from_str(verb: &str) -> Result<Self, HelperError> {
        match verb {
            "get" => Ok(Self::Get),
            "store" => Ok(Self::Store),
            "erase" => Ok(Self::Erase),
            "list" => Ok(Self::List),
            "version" | "--version" | "-v" => Ok(Self::Version),
            other => Err(HelperError::Verb(other.chars().filter(|c| !c.is_control()).take(40).collect())),
        }
    }
}

/// Answers `verb` as a process: reads standard input, writes standard output, and gives the exit code. `program` is its
/// name.
pub async fn help(verb: &str, program: &str) -> ExitCode {
    let (text, code) = match answer(verb, io::stdin()).await {
        Ok(text) => (text, ExitCode::SUCCESS),
        Err(error) => {
            if matches!(error, HelperError::NoCredentials) {
                // Clients go on as nobody then; this is for whoever wonders why.
                eprintln!("{program}: {}", CredentialsError::None);
            }
            // On standard output, which is what clients show and compare.
            (format!("{error}\n"), ExitCode::FAILURE)
        }
    };
    // Not `print!`, which would panic when nobody reads.
    if io::stdout().write_all(text.as_bytes()).is_ok() { code } else { ExitCode::FAILURE }
}

/// The longest input that is read, in bytes.
const LONGEST: u64 = 64 << 10;

/// What the helper prints, asked for `verb`; reads `input` where the verb has one.
///
/// It makes a login for every registry that asks for it by name (`credHelpers`). Where Docker asks it for all
/// registries (`credsStore`), only those count that it is named for: others should not learn who has which account.
async fn answer(verb: &str, stdin: impl Read) -> Result<String, HelperError> {
    let verb: Verb = verb.parse()?;
    let mut input = String::new();
    if matches!(verb, Verb::Get | Verb::Store | Verb::Erase) {
        stdin.take(LONGEST).read_to_string(&mut input).map_err(HelperError::Input)?;
    }
    match verb {
        Verb::Get => {
            let host = host(&input)?;
            if !is_ours(&host)? {
                return Err(HelperError::NotFound);
            }
            let secret = match mint(&host).await {
                Err(CredentialsError::None) => return Err(HelperError::NoCredentials),
                minted => minted?,
            };
            let answer = json!({ "ServerURL": input.trim(), "Username": USERNAME, "Secret": secret.expose() });
            Ok(format!("{answer}\n"))
        }
        Verb::Store => {
            #[derive(Deserialize)]
            struct ToKeep {
                #[serde(rename = "ServerURL")]
                server: String,
            }
            let login: ToKeep = serde_json::from_str(&input).map_err(|_| HelperError::Malformed)?;
            let host = host(&login.server)?;
            if is_ours(&host)? { Ok(String::new()) } else { Err(HelperError::Keeps(host)) }
        }
        Verb::Erase => host(&input).map(|_| String::new()),
        Verb::List => {
            let hosts = DockerConfig::open()?.helped_by(HELPER);
            let logins: BTreeMap<String, &str> = hosts.into_iter().map(|host| (host, USERNAME)).collect();
            Ok(format!("{}\n", json!(logins)))
        }
        Verb::Version => Ok(format!("docker-credential-berth {}\n", env!("CARGO_PKG_VERSION"))),
    }
}

fn host(input: &str) -> Result<Host, HelperError> {
    match input.trim() {
        "" => Err(HelperError::NoServer),
        url => Ok(Host::of_url(url)?),
    }
}

/// Podman and others name helpers in files of their own, so that a registry which Docker's does not name may be ours.
fn is_ours(host: &Host) -> Result<bool, HelperError> {
    let mut config = DockerConfig::open()?;
    let serves_all = config.store().is_some_and(|store| store == HELPER);
    Ok(!serves_all || config.helper(host).is_some_and(|helper| helper == HELPER))
}
