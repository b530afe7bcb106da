//! Requests to a registry and answers from it: authorization, redirections, retries and patience, for all services alike.

mod answer;
mod connections;
mod exchange;
mod failure;
mod place;
mod request;
mod said;

use std::time::Duration;

use http::{HeaderValue, Method, StatusCode, header};
use reqwest::Url;

pub(super) use self::{
    answer::Answer,
    connections::Connections,
    exchange::Exchange,
    failure::Failure,
    place::{allowed, authority, is_same_origin, location, shown},
    request::{Payload, Request},
};
use super::{
    ClientOptions, Host, RetryPolicy,
    door::{Door, Tried},
};
use crate::{
    api::{Query, Route},
    context::Context,
};

/// Redirections of one request that are followed.
const REDIRECTIONS: usize = 5;
/// Tries of one request with other tokens.
const TOKENS: usize = 3;

/// The way to one registry.
pub(super) struct Transport {
    host: Host,
    base: Url,
    connections: Connections,
    door: Door,
    retry: RetryPolicy,
}

/// There can be no client with these options.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ConnectError {
    /// The name cannot stand in a URL.
    #[error("{0} cannot be the host of a URL")]
    Host(Host),
    /// The user agent cannot stand in a header.
    #[error("the user agent {0:?} cannot be the value of a header")]
    UserAgent(String),
}

impl Transport {
    pub(super) fn new(options: &ClientOptions) -> Result<Self, ConnectError> {
        let ClientOptions { host, scheme, credentials, user_agent, retry, patience, .. } = options;
        let address = host.address();
        let base = Url::parse(&format!("{scheme}://{address}")).map_err(|_| ConnectError::Host(host.clone()))?;
        let agent = HeaderValue::from_str(user_agent).map_err(|_| ConnectError::UserAgent(user_agent.clone()))?;
        let door = Door::new(host.clone(), base.clone(), credentials.clone());
        let connections = Connections::new(agent, *patience);
        Ok(Self { host: host.clone(), base, connections, door, retry: retry.clone() })
    }

    /// The registry.
    pub(super) fn host(&self) -> &Host {
        &self.host
    }

    pub(super) fn retry(&self) -> &RetryPolicy {
        &self.retry
    }

    /// The URL of `route` with `query`.
    pub(super) fn url(&self, route: &Route, query: &Query) -> Url {
        let mut url = self.base.clone();
        // Nothing in it needs escaping, and nothing is escaped twice.
        url.set_path(&route.to_string());
        let query = query.to_string();
        url.set_query(Some(query.as_str()).filter(|query| !query.is_empty()));
        url
    }

    /// Whether credentials for the registry may go to `url`.
    pub(super) fn is_own(&self, url: &Url) -> bool {
        is_same_origin(&self.base, url)
    }

    /// Sends `request`, and again where that is safe and may help. Any status is an answer, also an error's.
    pub(super) async fn send(&self, ctx: &Context, request: &Request) -> Result<Answer, Failure> {
        let (mut retry, mut is_repeated) = (0, false);
        loop {
            let outcome = self.deliver(ctx, request).await;
            let (passing, asked): (bool, Option<Duration>) = match &outcome {
                Ok(answer) => (answer.is_busy(), answer.retry_after()),
                Err(failure) => (failure.is_passing(), None),
            };
            if !passing || !request.is_repeatable || retry == self.retry.retries || ctx.remaining().is_err() {
                return outcome.map(|answer| answer.repeated(is_repeated));
            }
            is_repeated |= match &outcome {
                // One that is busy did nothing, unless it stands before another.
                Ok(answer) => !matches!(answer.status.as_u16(), 429 | 503),
                Err(failure) => !matches!(failure, Failure::Unreachable { .. }),
            };
            drop(outcome);
            retry += 1;
            self.retry.pause(ctx, retry, asked).await;
        }
    }

    /// Sends `request` with the authorization that the registry wants.
    async fn deliver(&self, ctx: &Context, request: &Request) -> Result<Answer, Failure> {
        if request.is_bare {
            return self.follow(ctx, request, None).await;
        }
        let mut tried = Tried::new(request.scopes.clone(), request.announces);
        let mut tries = 1;
        loop {
            let authorization = self.door.authorization(&self.exchange(ctx), &mut tried).await?;
            let answer = self.follow(ctx, request, authorization.as_ref()).await?;
            let is_refused = answer.status == StatusCode::UNAUTHORIZED && self.is_own(&answer.url);
            if !is_refused || tries == TOKENS || !self.door.learn(&answer.headers, &mut tried).await? {
                return Ok(answer);
            }
            tries += 1;
        }
    }

    /// Sends `request` to where it leads.
    async fn follow(
        &self,
        ctx: &Context,
        request: &Request,
        authorization: Option<&HeaderValue>,
    ) -> Result<Answer, Failure> {
        let (mut method, mut url) = (request.method.clone(), request.url.clone());
        let mut visited = Vec::new();
        loop {
            let authorization = authorization.filter(|_| self.is_own(&url));
            let payload = (method == request.method).then_some(&request.payload);
            let answer = self.exchange(ctx).run(&method, &url, &request.headers, payload, authorization).await?;
            let Some(next) = redirected(&method, answer.status).filter(|_| request.follows) else { return Ok(answer) };
            let host = answer.host();
            let location = location(&answer.url, &answer.headers)?;
            visited.push((method, url));
            (method, url) = (next, location);
            if visited.contains(&(method.clone(), url.clone())) {
                let what = format!("sends its client round in circles, by way of {}", shown(&url));
                return Err(Failure::wrong(&host, what));
            }
            if visited.len() > REDIRECTIONS {
                let what =
                    format!("sends its client on and on, more than {REDIRECTIONS} times; at last to {}", shown(&url));
                return Err(Failure::wrong(&host, what));
            }
        }
    }

    /// The answer of `url` to a GET that shows no login, wherever it leads.
    pub(super) async fn get_without_login(&self, ctx: &Context, url: &Url) -> Result<Answer, Failure> {
        self.exchange(ctx).run(&Method::GET, url, &http::HeaderMap::new(), None, None).await
    }

    fn exchange<'a>(&'a self, ctx: &'a Context) -> Exchange<'a> {
        Exchange::new(&self.connections, ctx)
    }
}

/// The method by which a client follows a redirection of `status` (RFC 9110, section 15.4), if it does.
fn redirected(method: &Method, status: StatusCode) -> Option<Method> {
    let is_safe = matches!(*method, Method::GET | Method::HEAD);
    match status.as_u16() {
        301 | 302 if is_safe => Some(method.clone()),
        303 if *method == Method::HEAD => Some(Method::HEAD),
        // Also of a PUT that closes an upload: what is there is its answer.
        303 => Some(Method::GET),
        307 | 308 => Some(method.clone()),
        _ => None,
    }
}

/// The pairs of headers that describe a body of `media_type`.
pub(super) fn content_type(media_type: &str) -> (http::HeaderName, HeaderValue) {
    let value = HeaderValue::from_str(media_type);
    (header::CONTENT_TYPE, value.unwrap_or(HeaderValue::from_static("application/octet-stream")))
}
