//! The router: one fallback that parses, answers and logs.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use tracing::Instrument as _;

use super::{Arrival, access_log::AccessLine, call::Call, dispatch::dispatch, fault::Fault, request_id::RequestId};
use crate::{
    context::{Caller, Context},
    distribution::Namespace,
};

/// How the API presents itself; nothing in it touches what the registry holds.
#[derive(Debug, Clone)]
pub struct Options {
    /// The URL by which clients reach the registry (`https://registry.example.com`); from the request when not given.
    pub host: Option<String>,
    /// What stands before `/v2/` in every path, such as `/registry`; empty, or with a slash at its beginning alone.
    pub prefix: String,
    /// Whether `Location` leaves out scheme and host.
    pub relative_urls: bool,
    /// Headers of every answer that does not set them itself.
    pub headers: HeaderMap,
    /// Whether blobs, manifests and tags may be deleted.
    pub deletes: bool,
    /// How long a request may take; without one, only what its arrival says bounds it.
    pub request_timeout: Option<Duration>,
    /// Whether there is a line in the log for each request.
    pub access_log: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            host: None,
            prefix: String::new(),
            relative_urls: false,
            headers: HeaderMap::new(),
            deletes: true,
            request_timeout: None,
            access_log: true,
        }
    }
}

/// What all requests share.
pub struct App {
    /// The registry.
    pub namespace: Arc<dyn Namespace>,
    /// How it presents itself.
    pub options: Options,
}

const REQUEST_ID: HeaderName = super::request_id::HEADER;
const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// The API as an axum router, for the server and for Lambda alike.
pub fn router(app: App) -> Router {
    let app = Arc::new(app);
    Router::new().fallback(move |request: Request| answer(app.clone(), request))
}

async fn answer(app: Arc<App>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let arrival = parts.extensions.get::<Arrival>().copied().unwrap_or_default();
    let id = RequestId::of(&parts.headers);
    let line = app.options.access_log.then(|| AccessLine::begin(&parts, &arrival, &id)).flatten();
    let ctx = context(&app.options, &arrival, &id);
    let call = Call { app: app.clone(), ctx: ctx.clone(), parts, arrival };

    let mut response = respond(call, body).await.unwrap_or_else(|fault| fault.into_response(&ctx));

    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.into_header());
    headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    for name in app.options.headers.keys().filter(|name| !headers.contains_key(*name)).collect::<Vec<_>>() {
        for value in app.options.headers.get_all(name) {
            headers.append(name, value.clone());
        }
    }
    match line {
        Some(line) => line.follow(response),
        None => response,
    }
}

fn context(options: &Options, arrival: &Arrival, id: &RequestId) -> Context {
    let timeout = options.request_timeout.map(|timeout| std::time::Instant::now() + timeout);
    let deadline = match (timeout, arrival.deadline) {
        (Some(timeout), Some(deadline)) => Some(timeout.min(deadline)),
        (timeout, deadline) => timeout.or(deadline),
    };
    // At debug, since making a span costs more than answering does otherwise. Warnings name the request by themselves.
    let span = tracing::debug_span!("request", id = id.as_str());
    Context::new(id.as_str().to_owned(), Caller::Anonymous, deadline, span)
}

async fn respond(call: Call, body: Body) -> Result<Response, Fault> {
    let span = call.ctx.span().clone();
    let reads = matches!(call.parts.method, Method::GET | Method::HEAD);
    let response = dispatch(call, body).instrument(span);
    if reads {
        return response.await;
    }
    // hyper drops what it runs when the client hangs up. A change that has begun is carried through all the same, so
    // that it is not left to maintenance to clean up after it.
    tokio::spawn(response).await.unwrap_or_else(|fault| Err(Fault::broken(&fault)))
}
