//! What a function is given ("CloudFront Functions event structure").

use std::fmt;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::fields::Fields;

/// An event. It is a viewer-response event when it has a response.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// `1.0`.
    pub version: String,
    /// What it is about.
    pub context: Context,
    /// Who asks.
    pub viewer: Viewer,
    /// What they ask.
    pub request: EventRequest,
    /// What they are to be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response: Option<EventResponse>,
}

/// The `context` of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Context {
    /// `d111111abcdef8.cloudfront.net`.
    #[serde(default)]
    pub distribution_domain_name: String,
    /// `EDFDVBD6EXAMPLE`.
    #[serde(default)]
    pub distribution_id: String,
    /// Which of the two events it is.
    pub event_type: EventType,
    /// Of both events of one request the same.
    #[serde(default)]
    pub request_id: String,
}

/// The events that functions are associated with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EventType {
    /// A request has come.
    ViewerRequest,
    /// Its answer is about to go.
    ViewerResponse,
}

/// The `viewer` of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    /// The address that the request came from.
    pub ip: String,
}

/// The `request` of an event. It has no body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventRequest {
    /// Read-only.
    pub method: String,
    /// The path, as it came.
    pub uri: String,
    /// As it came, still percent-encoded.
    #[serde(default)]
    pub querystring: Fields,
    /// Names in lower case; without cookies and what functions do not see.
    #[serde(default)]
    pub headers: Fields,
    /// Those of the `Cookie` headers.
    #[serde(default)]
    pub cookies: Fields,
}

/// The `response` of an event, and what a function answers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EventResponse {
    /// The HTTP status.
    pub status_code: u16,
    /// Its words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_description: Option<String>,
    /// Names in lower case; without cookies and what functions do not see.
    #[serde(default)]
    pub headers: Fields,
    /// Those of the `Set-Cookie` headers.
    #[serde(default)]
    pub cookies: Fields,
    /// Only where a function makes one.
    #[serde(skip)]
    pub body: Option<Bytes>,
}

impl Event {
    /// Reads an event of the documented form, as a test has it.
    ///
    /// # Errors
    /// What it is that is not of that form. A viewer-response event without a response is none.
    pub fn parse(json: &str) -> Result<Self, serde_json::Error> {
        let event: Self = serde_json::from_str(json)?;
        match (event.context.event_type, event.response.is_some()) {
            (EventType::ViewerRequest, false) | (EventType::ViewerResponse, true) => Ok(event),
            _ => Err(serde::de::Error::custom("a response belongs to viewer-response events, and to these alone")),
        }
    }
}

impl fmt::Display for Event {
    /// JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}
