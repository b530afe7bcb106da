//! Connections, pooled by `reqwest`.

use std::{net::IpAddr, sync::OnceLock};

use http::HeaderValue;
use reqwest::{Client, Url, redirect};

use super::{Failure, authority};
use crate::client::{Patience, spoken::innermost};

/// What speaks HTTP: with this machine directly, with all others by the proxies that the environment names. TLS trusts
/// what the system trusts.
pub(in crate::client) struct Connections {
    agent: HeaderValue,
    patience: Patience,
    near: OnceLock<Client>,
    far: OnceLock<Client>,
}

impl Connections {
    pub(in crate::client) fn new(agent: HeaderValue, patience: Patience) -> Self {
        Self { agent, patience, near: OnceLock::new(), far: OnceLock::new() }
    }

    pub(super) fn patience(&self) -> Patience {
        self.patience
    }

    /// What speaks to the host of `url`. It is made when it is first needed: reading the system's certificates takes a
    /// while.
    pub(super) fn to(&self, url: &Url) -> Result<&Client, Failure> {
        let is_near = is_loopback(url);
        let place = if is_near { &self.near } else { &self.far };
        if let Some(client) = place.get() {
            return Ok(client);
        }
        let made = self.make(is_near).map_err(|error| Failure::Unreachable {
            host: authority(url),
            cause: innermost(&error),
            hint: "are the proxies that the environment names well formed, and the system's certificates there?",
            passing: false,
            tls: None,
        })?;
        Ok(place.get_or_init(|| made))
    }

    fn make(&self, is_near: bool) -> reqwest::Result<Client> {
        // The process's default, unless it has one already: reqwest takes no other.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = Client::builder()
            .user_agent(self.agent.clone())
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(self.patience.connect)
            .pool_idle_timeout(self.patience.stall);
        if is_near { builder.no_proxy() } else { builder }.build()
    }
}

/// Whether `url` is on this machine: no proxy is asked for that, as Go's programs have it.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
