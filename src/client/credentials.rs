//! Who asks.

use async_trait::async_trait;

use super::{CredentialsError, DockerConfigError, Host, KeychainError};
use crate::config::Secret;

/// What proves who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// Nothing.
    Anonymous,
    /// A user's name and password, or what stands for one.
    Password {
        /// The name.
        name: String,
        /// The password.
        password: Secret,
    },
    /// What a token service gave for a login (`identitytoken` in Docker's configuration).
    IdentityToken(Secret),
    /// What is shown to the registry as it is (`registrytoken`).
    RegistryToken(Secret),
}

/// Where credentials come from. They are asked for again when they may have changed.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// Those for `host`; [`Credential::Anonymous`] where there are none.
    ///
    /// # Errors
    /// There should be some, but they are not to be had.
    async fn credential(&self, host: &Host) -> Result<Credential, CredentialError>;
}

/// Credentials that should be there are not to be had.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// Docker's configuration cannot be read.
    #[error(transparent)]
    Config(#[from] DockerConfigError),
    /// Another program has them.
    #[error(transparent)]
    Keychain(#[from] KeychainError),
    /// AWS credentials are the login.
    #[error(transparent)]
    Aws(#[from] CredentialsError),
}

/// Nobody.
#[derive(Debug, Clone, Copy)]
pub struct Anonymous;

#[async_trait]
impl Credentials for Anonymous {
    async fn credential(&self, _host: &Host) -> Result<Credential, CredentialError> {
        Ok(Credential::Anonymous)
    }
}

/// Always the same, as `--username` has it.
#[async_trait]
impl Credentials for Credential {
    async fn credential(&self, _host: &Host) -> Result<Credential, CredentialError> {
        Ok(self.clone())
    }
}
