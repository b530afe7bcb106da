//! `log`.

use std::collections::BTreeMap;

use super::{error::ConfigError, settings::Settings};

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// The least serious level that is logged: error, warn, info or debug.
    pub level: tracing::Level,
    /// How a line is written.
    pub formatter: Formatter,
    /// Whether each request has a line of its own.
    pub access: bool,
    /// What every line bears, by name.
    pub fields: BTreeMap<String, String>,
}

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Formatter {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: tracing::Level::INFO, formatter: Formatter::Text, access: true, fields: BTreeMap::new() }
    }
}

impl Log {
    pub(super) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        use tracing::Level;
        let levels = [("error", Level::ERROR), ("warn", Level::WARN), ("info", Level::INFO), ("debug", Level::DEBUG)];
        let formatters = [("text", Formatter::Text), ("json", Formatter::Json)];
        let default = Self::default();
        Ok(Self {
            level: settings.choice("log.level", &levels)?.unwrap_or(default.level),
            formatter: settings.choice("log.formatter", &formatters)?.unwrap_or(default.formatter),
            access: !settings.switch("log.accesslog.disabled", !default.access)?,
            fields: settings.named("log.fields").map(|(name, values, _)| (name.to_owned(), values.concat())).collect(),
        })
    }
}
