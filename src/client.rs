//! The other side of a registry: the interfaces over HTTP, how people and programs log in to one, and where Docker's own
//! files keep that.
//!
//! [`Registry`] works with any registry, not only Berth. Nothing here is part of a registry that serves.

mod aws;
mod blobs;
mod challenge;
mod credentials;
mod docker_config;
mod docker_credentials;
mod doctor;
mod door;
mod download;
mod fetch;
mod helper;
mod host;
mod json_object;
mod keychain;
mod lists;
mod login;
mod manifests;
mod missing;
mod options;
mod referrers;
mod registry;
mod repository;
mod retry;
mod signatures;
mod source;
mod spoken;
mod tags;
mod transport;
mod upload;

pub use aws::{CredentialsError, USERNAME, mint};
pub use credentials::{Anonymous, Credential, CredentialError, Credentials};
pub use docker_config::{DockerConfig, DockerConfigError};
pub use docker_credentials::DockerCredentials;
pub use doctor::{CheckResult, CheckStatus, DoctorOptions, doctor};
pub use fetch::FetchError;
pub use helper::help;
pub use host::{Host, HostError, Scheme};
pub use keychain::{Keychain, KeychainError};
pub use login::{Login, LoginError, login};
pub use options::{ClientOptions, Patience};
pub use registry::Registry;
pub use repository::RemoteRepository;
pub use retry::{Pause, RetryPolicy};
pub use source::{FileSource, Source};
pub use transport::ConnectError;
pub use upload::{KeptUploads, Pushed, Watch};

/// What Docker's configuration calls the credential helper: it runs `docker-credential-berth`.
pub const HELPER: &str = "berth";
