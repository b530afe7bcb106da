//! `storage.directupload`.

use super::{error::ConfigError, settings::Settings};

/// How blobs are divided that clients hand to storage themselves; as the registry has it, where not given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DirectUpload {
    /// The largest blob that goes into one request, in bytes.
    pub largest_put: Option<u64>,
    /// The least size of a part, in bytes.
    pub part: Option<u64>,
}

impl DirectUpload {
    /// S3's own bounds are in "Amazon S3 multipart upload limits".
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let mib = |number: Option<u32>| number.map(|number| u64::from(number) << 20);
        Ok(Self {
            largest_put: mib(settings.whole("storage.directupload.largestput", 1..=4768)?),
            part: mib(settings.whole("storage.directupload.part", 5..=5120)?),
        })
    }
}
