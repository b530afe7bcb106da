//! Other programs that keep logins for Docker: `docker-credential-osxkeychain`, `-desktop`, `-pass` and their like.

use std::{
    io::{self, Write as _},
    process::{Command, Stdio},
};

use serde::Deserialize;
use serde_json::json;

use super::{Credential, HELPER, Host, spoken::spoken};
use crate::config::Secret;

/// A credential helper, by its name in Docker's configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keychain(String);

/// A credential helper did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum KeychainError {
    /// It cannot be run.
    #[error("docker-credential-{name}, which Docker's configuration names, cannot be run: {cause}")]
    Missing {
        /// Its name.
        name: String,
        /// What the system said.
        cause: io::Error,
    },
    /// It refuses.
    #[error("docker-credential-{name}, which Docker's configuration names, failed: {reason}")]
    Failed {
        /// Its name.
        name: String,
        /// What it said.
        reason: String,
    },
}

impl Keychain {
    /// The helper `name`; none for Berth's own, which keeps nothing, and for a text that is no name of a program.
    pub fn new(name: &str) -> Option<Self> {
        (name != HELPER && is_name(name)).then(|| Self(name.to_owned()))
    }

    /// The login of `host`, if it has one.
    ///
    /// # Errors
    /// [`KeychainError`].
    pub fn get(&self, host: &Host) -> Result<Option<Credential>, KeychainError> {
        /// What the protocol has ("Development", README of docker-credential-helpers).
        #[derive(Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Got {
            username: String,
            secret: String,
        }
        let output = match self.run("get", host.login_key(), None) {
            Ok(output) => output,
            // Its words for that are part of the protocol.
            Err(KeychainError::Failed { reason, .. }) if reason.contains("credentials not found") => return Ok(None),
            Err(error) => return Err(error),
        };
        // What it printed instead is not repeated: it may be half a password.
        let unclear = || KeychainError::Failed { name: self.0.clone(), reason: "it printed no login".to_owned() };
        let Got { username, secret } = serde_json::from_slice(&output).map_err(|_| unclear())?;
        Ok(Some(Credential::of(username, secret)))
    }

    /// Keeps a login.
    ///
    /// # Errors
    /// [`KeychainError`]; it never holds the password.
    pub fn store(&self, host: &Host, name: &str, password: &Secret) -> Result<(), KeychainError> {
        let input = json!({ "ServerURL": host.as_str(), "Username": name, "Secret": password.expose() });
        self.run("store", &input.to_string(), Some(password)).map(drop)
    }

    /// Forgets a login.
    ///
    /// # Errors
    /// [`KeychainError`], also where it knew of none.
    pub fn erase(&self, host: &Host) -> Result<(), KeychainError> {
        self.run("erase", host.as_str(), None).map(drop)
    }

    /// What it prints, asked for `verb`.
    fn run(&self, verb: &str, input: &str, secret: Option<&Secret>) -> Result<Vec<u8>, KeychainError> {
        let missing = |cause| KeychainError::Missing { name: self.0.clone(), cause };
        let mut process = Command::new(format!("docker-credential-{}", self.0))
            .arg(verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(missing)?;
        if let Some(mut stdin) = process.stdin.take() {
            // One that reads nothing says by its exit what it thinks.
            let _ = stdin.write_all(input.as_bytes());
        }
        let output = process.wait_with_output().map_err(missing)?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = spoken(&String::from_utf8_lossy(&output.stdout));
        let repeats = secret.is_some_and(|secret| said.contains(secret.expose()));
        let reason = if repeats || said.is_empty() { output.status.to_string() } else { said };
        Err(KeychainError::Failed { name: self.0.clone(), reason })
    }
}

/// Whether a program's name can end so; with a slash in it, it could be another program.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
}
