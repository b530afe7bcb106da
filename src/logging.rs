//! The log: lines on standard error, as configuration says, unless `RUST_LOG` says otherwise.

mod fields;

use std::io::{self, IsTerminal as _};

use tracing_subscriber::{EnvFilter, filter::ParseError};

use crate::config::{Formatter, Log};
use fields::WithFields;

/// The variable whose directives replace the configured level (`tracing_subscriber::EnvFilter`, "Directives").
const VARIABLE: &str = "RUST_LOG";

/// `RUST_LOG` holds no directives.
#[derive(Debug, thiserror::Error)]
#[error("{VARIABLE}: {0}; allowed: directives such as info or berth=debug")]
pub struct FilterError(#[from] ParseError);

/// Starts the log of a process that people or their tools watch.
///
/// # Errors
/// [`FilterError`].
pub fn init(log: &Log) -> Result<(), FilterError> {
    let filter = filter(log)?;
    let writer = WithFields::new(io::stderr, log);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer);
    match log.formatter {
        Formatter::Text => lines.with_ansi(io::stderr().is_terminal()).init(),
        Formatter::Json => lines.json().flatten_event(true).with_span_list(false).init(),
    }
    Ok(())
}

/// Starts the log of a function: JSON, since CloudWatch Logs Insights reads its fields, without the time that
/// CloudWatch adds to each line.
///
/// # Errors
/// [`FilterError`]; the log is started all the same, so that this can be said in it.
pub fn init_for_lambda(log: &Log) -> Result<(), FilterError> {
    let writer = WithFields::new(io::stderr, &Log { formatter: Formatter::Json, ..log.clone() });
    let filter = filter(log);
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter.as_ref().map_or_else(|_| configured(log), Clone::clone))
        .with_writer(writer);
    lines.json().flatten_event(true).with_span_list(false).without_time().init();
    filter.map(|_| ())
}

/// What is logged. Below `warn`, what the libraries beneath have to say helps nobody who runs a registry.
fn filter(log: &Log) -> Result<EnvFilter, FilterError> {
    match std::env::var(VARIABLE) {
        Ok(directives) if !directives.trim().is_empty() => Ok(EnvFilter::builder().parse(directives)?),
        _ => Ok(configured(log)),
    }
}

fn configured(log: &Log) -> EnvFilter {
    let level = log.level;
    let libraries = level.min(tracing::Level::WARN);
    // Names and levels, each good by itself: nothing is lost.
    EnvFilter::builder().parse_lossy(format!("{libraries},berth={level},bootstrap={level},access={level}"))
}
