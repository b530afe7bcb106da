//! The key pairs that may sign.

use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Result, s3_error};

/// The one pair of an emulator.
pub(super) struct Keys {
    pub(super) access_key: String,
    pub(super) secret_key: SecretKey,
}

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key != self.access_key {
            let message = "The AWS Access Key Id you provided does not exist in our records.";
            return Err(s3_error!(InvalidAccessKeyId, "{message}"));
        }
        Ok(self.secret_key.clone())
    }
}
