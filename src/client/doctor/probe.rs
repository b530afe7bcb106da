//! The answer to `GET /v2/` without a login, which several checks look at.

use std::time::SystemTime;

use http::{HeaderMap, Method, StatusCode, header};

use crate::{
    api::{BERTH_STATUS, Query, Route},
    client::{
        Registry,
        door::Scopes,
        transport::{Failure, Request},
    },
    context::Context,
};

/// The answer.
pub(super) struct Probe {
    /// What the registry meant: 401 also where it came as 300.
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// The error messages of the body; empty where there are none.
    pub(super) reason: String,
    /// When it came.
    pub(super) received: SystemTime,
}

impl Probe {
    pub(super) async fn ask(registry: &Registry, ctx: &Context) -> Result<Self, Failure> {
        let transport = &registry.0.transport;
        let url = transport.url(&Route::Base, &Query::default());
        let mut answer = transport.send(ctx, &Request::new(Method::GET, url, Scopes::none()).bare()).await?;
        let (status, received, headers) = (answer.status, SystemTime::now(), std::mem::take(&mut answer.headers));
        let failure = answer.into_failure("GET /v2/").await;
        let reason = failure.answer().map(|(_, said)| said.reason()).unwrap_or_default();
        Ok(Self { status, headers, reason, received })
    }

    /// Whether the registry asks for a login.
    pub(super) fn requires_login(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    /// Whether it came through CloudFront as 300, and nothing restored the 401.
    pub(super) fn is_carried(&self) -> bool {
        self.requires_login() && self.headers.contains_key(BERTH_STATUS)
    }

    /// Whether it is a page for people, which no registry sends.
    pub(super) fn is_page(&self) -> bool {
        let kind = self.headers.get(header::CONTENT_TYPE).map(|kind| kind.as_bytes()).unwrap_or_default();
        kind.to_ascii_lowercase().starts_with(b"text/html")
    }
}
