//! The distribution on a socket: a request's way through it.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http::request::Parts;
use http::{Method, Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use time::OffsetDateTime;

use super::behavior::Behavior;
use super::body::{Passing, Progress};
use super::distribution::Distribution;
use super::function::{Context, EdgeFunction, Event, EventRequest, EventResponse, EventType, Failure, Forwarded};
use super::function::{Outcome, Viewer};
use super::log::{EdgeRequest, Handled, Log, Place};
use super::options::{EdgeOptions, Sees};
use super::refusal::Refusal;
use super::request::{self, Onward};
use super::{EdgeError, response, signed};
use crate::Error;
use crate::front::{Dropped, ResponseBody};
use crate::host::{Ends, Host};

/// Bytes of a URL, and of a request without its body ("Quotas": general quotas).
const URL_LIMIT: usize = 8192;
const HEAD_LIMIT: usize = 20_480;

/// A distribution on a loopback port, for any HTTP/1.1 client. Clones are the same; it stops when the last is dropped. It has
/// threads of its own.
#[derive(Clone, Debug)]
pub struct Edge(Arc<Running>);

#[derive(Debug)]
struct Running {
    address: SocketAddr,
    serving: Arc<Serving>,
    _host: Arc<Host>,
}

/// What each request needs.
#[derive(Debug)]
struct Serving {
    distribution: Distribution,
    options: EdgeOptions,
    client: Client<HttpConnector, Passing>,
    log: Log,
}

impl Edge {
    /// Serves a distribution.
    ///
    /// # Errors
    /// [`EdgeError::Origin`] when a behavior is of an origin that there is not; [`EdgeError::Start`].
    pub fn start(distribution: Distribution, options: EdgeOptions) -> Result<Self, EdgeError> {
        let distribution = distribution.checked()?;
        let host = Host::start().map_err(Error::Thread)?;
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let address = options.address;
        let serving = Arc::new(Serving { distribution, options, client, log: Log::default() });
        let each = Arc::clone(&serving);
        let answer = move |request| {
            let serving = Arc::clone(&each);
            async move { Ok::<_, Dropped>(serving.answer(request).await) }
        };
        let address = host.serve(address, answer).map_err(|source| Error::Address(address, source))?;
        Ok(Self(Arc::new(Running { address, serving, _host: host })))
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.0.address
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Every request since the start or the last reset, in the order of arrival.
    pub fn requests(&self) -> Vec<EdgeRequest> {
        self.0.serving.log.requests()
    }

    /// How many requests each origin answered, by its Id, and how many were `answered`, `refused` or `failed` without one.
    pub fn counts(&self) -> BTreeMap<String, u64> {
        self.0.serving.log.counts()
    }

    /// Forgets the requests so far.
    pub fn reset(&self) {
        self.0.serving.log.reset();
    }
}

/// One request, as it is known from its arrival on.
struct Arrival {
    parts: Parts,
    /// Without what signed the URL.
    query: Option<String>,
    viewer: IpAddr,
    id: String,
    place: Place,
}

impl Serving {
    async fn answer(&self, request: Request<Incoming>) -> Response<ResponseBody> {
        let (parts, body) = request.into_parts();
        let uri = parts.uri.path_and_query().map_or_else(|| parts.uri.to_string(), ToString::to_string);
        let place = self.log.open(parts.method.as_str(), &uri);
        let waits = parts.headers.contains_key(header::EXPECT);
        let progress = Progress::new(place.bytes());
        let body = Passing::new(body, Arc::clone(&progress), self.options.early_answers, waits);
        let viewer = parts.extensions.get::<Ends>().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |ends| ends.peer.ip());
        let query = parts.uri.query().map(ToOwned::to_owned);
        let id = format!("{}==", uuid::Uuid::new_v4().simple());
        let mut arrival = Arrival { parts, query, viewer, id, place };
        let outcome = self.handle(&mut arrival, body, &progress).await;
        let mut response = outcome.unwrap_or_else(|refusal| {
            let handled = match refusal {
                Refusal::Function(_) | Refusal::Origin(_) | Refusal::Overdue => Handled::Failed,
                _ => Handled::Refused,
            };
            arrival.place.note(|request| {
                request.handled = handled;
                request.reason = Some(refusal.reason());
            });
            refusal.answer()
        });
        response::stamp(response.headers_mut(), &arrival.id, &self.distribution.domain_name);
        arrival.place.note(|request| request.status = Some(response.status().as_u16()));
        response
    }

    async fn handle(
        &self,
        arrival: &mut Arrival,
        body: Passing,
        progress: &Progress,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let behavior = self.admit(arrival, &body)?;
        let original = request::event(&arrival.parts, arrival.query.as_deref());
        let forwarded = match &behavior.viewer_request {
            None => Forwarded { request: original.clone(), query: None, origin: None },
            Some(function) => match self.run(function, arrival, original.clone(), None).await? {
                Outcome::Forward(forwarded) => forwarded,
                Outcome::Answer(answer) | Outcome::Respond(answer) => {
                    arrival.place.note(|request| request.handled = Handled::Answered);
                    let answer = response::own(answer, &arrival.parts.method);
                    return answer.ok_or_else(|| invalid("the answer cannot be sent"));
                }
            },
        };
        let response = self.forward(behavior, arrival, &forwarded, body, progress).await?;
        // "CloudFront doesn't invoke edge functions for viewer response events when the origin returns HTTP status code 400 or
        // higher."
        match &behavior.viewer_response {
            Some(function) if self.options.response_runs && response.status().as_u16() < 400 => {
                let seen = match self.options.response_sees {
                    Sees::Rewritten => forwarded.request,
                    Sees::Original => original,
                };
                self.change(function, arrival, seen, response).await
            }
            _ => Ok(response),
        }
    }

    /// The behavior of a request that may come in. Takes what signed the URL out of its query.
    fn admit(&self, arrival: &mut Arrival, body: &Passing) -> Result<&Behavior, Refusal> {
        let Arrival { parts, query, viewer, .. } = arrival;
        let url = parts.uri.path_and_query().map_or(0, |path| path.as_str().len());
        let host = parts.headers.get(header::HOST).map(request::text).unwrap_or_default();
        let headers: usize = parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        if "https://".len() + host.len() + url > URL_LIMIT || url + headers > HEAD_LIMIT {
            return Err(Refusal::TooLong);
        }
        let behavior = self.distribution.behavior_of(parts.uri.path()).ok_or(Refusal::Method)?;
        if !behavior.methods.contains(&parts.method) {
            return Err(Refusal::Method);
        }
        if parts.method == Method::GET && !body.is_empty() {
            return Err(Refusal::Body);
        }
        if !behavior.signers.is_empty() {
            let path = parts.uri.path();
            *query =
                signed::check(&behavior.signers, &host, path, query.as_deref(), *viewer, OffsetDateTime::now_utc())
                    .map_err(Refusal::Unsigned)?;
        }
        Ok(behavior)
    }

    /// Sends a request to its origin, its body as it comes; the answer when its head is there.
    async fn forward(
        &self,
        behavior: &Behavior,
        arrival: &Arrival,
        forwarded: &Forwarded,
        body: Passing,
        progress: &Progress,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let id = forwarded.origin.as_ref().unwrap_or(&behavior.origin);
        let origin = self.distribution.origin_of(id).ok_or_else(|| Refusal::Origin(format!("no origin {id}")))?;
        let onward = Onward {
            forwarded,
            query: arrival.query.as_deref(),
            viewer: arrival.viewer,
            id: &arrival.id,
            domain_name: &self.distribution.domain_name,
        };
        let head = onward.head(origin, behavior.forwarding);
        let mut head = head.ok_or_else(|| invalid("the request cannot be sent to an origin"))?;
        if let Some(signer) = &origin.signer {
            signer.sign(&mut head, self.options.content_sha256, OffsetDateTime::now_utc());
        }
        arrival.place.note(|request| {
            request.origin = Some(id.clone());
            request.sent = head.uri.path_and_query().map(ToString::to_string);
        });
        let answer = tokio::select! {
            answer = self.client.request(Request::from_parts(head, body)) => answer,
            () = progress.silent(origin.timeout) => return Err(Refusal::Overdue),
        };
        let answer = answer.map_err(|error| {
            use std::error::Error as _;
            let source = error.source().map_or_else(String::new, |source| format!(": {source}"));
            Refusal::Origin(format!("origin {id}: {error}{source}"))
        })?;
        let mut answer = answer.map(|body| body.map_err(Into::into).boxed_unsync());
        response::strip(answer.headers_mut());
        arrival.place.note(|request| {
            request.handled = Handled::Origin;
            request.origin_status = Some(answer.status().as_u16());
        });
        Ok(answer)
    }

    async fn change(
        &self,
        function: &EdgeFunction,
        arrival: &Arrival,
        seen: EventRequest,
        answer: Response<ResponseBody>,
    ) -> Result<Response<ResponseBody>, Refusal> {
        let (parts, body) = answer.into_parts();
        let given = response::event(&parts);
        let answer = Response::from_parts(parts, body);
        match self.run(function, arrival, seen, Some(given)).await? {
            Outcome::Respond(changed) => response::changed(answer, changed, &arrival.parts.method),
            _ => None,
        }
        .ok_or_else(|| invalid("the answer cannot be sent"))
    }

    async fn run(
        &self,
        function: &EdgeFunction,
        arrival: &Arrival,
        request: EventRequest,
        response: Option<EventResponse>,
    ) -> Result<Outcome, Refusal> {
        let event_type = if response.is_some() { EventType::ViewerResponse } else { EventType::ViewerRequest };
        let event = Event {
            version: "1.0".to_owned(),
            context: Context {
                distribution_domain_name: self.distribution.domain_name.clone(),
                distribution_id: self.distribution.id.clone(),
                event_type,
                request_id: arrival.id.clone(),
            },
            viewer: Viewer { ip: arrival.viewer.to_string() },
            request,
            response,
        };
        let function = function.clone();
        let ran = tokio::task::spawn_blocking(move || function.run(&event)).await;
        let ran = ran.map_err(|error| invalid(&error.to_string()))?;
        arrival.place.note(|request| {
            request.function_runs += 1;
            request.utilization = request.utilization.max(ran.utilization);
            request.log.extend(ran.log);
        });
        ran.outcome.map_err(Refusal::Function)
    }
}

fn invalid(reason: &str) -> Refusal {
    Refusal::Function(Failure { status: 502, reason: reason.to_owned() })
}
