//! The registry as AWS Lambda functions: one program, which the function's `Handler` tells what to be.
//!
//! | handler | events |
//! |---|---|
//! | `registry` | HTTP requests, by a function URL or an HTTP API (payload format 2.0) |
//! | `maintenance` | anything, by a schedule: what the registry does of its own accord is done once |
//! | `edge-secrets` | CloudFormation's, of a custom resource: the secrets that an edge before the registry shares with it |
//!
//! A function that is not set up right starts all the same. One that stopped would be started again by every request,
//! and answered for by Lambda's own error, which tells no client anything.

mod answer;
mod carried;
mod edge_secrets;
mod maintenance;
mod registry;

use std::{
    pin::Pin,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::anyhow;
use lambda_http::{
    Context, LambdaEvent,
    lambda_runtime::{self, service_fn},
};
use serde_json::Value;

use crate::{
    config::{Config, Controller, Driver, Log, process_environment},
    logging,
};

/// Serves events until Lambda ends the process. Every line of the log is written out as it is made, so that nothing is
/// left to flush when that comes without a warning.
///
/// # Errors
/// Lambda's runtime API cannot be reached, which outside of Lambda it cannot.
pub async fn run() -> anyhow::Result<()> {
    let config = Config::load(None, process_environment());
    let config = started(config.map_err(|error| error.to_string()));
    let handler = std::env::var("_HANDLER").unwrap_or_default();
    let task = match handler.as_str() {
        "maintenance" => maintenance::task(config),
        "edge-secrets" => edge_secrets::task(config),
        _ => {
            let served = lambda_http::run(registry::service(config.and_then(closed_to_strangers)).await).await;
            return served.map_err(|error| anyhow!(error));
        }
    };
    lambda_runtime::run(service_fn(task)).await.map_err(|error| anyhow!(error))
}

/// What a function does with an event that is no request. All are of one type, since each type that Lambda's runtime is
/// run with is one more copy of it in the package.
type Task = Box<dyn Fn(LambdaEvent<Value>) -> Done + Send + Sync>;
type Done = Pin<Box<dyn Future<Output = Result<Value, lambda_runtime::Error>> + Send>>;

/// Starts the log that `config` wants. What is wrong goes there, too.
fn started(config: Result<Config, String>) -> Result<Config, String> {
    let begun = match &config {
        Ok(config) => logging::init_for_lambda(&config.log),
        Err(_) => logging::init_for_lambda(&Log::default()),
    };
    let config = config.and_then(|config| begun.map(|()| config).map_err(|error| error.to_string()));
    match &config {
        Ok(config) => config.warnings.iter().for_each(|warning| tracing::warn!("{warning}")),
        Err(reason) => refusing(reason),
    }
    config
}

/// Says in the log why nothing will be served.
fn refusing(reason: &str) {
    tracing::error!(reason, "the configuration is wrong; every request is refused");
}

/// When work on an event has to end, so that `margin` is left of the time that Lambda gives it.
fn deadline(context: &Context, margin: Duration) -> Instant {
    let ends = UNIX_EPOCH + Duration::from_millis(context.deadline);
    Instant::now() + ends.duration_since(SystemTime::now()).unwrap_or_default().saturating_sub(margin)
}

/// Refuses what would be a registry for everybody on the internet, or one that forgets.
fn closed_to_strangers(config: Config) -> Result<Config, String> {
    let reason = match (&config.auth.controller, &config.storage.driver) {
        (Controller::None, _) => {
            "nobody is asked who they are: everybody could read and write; set REGISTRY_AUTH_BERTH_AWS and REGISTRY_AUTH_RULES, or \
             REGISTRY_AUTH_HTPASSWD_USERS"
        }
        (_, Driver::Filesystem { .. } | Driver::InMemory) => {
            "no bucket: what a function keeps itself is lost; set REGISTRY_STORAGE_S3_BUCKET"
        }
        _ => return Ok(config),
    };
    refusing(reason);
    Err(reason.to_owned())
}
