//! Which door, and how it acts where AWS's documentation leaves a choice.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http::{HeaderMap, HeaderName, Method, header};

use super::behavior::{Bodies, ChunkedRequests, HeadLength, Renaming, RepeatedAuthorization, TrailingSlash};
use super::mapping::ResponseParameters;
use super::refusal::Refusal;

/// The service whose door is played.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Front {
    /// A Lambda function URL ("Invoking Lambda function URLs").
    #[default]
    FunctionUrl,
    /// An API Gateway HTTP API with a Lambda proxy integration, payload format 2.0 ("Create AWS Lambda proxy integrations for
    /// HTTP APIs in API Gateway").
    HttpApi,
}

/// API Gateway's own limit of a payload: 10 MB ("Quotas for configuring and running an HTTP API").
const GATEWAY_LIMIT: usize = 10 << 20;

impl Front {
    /// What an answer without a Content-Type is given.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Front::FunctionUrl => "application/json",
            Front::HttpApi => "text/plain;charset=utf-8",
        }
    }

    /// The header by which it names a request to its client.
    pub(super) fn id_header(self) -> HeaderName {
        HeaderName::from_static(match self {
            Front::FunctionUrl => "x-amzn-requestid",
            Front::HttpApi => "apigw-requestid",
        })
    }
}

/// The scheme that a function is told its client used. The door itself speaks plain HTTP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scheme {
    /// `http`: clients can follow the URLs that a function makes of it.
    #[default]
    Http,
    /// `https`, as it is always at AWS.
    Https,
}

impl Scheme {
    pub(super) fn name(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }
}

/// How a door acts. Where AWS's own is not documented, the default is what others observed; each such field is an
/// [assumption](crate::Assumption).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoorOptions {
    /// Whose door it is.
    pub front: Front,
    /// Where it listens; port 0 is a free one.
    pub address: SocketAddr,
    /// `x-forwarded-proto`.
    pub scheme: Scheme,
    /// Which request bodies travel as base64.
    pub bodies: Bodies,
    /// Whether `WWW-Authenticate` of a response is renamed. Observed at function URLs; documented for REST APIs only ("Amazon
    /// API Gateway important notes"); reports about HTTP APIs contradict each other.
    pub challenge: Renaming,
    /// Whether `Range` of a response is renamed.
    pub range_header: Renaming,
    /// `Content-Length` of a response to HEAD. Of other responses the length is that of the body, and the function's own header
    /// is renamed.
    pub head_length: HeadLength,
    /// Two `Authorization` headers at a function URL.
    pub authorizations: RepeatedAuthorization,
    /// The end of `requestContext.http.path` at a function URL.
    pub trailing_slash: TrailingSlash,
    /// Requests without a length at a function URL.
    pub chunked_requests: ChunkedRequests,
    /// How long an HTTP API waits for the function before it answers 503: 30 s at most ("Quotas for configuring and running an
    /// HTTP API"). The function goes on. A function URL waits until the function's own time is over.
    pub integration_timeout: Duration,
    /// Response headers that an HTTP API overwrites. A function URL has no such mappings.
    pub response_parameters: ResponseParameters,
}

impl Default for DoorOptions {
    fn default() -> Self {
        Self {
            front: Front::default(),
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            scheme: Scheme::default(),
            bodies: Bodies::default(),
            challenge: Renaming::Renamed,
            range_header: Renaming::Kept,
            head_length: HeadLength::default(),
            authorizations: RepeatedAuthorization::default(),
            trailing_slash: TrailingSlash::default(),
            chunked_requests: ChunkedRequests::default(),
            integration_timeout: Duration::from_secs(30),
            response_parameters: ResponseParameters::default(),
        }
    }
}

impl DoorOptions {
    /// The defaults of a front.
    pub fn of(front: Front) -> Self {
        Self { front, ..Self::default() }
    }

    /// How long it waits for the function.
    pub(super) fn patience(&self) -> Option<Duration> {
        match self.front {
            Front::FunctionUrl => None,
            Front::HttpApi => Some(self.integration_timeout),
        }
    }

    /// Bytes of a request body beyond which there is no need to read on, where Lambda takes events of `event_limit`.
    pub(super) fn body_limit(&self, event_limit: usize) -> usize {
        match self.front {
            Front::FunctionUrl => event_limit,
            Front::HttpApi => GATEWAY_LIMIT,
        }
    }

    /// Why a request with these headers does not reach the function.
    pub(super) fn refuses(&self, headers: &HeaderMap) -> Option<Refusal> {
        if self.front == Front::HttpApi {
            return None;
        }
        let is_repeated = headers.get_all(header::AUTHORIZATION).iter().count() > 1;
        if is_repeated && self.authorizations == RepeatedAuthorization::Refused {
            return Some(Refusal::Malformed);
        }
        let is_chunked = headers.contains_key(header::TRANSFER_ENCODING);
        (is_chunked && self.chunked_requests == ChunkedRequests::Refused).then_some(Refusal::NoLength)
    }

    /// The name under which a header of the function's response to `method` reaches the client.
    pub(super) fn response_header(&self, name: HeaderName, method: &Method) -> HeaderName {
        let renamed = match name {
            header::WWW_AUTHENTICATE => self.challenge == Renaming::Renamed,
            header::RANGE => self.range_header == Renaming::Renamed,
            // The length of what is sent is the door's to compute.
            header::CONTENT_LENGTH => method != Method::HEAD || self.head_length != HeadLength::Kept,
            _ => false,
        };
        match renamed {
            true => HeaderName::try_from(format!("x-amzn-remapped-{name}")).unwrap_or(name),
            false => name,
        }
    }

    /// `requestContext.http.path` of a request to `path`.
    pub(super) fn context_path<'p>(&self, path: &'p str) -> &'p str {
        match (self.front, self.trailing_slash) {
            (Front::FunctionUrl, TrailingSlash::Dropped) if path.len() > 1 => path.strip_suffix('/').unwrap_or(path),
            _ => path,
        }
    }
}
