//! The key pairs that may sign.

use std::sync::Arc;

use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

use crate::iam::Identities;

/// Those of the identities that are known.
pub(super) struct Keys(pub(super) Arc<Identities>);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        let Some(principal) = self.0.find(access_key) else {
            let message = "The AWS Access Key Id you provided does not exist in our records.";
            return Err(s3_error!(InvalidAccessKeyId, "{message}"));
        };
        Ok(principal.identity.secret_key.clone().into())
    }
}
