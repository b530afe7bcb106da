//! The other side of a registry: how people and programs log in to one, and where Docker's own files keep that.
//!
//! Nothing here is part of a registry that serves.

mod aws;
mod challenge;
mod docker_config;
mod fetch;
mod helper;
mod host;
mod json_object;
mod keychain;
mod login;
mod spoken;

pub use aws::{CredentialsError, USERNAME, mint};
pub use docker_config::{DockerConfig, DockerConfigError};
pub use fetch::FetchError;
pub use helper::help;
pub use host::{Host, HostError, Scheme};
pub use keychain::{Keychain, KeychainError};
pub use login::{Login, LoginError, login};

/// What Docker's configuration calls the credential helper: it runs `docker-credential-berth`.
pub const HELPER: &str = "berth";
