//! Where the bucket is, and its client.

use std::time::Duration;

use aws_sdk_s3::{
    Client,
    config::{
        Builder, RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient,
        StalledStreamProtectionConfig, retry::RetryConfig,
    },
};

use crate::aws::{Account, sdk_config};

/// A bucket and how to use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct S3Config {
    /// The bucket's name.
    pub bucket: String,
    /// Its region, endpoint and keys.
    pub account: Account,
    /// The prefix of all keys; slashes at its ends do not count.
    pub root: Option<String>,
    /// Whether the bucket's name is in the URL's path rather than in its host's name, as local stores need it.
    pub force_path_style: bool,
    /// How much goes into one request.
    pub sizes: Sizes,
}

impl S3Config {
    /// Bucket `name`, where the environment says that S3 is.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            bucket: name.into(),
            account: Account::default(),
            root: None,
            force_path_style: false,
            sizes: Sizes::default(),
        }
    }
}

/// How much goes into one request, in bytes. S3's own bounds are in "Amazon S3 multipart upload limits".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sizes {
    /// A part of an upload, the first thousand of them; also the most that is held in memory to be sent again. S3
    /// takes none under 5 MiB.
    pub part: u64,
    /// What is written or copied by one request; S3 allows 5 GB.
    pub single: u64,
    /// A part that S3 copies; S3 allows 5 MiB to 5 GiB.
    pub copied_part: u64,
}

impl Default for Sizes {
    fn default() -> Self {
        Self { part: 8 << 20, single: 5_000_000_000, copied_part: 512 << 20 }
    }
}

/// The least that S3 takes as a part that is not the last ("Amazon S3 multipart upload limits").
pub(super) const LEAST_PART: u64 = 5 << 20;

/// The most parts of one upload ("Amazon S3 multipart upload limits").
pub(super) const MOST_PARTS: u64 = 10_000;

impl Sizes {
    /// Within what S3 allows.
    pub(super) fn within_bounds(self) -> Self {
        Self {
            part: self.part.clamp(LEAST_PART, 5 << 30),
            single: self.single.min(5_000_000_000),
            // Twice the least, so that any source splits into parts that none is under the least.
            copied_part: self.copied_part.clamp(2 * LEAST_PART, 5 << 30),
        }
    }

    /// The size of part `number`, counted from 1: it doubles three times, so that ten thousand parts of 8 MiB at
    /// first hold half a terabyte, and yet none is too much for memory.
    pub(super) fn part_at(self, number: u64) -> u64 {
        self.part << (number.saturating_sub(1) / 1000).min(3)
    }
}

pub(super) async fn client(config: &S3Config, http: &SharedHttpClient) -> Client {
    let shared = sdk_config(http, &config.account).await;
    let stalled = StalledStreamProtectionConfig::enabled()
        // An upload is fed at its sender's pace, which the SDK would take for a stall; `put_stream` sees real ones.
        .upload_enabled(false)
        .grace_period(Duration::from_secs(20))
        .build();
    let client = Builder::from(&shared)
        .force_path_style(config.force_path_style)
        // `attempt` retries, within each call's deadline.
        .retry_config(RetryConfig::disabled())
        .stalled_stream_protection(stalled)
        // Checksums of our own choice are sent. One asked for in a presigned URL would be a header that clients
        // had to send.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .build();
    Client::from_conf(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_stay_within_what_s3_takes() {
        let least = Sizes { part: 1, single: u64::MAX, copied_part: 1 }.within_bounds();
        assert_eq!(least, Sizes { part: 5 << 20, single: 5_000_000_000, copied_part: 10 << 20 });
        assert_eq!(Sizes::default().within_bounds(), Sizes::default());
    }

    #[test]
    fn parts_grow_with_their_number_but_not_without_bound() {
        let sizes = Sizes::default();
        let mib = |number| sizes.part_at(number) >> 20;
        assert_eq!([1, 1000, 1001, 2001, 3001, MOST_PARTS].map(mib), [8, 8, 16, 32, 64, 64]);
        let most: u64 = (1..=MOST_PARTS).map(|number| sizes.part_at(number)).sum();
        assert!(most > 500_000_000_000, "{most}");
    }
}
