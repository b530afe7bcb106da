//! The edge in front of the registry: requests that come through it, and tickets for it.

use std::{fmt, time::SystemTime};

use http::{HeaderMap, StatusCode};

use super::fault::Fault;
use crate::{
    api::{BERTH_ORIGIN, ErrorCode, TICKET_LIFE, is_secret, ticket},
    name::RepositoryName,
};

/// What the edge and the registry share. By default, there is no edge.
#[derive(Clone, Default)]
pub struct Edge {
    /// Of a request that came through the edge, [`BERTH_ORIGIN`] is one of these. Where there are any, no other request is
    /// answered.
    pub origin_secrets: Vec<String>,
    /// Signs the tickets of sessions; without one, there are none.
    pub upload_key: Option<String>,
}

impl Edge {
    /// Whether the request of `headers` came through the edge. What shows it is removed.
    ///
    /// # Errors
    /// 403 where it did not, but should have.
    pub(super) fn admit(&self, headers: &mut HeaderMap, host: Option<&str>) -> Result<bool, Fault> {
        let given = headers.remove(BERTH_ORIGIN);
        if self.origin_secrets.is_empty() {
            return Ok(false);
        }
        let given = given.as_ref().map(|value| value.as_bytes()).unwrap_or_default();
        if self.origin_secrets.iter().any(|secret| is_secret(secret, given)) {
            return Ok(true);
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
