//! Where the registry is: the address that is connected to.

use std::{env, net::IpAddr};

use crate::{
    api::{Query, Route},
    client::{Host, Registry},
};

/// The registry's address.
pub(super) struct Target {
    /// As the user named it.
    pub(super) host: Host,
    /// The name or the IP address in its URL.
    pub(super) name: String,
    pub(super) port: u16,
    pub(super) is_tls: bool,
}

impl Target {
    pub(super) fn of(registry: &Registry) -> Self {
        let url = registry.0.transport.url(&Route::Base, &Query::default());
        let name = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = url.port_or_known_default().unwrap_or_default();
        Self { host: registry.host().clone(), name, port, is_tls: url.scheme() == "https" }
    }

    /// The IP address, where the user named one.
    pub(super) fn ip(&self) -> Option<IpAddr> {
        self.name.parse().ok()
    }

    /// The variable that names a proxy for it, if there is one. Its value may hold a password.
    pub(super) fn proxy(&self) -> Option<&'static str> {
        if self.name == "localhost" || self.ip().is_some_and(|ip| ip.is_loopback()) {
            return None;
        }
        let names: &[_] = match self.is_tls {
            true => &["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"],
            false => &["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"],
        };
        names.iter().copied().find(|name| env::var_os(name).is_some_and(|value| !value.is_empty()))
    }
}
