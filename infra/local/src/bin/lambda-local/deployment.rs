//! What a deployment gives each function.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

/// Both functions of the template, by their logical ids.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Deployment {
    #[serde(rename = "RegistryFunction")]
    pub(crate) registry: Described,
    #[serde(rename = "MaintenanceFunction")]
    pub(crate) maintenance: Described,
}

/// One function. Other fields of the file are for others.
#[derive(Debug, Deserialize)]
pub(crate) struct Described {
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) handler: String,
    /// Seconds.
    pub(crate) timeout: u64,
    /// Megabytes.
    pub(crate) memory: u32,
}

/// Why a deployment's file is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("{0} cannot be read: {1}")]
    Read(String, #[source] std::io::Error),
    #[error("{0} does not describe a deployment: {1}")]
    Parse(String, #[source] serde_json::Error),
}

impl Deployment {
    /// From a file; without one, what the template gives by default.
    pub(crate) fn load(file: Option<&Path>) -> Result<Self, Error> {
        let Some(file) = file else { return Ok(Self::default()) };
        let name = file.display().to_string();
        let text = fs::read(file).map_err(|error| Error::Read(name.clone(), error))?;
        serde_json::from_slice(&text).map_err(|error| Error::Parse(name, error))
    }
}

impl Default for Deployment {
    fn default() -> Self {
        let storage = [("REGISTRY_STORAGE_S3_BUCKET", "berth"), ("REGISTRY_LOG_LEVEL", "info")];
        let registry = [
            ("REGISTRY_STORAGE_CACHE_BLOBDESCRIPTOR", "dynamodb"),
            ("REGISTRY_DYNAMODB_TABLE", "berth"),
            ("REGISTRY_STORAGE_DELETE_ENABLED", "true"),
        ];
        let maintenance = [("REGISTRY_STORAGE_MAINTENANCE_UPLOADPURGING_AGE", "168h")];
        let described = |handler: &str, timeout, more: &[(&str, &str)]| Described {
            environment: storage.iter().chain(more).map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            handler: handler.to_owned(),
            timeout,
            memory: 512,
        };
        Self {
            registry: described("registry", 60, &registry),
            maintenance: described("maintenance", 900, &maintenance),
        }
    }
}
