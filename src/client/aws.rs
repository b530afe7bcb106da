//! The credentials of whoever runs this, and the password that is made of them.

use std::{env, process::Stdio, time::SystemTime};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials as _, error::CredentialsError as ProviderError},
};
use serde::Deserialize;
use tokio::task::spawn_blocking;

use super::{
    Host,
    spoken::{causes, spoken},
};
use crate::{
    auth::proof::aws::{SignError, sign},
    aws::{Account, http_client, sdk_config},
    config::Secret,
};

/// The user name that goes with a proof. It counts for nothing, but clients want one.
pub const USERNAME: &str = "aws";

/// There is no proof of who runs this.
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// Nobody says any.
    #[error(
        "no AWS credentials found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or log in with \
         `aws login` or `aws sso login`"
    )]
    None,
    /// They are said, but are not to be had.
    #[error("AWS credentials are not to be had: {0}")]
    Unavailable(String),
    /// They do not sign.
    #[error(transparent)]
    Unsigned(#[from] SignError),
}

/// A fresh password for the registry `host`: a proof of whose AWS credentials these are, which is good for that host
/// alone and for some minutes. Credentials are found as every AWS program does it; where the SDK finds none, the AWS
/// CLI is asked, which knows `aws sso login` and more.
///
/// # Errors
/// [`CredentialsError`].
pub async fn mint(host: &Host) -> Result<Secret, CredentialsError> {
    let sdk = sdk_config(&http_client(), &Account::default()).await;
    let provider = sdk.credentials_provider().ok_or(CredentialsError::None)?;
    let credentials = match provider.provide_credentials().await {
        Ok(credentials) => credentials,
        Err(error) => exported().await.map_err(|said| refused(&error, said))?,
    };
    let region = sdk.region().map_or("us-east-1", |region| region.as_ref());
    Ok(Secret::new(sign(&credentials, region, host.as_str(), SystemTime::now())?))
}

/// What `said`, the AWS CLI, knows better than the SDK, if it is there at all.
fn refused(error: &ProviderError, said: Option<String>) -> CredentialsError {
    let profile = env::var("AWS_PROFILE").ok().filter(|profile| !profile.is_empty());
    match (error, said) {
        (ProviderError::CredentialsNotLoaded(_), said) => {
            match profile {
                None => CredentialsError::None,
                // Whoever says where they are does not want to go on without.
                Some(profile) => CredentialsError::Unavailable(said.unwrap_or_else(|| {
                    format!("the profile {:?}, which AWS_PROFILE names, has none", spoken(&profile))
                })),
            }
        }
        (_, Some(said)) => CredentialsError::Unavailable(said),
        (error, None) => CredentialsError::Unavailable(causes(error)),
    }
}

/// The format of `credential_process` ("Process credential provider", AWS SDKs and Tools Reference Guide).
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Exported {
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

/// What the AWS CLI has; else what it complained of, if it is there.
async fn exported() -> Result<Credentials, Option<String>> {
    let run = || {
        let mut command = std::process::Command::new("aws");
        command.args(["configure", "export-credentials", "--format", "process"]).stdin(Stdio::null()).output()
    };
    let output = spawn_blocking(run).await.ok().and_then(Result::ok).ok_or(None)?;
    if !output.status.success() {
        let said = spoken(&String::from_utf8_lossy(&output.stderr));
        return Err(Some(said).filter(|said| !said.is_empty()));
    }
    // What it holds instead is not repeated: it may be half a secret.
    let exported: Exported = serde_json::from_slice(&output.stdout)
        .map_err(|_| Some("`aws configure export-credentials` printed something else".to_owned()))?;
    let Exported { access_key_id, secret_access_key, session_token } = exported;
    Ok(Credentials::new(access_key_id, secret_access_key, session_token, None, "AWS CLI"))
}
