//! `http.edge`.

use super::{error::ConfigError, secret::Secret, settings::Settings};

/// What the registry and the edge in front of it share.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edge {
    /// By which requests show that they came through the edge; where there are any, no others are answered.
    pub origin_secrets: Vec<Secret>,
    /// The keys of upload tickets: the first signs.
    pub upload_keys: Vec<Secret>,
}

/// One of fewer bytes could be guessed.
const SHORTEST: usize = 16;

impl Edge {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let secrets = |path| {
            let Some(found) = settings.get(path) else { return Ok(Vec::new()) };
            let secrets = found.text.split(',').map(str::trim).map(|secret| {
                let plain = secret.bytes().all(|byte| byte.is_ascii_graphic());
                if plain && secret.len() >= SHORTEST {
                    Ok(Secret::new(secret))
                } else {
                    Err(found.because("one is too short, or has a space"))
                }
            });
            secrets.collect::<Result<Vec<_>, ConfigError>>()
        };
        Ok(Self { origin_secrets: secrets("http.edge.originsecret")?, upload_keys: secrets("http.edge.uploadkey")? })
    }
}
