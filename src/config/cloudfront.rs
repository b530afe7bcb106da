//! `storage.redirect.cloudfront`.

use std::{sync::Arc, time::Duration};

use super::{duration, error::ConfigError, settings::Settings};
use crate::aws::cloudfront::UrlKey;

/// Where a CloudFront distribution stands before the bucket and the registry: what signs URLs of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudFront {
    /// The id by which CloudFront knows the key.
    pub key_pair_id: String,
    /// The private key.
    pub key: Arc<UrlKey>,
    /// How long a URL is good for.
    pub life: Duration,
}

/// As long as that of S3's own URLs.
const LIFE: Duration = Duration::from_mins(20);
const SHORTEST_LIFE: Duration = Duration::from_mins(1);
const LONGEST_LIFE: Duration = Duration::from_hours(24);

impl CloudFront {
    pub(super) fn read(settings: &Settings) -> Result<Option<Self>, ConfigError> {
        let life = match settings.get("storage.redirect.cloudfront.life") {
            None => LIFE,
            Some(found) => duration::read(found.text)
                .filter(|life| (SHORTEST_LIFE..=LONGEST_LIFE).contains(life))
                .ok_or_else(|| found.refuse())?,
        };
        let id = settings.get("storage.redirect.cloudfront.keypairid");
        let key = settings.get("storage.redirect.cloudfront.privatekey");
        let (id, key) = match (id, key) {
            (Some(id), Some(key)) => (id, key),
            (Some(alone), None) | (None, Some(alone)) => return Err(alone.because("given without the other half")),
            (None, None) => return Ok(None),
        };
        if settings.get("storage.s3.bucket").is_none() {
            return Err(id.because("without a bucket, CloudFront has nothing to give"));
        }
        // It stands in URLs.
        if !id.text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(id.refuse());
        }
        let read = UrlKey::read(key.text).ok_or_else(|| key.because("not readable as a private key on P-256"))?;
        Ok(Some(Self { key_pair_id: id.text.to_owned(), key: Arc::new(read), life }))
    }
}
