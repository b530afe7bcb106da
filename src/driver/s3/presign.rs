//! URLs that carry a signature ("Authenticating Requests: Using Query Parameters", Amazon S3 API Reference).

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;

use super::{
    attempt::{SHORT, within},
    bucket::Bucket,
    error::S3Error,
};
use crate::{
    context::Context,
    driver::{DriverError, Path, PresignedMethod},
};

impl Bucket {
    /// Signed here: S3 is not asked, only whoever gives credentials, when there are none yet or they expire.
    pub(super) async fn presign(
        &self,
        ctx: &Context,
        path: &Path,
        method: PresignedMethod,
        expiry: Duration,
    ) -> Result<String, DriverError> {
        let key = self.key(path);
        let sign = async {
            let terms = PresigningConfig::expires_in(expiry).map_err(|error| S3Error::senseless(error.to_string()))?;
            let signed = match method {
                PresignedMethod::Get => self
                    .client
                    .get_object()
                    .bucket(&self.name)
                    .key(key)
                    .presigned(terms)
                    .await
                    .map_err(S3Error::from)?,
                PresignedMethod::Head => self
                    .client
                    .head_object()
                    .bucket(&self.name)
                    .key(key)
                    .presigned(terms)
                    .await
                    .map_err(S3Error::from)?,
            };
            Ok::<_, S3Error>(signed.uri().to_owned())
        };
        within(ctx, SHORT, sign).await.map_err(|error| error.during("presign").on(path, self))
    }
}
