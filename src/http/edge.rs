//! CloudFront in front of the registry: requests that come through it, and tickets for its function.

use std::{fmt, time::SystemTime};

use http::{HeaderMap, StatusCode};

use super::fault::Fault;
use crate::{
    api::{BERTH_ORIGIN, ErrorCode, TICKET_LIFE, is_secret, ticket},
    name::RepositoryName,
};

/// What CloudFront and the registry share. By default, there is no CloudFront.
#[derive(Clone)]
pub struct Edge {
    /// Of a request that came through CloudFront, [`BERTH_ORIGIN`] is one of these.
    pub origin_secrets: Vec<String>,
    /// Whether other requests are refused, where there are secrets.
    pub required: bool,
    /// Signs the tickets of sessions; without one, there are none.
    pub upload_key: Option<String>,
}

/// An extension of responses to requests that came through CloudFront.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThroughEdge;

impl Default for Edge {
    fn default() -> Self {
        Self { origin_secrets: Vec::new(), required: true, upload_key: None }
    }
}

impl Edge {
    /// Whether the request of `headers` came through CloudFront. The secret is removed from `headers`.
    ///
    /// # Errors
    /// 403 where it did not, and must.
    pub(super) fn admit(&self, headers: &mut HeaderMap, host: Option<&str>) -> Result<bool, Fault> {
        let given = headers.remove(BERTH_ORIGIN);
        if self.origin_secrets.is_empty() {
            return Ok(false);
        }
        let given = given.as_ref().map(|value| value.as_bytes()).unwrap_or_default();
        if self.origin_secrets.iter().any(|secret| is_secret(secret, given)) {
            return Ok(true);
        }
        if !self.required {
            return Ok(false);
        }
        let place = host.map(|host| format!(", {host}")).unwrap_or_default();
        let message = format!("the registry is not served at this address; use its own{place}");
        Err(Fault::new(StatusCode::FORBIDDEN, ErrorCode::Denied, message))
    }

    /// The ticket of a session that has been opened.
    pub(super) fn ticket(&self, name: &RepositoryName, id: &str) -> Option<String> {
        let key = self.upload_key.as_deref()?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Some(ticket(key, name, id, now.as_secs() + TICKET_LIFE))
    }
}

/// Without the secrets.
impl fmt::Debug for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (secrets, tickets) = (self.origin_secrets.len(), self.upload_key.is_some());
        write!(f, "Edge({secrets} secrets, tickets: {tickets})")
    }
}
