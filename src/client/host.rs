//! A registry's name, as Docker writes it.

use std::{fmt, net::IpAddr, str::FromStr};

use http::uri::Authority;

/// A registry: `registry.example.com`, `localhost:5000`. Without scheme or path, in the letters it was given in, because
/// Docker's files are searched for it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host(String);

/// How a registry is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// With TLS.
    Https,
    /// Without.
    Http,
}

/// The longest name, in bytes: of a host in DNS (RFC 1035, section 2.3.4), and a port.
const LONGEST: usize = 255 + 6;

/// A text that names no registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no registry; allowed: HOST or HOST:PORT, as in registry.example.com")]
pub struct HostError(String);

impl Host {
    /// The registry of a URL as Docker hands it to credential helpers: scheme and path count for nothing.
    ///
    /// # Errors
    /// [`HostError`].
    pub fn of_url(url: &str) -> Result<Self, HostError> {
        let rest = without_scheme(url);
        rest.split('/').next().unwrap_or_default().parse()
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where it is to be reached: at the name itself, but for Docker Hub, which Docker calls otherwise than it is.
    pub fn address(&self) -> &str {
        match self.as_str() {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            address => address,
        }
    }

    /// What Docker's files keep its logins under.
    pub fn login_key(&self) -> &str {
        match self.as_str() {
            "docker.io" | "index.docker.io" | "registry-1.docker.io" => "https://index.docker.io/v1/",
            key => key,
        }
    }

    /// TLS, but not on this machine, as Docker has it.
    pub fn scheme(&self) -> Scheme {
        let name = self.0.parse::<Authority>().map(|authority| authority.host().to_owned()).unwrap_or_default();
        let address = name.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
        match address {
            Ok(address) if address.is_loopback() => Scheme::Http,
            Err(_) if name.eq_ignore_ascii_case("localhost") => Scheme::Http,
            _ => Scheme::Https,
        }
    }
}

fn without_scheme(text: &str) -> &str {
    ["https://", "http://"].into_iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text)
}

impl FromStr for Host {
    type Err = HostError;

    /// Reads a name; what people copy from a browser, a scheme before it and a slash behind, is passed over.
    fn from_str(text: &str) -> Result<Self, HostError> {
        let name = without_scheme(text.trim()).trim_end_matches('/');
        let wrong = || HostError(text.chars().take(100).collect());
        let authority: Authority = name.parse().map_err(|_| wrong())?;
        let host = authority.host();
        let is_clean = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
        // By hand: a port that no number of 16 bits can be is none at all to `Authority`.
        let behind = name.strip_prefix(host).unwrap_or_default();
        let is_port = |text: &str| text.parse::<u16>().is_ok_and(|port| port > 0);
        let ends_well = behind.is_empty() || behind.strip_prefix(':').is_some_and(is_port);
        if name.len() > LONGEST || host.is_empty() || !name.chars().all(is_clean) || !ends_well {
            return Err(wrong());
        }
        Ok(Self(name.to_owned()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Https => "https",
            Self::Http => "http",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_schemes() {
        for (text, expected) in [
            ("registry.example.com", Some(("registry.example.com", Scheme::Https))),
            ("Registry.Example.com:8443", Some(("Registry.Example.com:8443", Scheme::Https))),
            ("https://registry.example.com/", Some(("registry.example.com", Scheme::Https))),
            ("localhost:5000", Some(("localhost:5000", Scheme::Http))),
            ("localhost.example.com", Some(("localhost.example.com", Scheme::Https))),
            ("127.0.0.1:5000", Some(("127.0.0.1:5000", Scheme::Http))),
            ("127.0.0.1.example.com", Some(("127.0.0.1.example.com", Scheme::Https))),
            ("[::1]:5000", Some(("[::1]:5000", Scheme::Http))),
            ("10.0.0.1", Some(("10.0.0.1", Scheme::Https))),
            ("", None),
            ("https://", None),
            ("registry.example.com/team", None),
            ("anna@registry.example.com", None),
            ("registry.example.com:", None),
            ("registry.example.com:0", None),
            ("registry.example.com:65536", None),
            ("registry example", None),
            ("registry\nexample", None),
            ("bücher.example", None),
        ] {
            let host = text.parse::<Host>().ok();
            assert_eq!(host.as_ref().map(|host| (host.as_str(), host.scheme())), expected, "{text:?}");
        }
        assert_eq!(Host::of_url("https://registry.example.com/v2/").unwrap().as_str(), "registry.example.com");
    }
}
