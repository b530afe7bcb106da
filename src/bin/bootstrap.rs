//! The Lambda entry, and nothing else: kept small for cold start. Configured by the file that
//! `REGISTRY_CONFIGURATION_PATH` names and by `REGISTRY_*` variables.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::anyhow;
use berth::{
    config::{Config, process_environment},
    http, logging, wire,
};
use lambda_http::{Request, RequestExt as _, request::RequestContext, service_fn};
use tower::Service as _;

/// What must remain of a function's time when the registry gives up, so that the client hears of it from the registry
/// rather than from Lambda.
const MARGIN: Duration = Duration::from_millis(500);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let config = Config::load(None, process_environment())?;
    logging::init_for_lambda(&config.log)?;
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let router = http::router(wire::app(&config).await?);
    let service = service_fn(move |request| router.clone().call(arrived(request)));
    lambda_http::run(service).await.map_err(|error| anyhow!(error))
}

/// The request, with what Lambda knows of how it came in.
fn arrived(mut request: Request) -> Request {
    let remote = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref().and_then(|ip| ip.parse().ok()),
        _ => None,
    };
    let ends = request.lambda_context_ref().map(|context| UNIX_EPOCH + Duration::from_millis(context.deadline));
    let left = ends.map(|ends| ends.duration_since(SystemTime::now()).unwrap_or_default());
    let deadline = left.map(|left| Instant::now() + left.saturating_sub(MARGIN));
    request.extensions_mut().insert(http::Arrival { remote, deadline, secure: true });
    request
}
