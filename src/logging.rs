//! The log: lines on standard error, as configuration says, unless `RUST_LOG` says otherwise.

mod fields;

use std::io::{self, IsTerminal as _};

use tracing_subscriber::{
    filter::{ParseError, Targets},
    fmt,
    layer::SubscriberExt as _,
    util::SubscriberInitExt as _,
};

use crate::config::{Formatter, Log};
use fields::WithFields;

/// The variable whose directives replace the configured level (`tracing_subscriber::filter::Targets`). They name
/// targets and levels: spans and fields would need regular expressions, whose engine is a tenth of a function's package.
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
    let lines = tracing_subscriber::registry().with(filter(log)?);
    let format = fmt::layer().with_writer(WithFields::new(io::stderr, log));
    match log.formatter {
        Formatter::Text => lines.with(format.with_ansi(io::stderr().is_terminal())).init(),
        Formatter::Json => lines.with(format.json().flatten_event(true).with_span_list(false)).init(),
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
    let format = fmt::layer().json().flatten_event(true).with_span_list(false).without_time().with_writer(writer);
    let wanted = filter.as_ref().map_or_else(|_| configured(log), Clone::clone);
    tracing_subscriber::registry().with(wanted).with(format).init();
    filter.map(|_| ())
}

/// What is logged. Below `warn`, what the libraries beneath have to say helps nobody who runs a registry.
fn filter(log: &Log) -> Result<Targets, FilterError> {
    match std::env::var(VARIABLE) {
        Ok(directives) if !directives.trim().is_empty() => Ok(directives.parse()?),
        _ => Ok(configured(log)),
    }
}

fn configured(log: &Log) -> Targets {
    let own = ["berth", "bootstrap", "access"].map(|target| (target, log.level));
    Targets::new().with_default(log.level.min(tracing::Level::WARN)).with_targets(own)
}
