//! The router: one fallback that parses, answers and logs.

use std::{sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header, request::Parts};
use tracing::Instrument as _;

use super::{
    Arrival, Edge, REQUEST_ID, ThroughEdge,
    access::wanted,
    access_log::AccessLine,
    call::Call,
    dispatch::{dispatch, route},
    fault::Fault,
    location::{base, host},
    request_id::RequestId,
    token, uploads,
    whole::whole,
};
use crate::{
    auth::{AccessController, Asked, token::TokenService},
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
    /// The most bytes that the body of an answer may have, where answers are handed on whole; without one, they are
    /// streamed.
    pub largest_answer: Option<u64>,
    /// Whether there is a line in the log for each request.
    pub access_log: bool,
    /// Whether clients are told what a backend said, rather than the log alone: where that is another registry, whose
    /// words are for them.
    pub explains: bool,
    /// The edge in front of it, if there is one.
    pub edge: Edge,
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
            largest_answer: None,
            access_log: true,
            explains: false,
            edge: Edge::default(),
        }
    }
}

/// What all requests share.
pub struct App {
    /// Says who asks, before anything else is done.
    pub access: Arc<dyn AccessController>,
    /// Gives out tokens at `/token`, if this registry does.
    pub tokens: Option<Arc<TokenService>>,
    /// The registry.
    pub namespace: Arc<dyn Namespace>,
    /// How it presents itself.
    pub options: Options,
}

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");

/// What every answer bears.
fn own_headers(response: &mut Response, id: RequestId) {
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id.into_header());
    headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
}

/// The response to a request with `headers` where the API could not be built, for `reason`, which is for the log alone.
pub fn closed(reason: &str, headers: &HeaderMap) -> Response {
    let id = RequestId::of(headers);
    let ctx = context(&Options::default(), &Arrival::default(), &id);
    let mut response = Fault::closed(reason).into_response(&ctx);
    own_headers(&mut response, id);
    response
}

/// The API as an axum router.
pub fn router(app: App) -> Router {
    let app = Arc::new(app);
    Router::new().fallback(move |request: Request| answer(app.clone(), request))
}

/// The response to one request, as [`router`] makes it, except for two things that the caller does: a response to HEAD
/// has the body of GET, where GET has one that is in memory, and `Content-Length` is not set. A response to a request
/// that came through CloudFront has the extension [`ThroughEdge`].
pub async fn answer(app: Arc<App>, request: Request) -> Response {
    let (mut parts, body) = request.into_parts();
    let arrival = parts.extensions.get::<Arrival>().copied().unwrap_or_default();
    let id = RequestId::of(&parts.headers);
    let line = app.options.access_log.then(|| AccessLine::begin(&parts, &arrival, &id)).flatten();
    let ctx = context(&app.options, &arrival, &id);
    let admitted = app.options.edge.admit(&mut parts.headers, app.options.host.as_deref());
    let through_edge = matches!(admitted, Ok(true));
    let mut caller = Caller::Anonymous;
    let answer = match admitted {
        Ok(_) => {
            let arrival = Arrival { through_edge, ..arrival };
            let asked = Unknown { app: app.clone(), ctx: ctx.clone(), parts, arrival };
            in_time(&ctx, respond(asked, body, &mut caller)).await
        }
        Err(fault) => Err(fault),
    };
    let mut response = answer.unwrap_or_else(|fault| {
        let fault = if app.options.explains { fault.explained() } else { fault };
        fault.into_response(&ctx)
    });

    own_headers(&mut response, id);
    let headers = response.headers_mut();
    for name in app.options.headers.keys().filter(|name| !headers.contains_key(*name)).collect::<Vec<_>>() {
        for value in app.options.headers.get_all(name) {
            headers.append(name, value.clone());
        }
    }
    if through_edge {
        response.extensions_mut().insert(ThroughEdge);
    }
    match line {
        Some(line) => line.follow(response, caller),
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

/// What `answer` gives before the request's deadline; else the client hears that it may try again. Every step below
/// keeps to the deadline by itself: this is for what none of them thought of.
async fn in_time(ctx: &Context, answer: impl Future<Output = Result<Response, Fault>>) -> Result<Response, Fault> {
    match ctx.deadline() {
        None => answer.await,
        Some(deadline) => tokio::time::timeout_at(deadline.into(), answer).await.unwrap_or_else(|_| Err(Fault::late())),
    }
}

/// A request of which nobody knows yet who asks.
struct Unknown {
    app: Arc<App>,
    ctx: Context,
    parts: Parts,
    arrival: Arrival,
}

fn is_token_path(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix) == Some(token::PATH)
}

async fn respond(asked: Unknown, body: Body, caller: &mut Caller) -> Result<Response, Fault> {
    let Unknown { app, ctx, parts, arrival } = asked;
    if let Some(tokens) = app.tokens.as_deref().filter(|_| is_token_path(parts.uri.path(), &app.options.prefix)) {
        return token::answer(tokens, &app, &ctx, (&parts, body), &arrival, caller).await;
    }
    let route = route(parts.uri.path(), &app.options.prefix);
    // Whether a path exists is only for those who are known.
    let wanted = route.as_ref().map(|route| wanted(&parts, route)).unwrap_or_default();
    let base = base(&app.options, &parts, &arrival);
    let authorization = parts.headers.get(header::AUTHORIZATION);
    let host = host(&app.options, &parts, &arrival);
    let asked = Asked { ctx: &ctx, authorization, base: base.as_deref(), host: host.as_deref() };
    let grant = app.access.authorize(&asked, &wanted).await?;
    *caller = grant.identity().caller();
    let ctx = ctx.asked_by(caller.clone());
    let call = Call { app, ctx, parts, arrival, grant };
    let span = call.ctx.span().clone();
    let reads = matches!(call.parts.method, Method::GET | Method::HEAD) && !uploads::commits(&call);
    let largest = call.options().largest_answer;
    let response = dispatch(call, route?, body).instrument(span);
    let response = if reads {
        response.await?
    } else {
        // hyper drops what it runs when the client hangs up. A change that has begun is carried through all the same,
        // so that it is not left to maintenance to clean up after it.
        tokio::spawn(response).await.unwrap_or_else(|fault| Err(Fault::broken(&fault)))?
    };
    match largest {
        Some(most) => whole(response, most).await,
        None => Ok(response),
    }
}
