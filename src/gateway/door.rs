//! Whom the gateway serves: programs that call it by its own name.
//!
//! A page in a browser can have it send requests to this machine, also by a name of its own that it has resolved to a
//! loopback address ("DNS rebinding"). It says so by the header `Host`, and a page of another place by `Origin`.

use std::net::{IpAddr, SocketAddr};

use axum::{body::Body, response::Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, uri::Authority};

use crate::api::{ErrorBody, ErrorCode, ErrorEntry};

/// What browsers send, and no registry's client does ("Fetch Metadata Request Headers", W3C).
const OF_BROWSERS: [HeaderName; 2] = [header::ORIGIN, HeaderName::from_static("sec-fetch-site")];

/// The names by which the gateway is called.
#[derive(Debug, Clone)]
pub struct Names {
    address: SocketAddr,
    others: Vec<Authority>,
}

/// A text that is no name of a host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no host; allowed: HOST or HOST:PORT, as in host.docker.internal")]
pub struct NamesError(String);

impl Names {
    /// The names of what listens at `address`: that itself, and on loopback those that mean this machine.
    pub fn of(address: SocketAddr) -> Self {
        Self { address, others: Vec::new() }
    }

    /// And `name`, with any port unless it says one.
    ///
    /// # Errors
    /// [`NamesError`].
    pub fn and(mut self, name: &str) -> Result<Self, NamesError> {
        let wrong = || NamesError(name.chars().take(100).collect());
        let authority: Authority = name.parse().map_err(|_| wrong())?;
        if authority.as_str().contains('@') || authority.host().is_empty() {
            return Err(wrong());
        }
        self.others.push(authority);
        Ok(self)
    }

    fn has(&self, host: &str) -> bool {
        let Ok(asked) = host.parse::<Authority>() else { return false };
        let name = asked.host().trim_start_matches('[').trim_end_matches(']');
        let is_mine = match name.parse::<IpAddr>() {
            Ok(address) => address == self.address.ip() && !address.is_unspecified(),
            Err(_) => name.eq_ignore_ascii_case("localhost") && self.address.ip().is_loopback(),
        };
        // Without one, it is that of HTTP (RFC 9110, section 4.2.1).
        let port = asked.port_u16().unwrap_or(80);
        let is_other = |other: &Authority| {
            other.host().eq_ignore_ascii_case(asked.host()) && other.port_u16().is_none_or(|other| other == port)
        };
        (is_mine && port == self.address.port()) || self.others.iter().any(is_other)
    }

    /// Why a request with these headers is not served, if it is not.
    pub(super) fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        if let Some(name) = OF_BROWSERS.iter().find(|name| headers.contains_key(*name)) {
            return Some(refuse(StatusCode::FORBIDDEN, format!("this gateway does not serve browsers ({name})")));
        }
        let hosts: Vec<_> = headers.get_all(header::HOST).iter().collect();
        let named = match hosts.as_slice() {
            [host] => host.to_str().unwrap_or_default(),
            _ => "",
        };
        if self.has(named) {
            return None;
        }
        let message = format!(
            "this gateway is not called {:?}; call it {}, or have it started with --allow-host",
            named.chars().take(100).collect::<String>(),
            self.address
        );
        Some(refuse(StatusCode::MISDIRECTED_REQUEST, message))
    }
}

fn refuse(status: StatusCode, message: String) -> Response {
    let error = ErrorEntry { code: ErrorCode::Denied, message, detail: serde_json::Value::Null };
    // Codes and strings always serialize.
    let body = serde_json::to_vec(&ErrorBody { errors: vec![error] }).unwrap_or_default();
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_names_and_those_that_it_was_told() {
        let names = Names::of("127.0.0.1:5001".parse().unwrap());
        for host in ["localhost:5001", "LOCALHOST:5001", "127.0.0.1:5001"] {
            assert!(names.has(host), "{host}");
        }
        let strangers = [
            "localhost",
            "localhost:80",
            "127.0.0.1",
            "127.0.0.2:5001",
            "evil.example:5001",
            "localhost.evil.example:5001",
            "[::1]:5001",
            "evil.example",
            "",
            "localhost:5001/",
            "me@evil.example:5001",
            "localhost:99999",
            "a b",
        ];
        for host in strangers {
            assert!(!names.has(host), "{host}");
        }
        let told = names.and("host.docker.internal").unwrap().and("build.example:5001").unwrap();
        for host in ["host.docker.internal:5001", "host.docker.internal", "build.example:5001", "localhost:5001"] {
            assert!(told.has(host), "{host}");
        }
        assert!(!told.has("build.example:5002") && !told.has("evil.example:5001"));
        for wrong in ["", "a b", "http://x", "me@x"] {
            Names::of("127.0.0.1:5001".parse().unwrap()).and(wrong).unwrap_err();
        }

        let six = Names::of("[::1]:5001".parse().unwrap());
        assert!(six.has("[::1]:5001") && six.has("localhost:5001") && !six.has("127.0.0.1:5001"));
        // To everybody, by no name that it was not told.
        let open = Names::of("0.0.0.0:5001".parse().unwrap());
        assert!(!open.has("localhost:5001") && !open.has("0.0.0.0:5001"));
        assert!(Names::of("127.0.0.1:80".parse().unwrap()).has("localhost"));
    }

    #[test]
    fn requests_without_one_name_or_from_a_browser_are_refused() {
        let names = Names::of("127.0.0.1:5001".parse().unwrap());
        let refused = |pairs: &[(&'static str, &'static str)]| {
            let pairs =
                pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            let mut headers = HeaderMap::new();
            pairs.for_each(|(name, value)| {
                headers.append(name, value);
            });
            names.refusal(&headers).map(|response| response.status().as_u16())
        };
        assert_eq!(refused(&[("host", "localhost:5001")]), None);
        assert_eq!(refused(&[]), Some(421));
        assert_eq!(refused(&[("host", "localhost:5001"), ("host", "evil.example")]), Some(421));
        assert_eq!(refused(&[("host", "localhost:5001"), ("origin", "https://evil.example")]), Some(403));
        assert_eq!(refused(&[("host", "localhost:5001"), ("sec-fetch-site", "cross-site")]), Some(403));
    }
}
