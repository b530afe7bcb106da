//! `storage.maintenance.uploadpurging`.

use std::time::Duration;

use super::{duration, error::ConfigError, settings::Settings};

/// When uploads that nobody finished are removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadPurging {
    /// Whether a server does it by itself.
    pub enabled: bool,
    /// How long after its opening an upload may be removed.
    pub age: Duration,
    /// How often it is done.
    pub interval: Duration,
    /// Whether it is only said what would be removed.
    pub dry_run: bool,
}

/// As distribution has it.
impl Default for UploadPurging {
    fn default() -> Self {
        const HOUR: Duration = Duration::from_secs(3600);
        Self { enabled: true, age: 168 * HOUR, interval: 24 * HOUR, dry_run: false }
    }
}

/// A shorter age would take uploads from under clients that are at work; a shorter interval would do nothing else.
const SHORTEST: Duration = Duration::from_secs(60);

impl UploadPurging {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let default = Self::default();
        let time = |path, default| match settings.get(path) {
            None => Ok(default),
            Some(found) => duration::read(found.text).filter(|time| *time >= SHORTEST).ok_or_else(|| found.refuse()),
        };
        Ok(Self {
            enabled: settings.switch("storage.maintenance.uploadpurging.enabled", default.enabled)?,
            age: time("storage.maintenance.uploadpurging.age", default.age)?,
            interval: time("storage.maintenance.uploadpurging.interval", default.interval)?,
            dry_run: settings.switch("storage.maintenance.uploadpurging.dryrun", default.dry_run)?,
        })
    }
}
