//! `validation`.

use super::{error::ConfigError, settings::Settings};

/// What must exist before a manifest that names it is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validation {
    /// Every manifest that an index names (`validation.manifests.indexes.platforms`).
    pub platforms: bool,
    /// The configuration and every layer that an image names (`validation.manifests.images.layers`).
    pub layers: bool,
}

impl Default for Validation {
    fn default() -> Self {
        Self { platforms: true, layers: true }
    }
}

impl Validation {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let choices = [("all", true), ("none", false)];
        let default = Self::default();
        Ok(Self {
            platforms: settings
                .choice("validation.manifests.indexes.platforms", &choices)?
                .unwrap_or(default.platforms),
            layers: settings.choice("validation.manifests.images.layers", &choices)?.unwrap_or(default.layers),
        })
    }
}
