//! URLs in answers.

use http::{HeaderValue, Uri, header, request::Parts, uri::Authority};

use super::{Arrival, Options, answer::value};
use crate::{
    api::{Query, Route},
    distribution::Upload,
    name::RepositoryName,
};

/// Makes URLs that the client of one request can follow.
pub(super) struct Urls<'a> {
    prefix: &'a str,
    /// Scheme and host; empty for URLs relative to where the client asked.
    base: String,
}

impl<'a> Urls<'a> {
    /// By configuration, else as the client or the proxy before it says that it reached the registry. Relative where
    /// nobody says.
    pub(super) fn of(options: &'a Options, parts: &Parts, arrival: &Arrival) -> Self {
        let base = match &options.host {
            Some(host) => host.trim_end_matches('/').to_owned(),
            None if options.relative_urls => String::new(),
            None => asked(parts, arrival).unwrap_or_default(),
        };
        Self { prefix: &options.prefix, base }
    }

    /// The URL of `route`.
    pub(super) fn route(&self, route: &Route) -> HeaderValue {
        let Self { base, prefix } = self;
        value(format!("{base}{prefix}{route}"))
    }

    /// The URL by which `upload` goes on, with `more` in its query.
    pub(super) fn upload(&self, name: &RepositoryName, upload: &Upload, more: &[(&str, String)]) -> HeaderValue {
        let Self { base, prefix } = self;
        let route = Route::Upload(name.clone(), upload.id.clone());
        let query = Query::default().with("_state", upload.state.as_str());
        let query = more.iter().fold(query, |query, (key, value)| query.with(key, value.as_str()));
        value(format!("{base}{prefix}{route}?{query}"))
    }
}

/// The URL of the registry up to what stands before `/v2/`, as its client knows it: by configuration, else as
/// [`asked`] has it.
pub(super) fn base(options: &Options, parts: &Parts, arrival: &Arrival) -> Option<String> {
    Some(origin(options, parts, arrival)? + &options.prefix)
}

/// Scheme and host of the registry, as its client knows it: by configuration, else as [`asked`] has it.
pub(super) fn origin(options: &Options, parts: &Parts, arrival: &Arrival) -> Option<String> {
    let host = options.host.as_ref().map(|host| host.trim_end_matches('/').to_owned());
    host.or_else(|| asked(parts, arrival))
}

/// The host that proofs of who asks must be bound to: by configuration, else the one that the request itself went to.
/// What anybody between may have added says nothing here, since anybody may; but for the registry's own edge, to which the
/// request went.
pub(super) fn host(options: &Options, parts: &Parts, arrival: &Arrival) -> Option<String> {
    match &options.host {
        Some(host) => host.parse::<Uri>().ok()?.authority().map(Authority::to_string),
        None if arrival.through_edge => {
            let mut told = parts.headers.get_all("x-forwarded-host").iter();
            let (Some(host), None) = (told.next(), told.next()) else { return None };
            Some(host.to_str().ok()?.parse::<Authority>().ok()?.to_string())
        }
        None => {
            let named = || parts.headers.get(header::HOST)?.to_str().ok();
            let host: Authority = parts.uri.authority().map(Authority::as_str).or_else(named)?.parse().ok()?;
            Some(host.to_string())
        }
    }
}

/// Scheme and host by which the client asked.
fn asked(parts: &Parts, arrival: &Arrival) -> Option<String> {
    // Each proxy may have added its own; the first is the one that the client spoke to.
    let first = |name: &str| Some(parts.headers.get(name)?.to_str().ok()?.split(',').next()?.trim());
    let host = first("x-forwarded-host").or_else(|| parts.uri.authority().map(Authority::as_str));
    let host = host.or_else(|| first(header::HOST.as_str()))?;
    let host: Authority = host.parse().ok()?;
    let scheme = match first("x-forwarded-proto") {
        Some(scheme @ ("http" | "https")) => scheme,
        _ if arrival.secure => "https",
        _ => "http",
    };
    Some(format!("{scheme}://{host}"))
}
