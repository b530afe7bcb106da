//! Credentials as Docker keeps them: with a credential helper, or in its configuration.

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Deserialize;
use tokio::task::spawn_blocking;

use super::{Credential, CredentialError, Credentials, DockerConfig, HELPER, Host, Keychain, USERNAME, mint};
use crate::config::Secret;

/// The logins of whoever runs this process.
#[derive(Debug, Clone, Copy)]
pub struct DockerCredentials;

/// An entry of `auths`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    #[serde(rename = "identitytoken")]
    identity_token: Option<String>,
    #[serde(rename = "registrytoken")]
    registry_token: Option<String>,
}

/// What is to be done for credentials.
enum Found {
    /// They are at hand.
    Here(Credential),
    /// They are made of AWS credentials.
    Mint,
}

#[async_trait]
impl Credentials for DockerCredentials {
    async fn credential(&self, host: &Host) -> Result<Credential, CredentialError> {
        let asked = host.clone();
        let found = spawn_blocking(move || find(&asked)).await;
        match found.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))? {
            Found::Here(credential) => Ok(credential),
            Found::Mint => Ok(Credential::Password { name: USERNAME.to_owned(), password: mint(host).await? }),
        }
    }
}

fn find(host: &Host) -> Result<Found, CredentialError> {
    let mut config = DockerConfig::open()?;
    let own = config.helper(host);
    if own.as_deref() == Some(HELPER) {
        return Ok(Found::Mint);
    }
    // Berth's own, asked for all registries, has logins of those alone that it is named for.
    let helper = own.or_else(|| config.store()).and_then(|name| Keychain::new(&name));
    if let Some(credential) = helper.map(|helper| helper.get(host)).transpose()?.flatten() {
        return Ok(Found::Here(credential));
    }
    Ok(Found::Here(config.login(host).and_then(Kept::credential).unwrap_or(Credential::Anonymous)))
}

impl Kept {
    fn credential(self) -> Option<Credential> {
        let secret = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Secret::new);
        if let Some(token) = secret(self.registry_token) {
            return Some(Credential::RegistryToken(token));
        }
        if let Some(token) = secret(self.identity_token) {
            return Some(Credential::IdentityToken(token));
        }
        let decoded = self.auth.and_then(|auth| String::from_utf8(STANDARD.decode(auth.trim()).ok()?).ok());
        let pair = decoded.as_deref().and_then(|pair| pair.split_once(':'));
        let (name, password) = match pair {
            // Some versions of Docker's tools padded it with zeros.
            Some((name, password)) => (name.to_owned(), password.trim_matches('\0').to_owned()),
            None => (self.username?, self.password?),
        };
        Some(Credential::of(name, password))
    }
}

impl Credential {
    /// A name and a password as Docker's helpers say them; the name `<token>` says that the password is a token.
    pub(super) fn of(name: String, password: String) -> Self {
        match name.as_str() {
            "<token>" => Self::IdentityToken(Secret::new(password)),
            _ => Self::Password { name, password: Secret::new(password) },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_as_docker_and_others_write_them() {
        let password = |name: &str, password: &str| Some(Credential::of(name.to_owned(), password.to_owned()));
        let token = |text: &str| Secret::new(text.to_owned());
        for (entry, expected) in [
            (r#"{"auth": "YWxpY2U6d29uZGVyOmxhbmQ="}"#, password("alice", "wonder:land")),
            (r#"{"auth": "YWxpY2U6cABwAAA="}"#, password("alice", "p\0p")),
            (r#"{"username": "alice", "password": "p"}"#, password("alice", "p")),
            (r#"{"auth": "YTpi", "identitytoken": "t"}"#, Some(Credential::IdentityToken(token("t")))),
            (r#"{"registrytoken": "t"}"#, Some(Credential::RegistryToken(token("t")))),
            (r#"{"auth": "PHRva2VuPjp0"}"#, Some(Credential::IdentityToken(token("t")))),
            (r#"{"auth": "%%%"}"#, None),
            (r#"{"auth": "YWxpY2U="}"#, None),
            (r"{}", None),
        ] {
            assert_eq!(serde_json::from_str::<Kept>(entry).unwrap().credential(), expected, "{entry}");
        }
    }
}
