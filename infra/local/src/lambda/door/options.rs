//! Which door, and how it acts where AWS's documentation leaves a choice.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use http::HeaderName;

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

/// Which request bodies travel as base64.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bodies {
    /// Those that are not text by their Content-Type, as documented ("If the content type of the request is binary"): not
    /// `text/*`, JSON, XML or JavaScript. One without a type, or that is no UTF-8, is binary too.
    #[default]
    BinaryInBase64,
    /// All: a third more, so that less fits.
    AllInBase64,
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

/// How a door acts. Where AWS does not say what its own does, the default is the kinder of what was seen, and another value
/// plays the other.
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
    /// Whether the Content-Length that a function gives its answer to a HEAD reaches the client; otherwise that answer has none,
    /// but `x-amzn-remapped-content-length`, as was seen at function URLs. Not documented.
    pub head_length: bool,
    /// Whether a `WWW-Authenticate` header reaches the client as `x-amzn-remapped-www-authenticate`. Documented for REST APIs
    /// only ("Amazon API Gateway important notes"), seen elsewhere.
    pub remap_challenge: bool,
    /// How long an HTTP API waits for the function before it answers 503: 30 s at most ("Quotas for configuring and running an
    /// HTTP API"). The function goes on. A function URL waits until the function's own time is over.
    pub integration_timeout: Duration,
}

impl Default for DoorOptions {
    fn default() -> Self {
        Self {
            front: Front::default(),
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            scheme: Scheme::default(),
            bodies: Bodies::default(),
            head_length: true,
            remap_challenge: false,
            integration_timeout: Duration::from_secs(30),
        }
    }
}

impl DoorOptions {
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
}
