//! Requests in the form of events, as the router takes them.

use std::{convert::Infallible, sync::Arc, time::Duration};

use ::http::{HeaderValue, Method};
use axum::body::Body;
use lambda_http::{Request, RequestExt as _, Service, request::RequestContext, service_fn};

use super::{
    answer::{Buffered, MOST},
    carried::carry,
    deadline, refusing,
};
use crate::{
    config::Config,
    http::{self, App, Arrival},
    wire::Adapters,
};

/// What must remain of a function's time when the registry gives up, so that the client hears of it from the registry
/// rather than from Lambda.
const MARGIN: Duration = Duration::from_millis(500);

/// The API, or why there is none.
type Registry = Result<Arc<App>, Arc<str>>;

/// Answers requests with the registry that `config` describes, or, where something is wrong with it, with errors.
pub(super) async fn service(
    config: Result<Config, String>,
) -> impl Service<Request, Response = Buffered, Error = Infallible, Future: Send> + Send {
    let app = match &config {
        Ok(config) => open(config).await,
        Err(reason) => Err(reason.clone()),
    };
    let registry: Registry = app.map(Arc::new).map_err(Arc::from);
    service_fn(move |request| answer(registry.clone(), request))
}

async fn open(config: &Config) -> Result<App, String> {
    let adapters = Adapters::open(config).await.map_err(|error| error.message)?;
    let mut app = adapters.app().await.map_err(|error| {
        let reason = error.to_string();
        refusing(&reason);
        reason
    })?;
    app.options.largest_answer = Some(MOST);
    Ok(app)
}

async fn answer(registry: Registry, mut request: Request) -> Result<Buffered, Infallible> {
    let arrival = arrival(&request);
    if let Some(context) = request.lambda_context_ref()
        && let Ok(id) = HeaderValue::from_str(&context.request_id)
    {
        // The id under which Lambda itself logs the request serves for ours, unless the client brought one.
        request.headers_mut().entry(http::REQUEST_ID).or_insert(id);
    }
    request.extensions_mut().insert(arrival);
    let is_head = request.method() == Method::HEAD;
    let mut response = match registry {
        Ok(app) => http::answer(app, request.map(Body::new)).await,
        Err(reason) => http::closed(&reason, request.headers()),
    };
    carry(&mut response, is_head);
    Ok(Buffered::of(response).await)
}

/// What Lambda knows of how the request came in.
fn arrival(request: &Request) -> Arrival {
    let remote = match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.as_deref().and_then(|ip| ip.parse().ok()),
        _ => None,
    };
    let deadline = request.lambda_context_ref().map(|context| deadline(context, MARGIN));
    Arrival { remote, deadline, secure: true, ..Arrival::default() }
}
