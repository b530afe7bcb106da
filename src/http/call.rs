//! One request, as handlers see it.

use std::sync::Arc;

use http::{HeaderName, Method, request::Parts};

use super::{App, Arrival, Options, location::Urls};
use crate::{api::Query, auth::Grant, context::Context, distribution::Repository, name::RepositoryName};

/// A request without its body and its route, which handlers are handed by themselves.
pub(super) struct Call {
    pub(super) app: Arc<App>,
    pub(super) ctx: Context,
    pub(super) parts: Parts,
    pub(super) arrival: Arrival,
    /// What the one who asks may do.
    pub(super) grant: Grant,
}

impl Call {
    pub(super) fn options(&self) -> &Options {
        &self.app.options
    }

    /// Whether only the headers of the answer are wanted.
    pub(super) fn is_head(&self) -> bool {
        self.parts.method == Method::HEAD
    }

    /// The repository of that name.
    pub(super) fn repository(&self, name: &RepositoryName) -> Arc<dyn Repository> {
        self.app.namespace.repository(name)
    }

    pub(super) fn query(&self) -> Query {
        self.parts.uri.query().map(Query::parse).unwrap_or_default()
    }

    /// A header's first value, if it is text.
    pub(super) fn header(&self, name: HeaderName) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The maker of URLs that this client can follow.
    pub(super) fn urls(&self) -> Urls<'_> {
        Urls::of(self.options(), &self.parts, &self.arrival)
    }
}
