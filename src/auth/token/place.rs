//! Where a client reached the registry, as tokens and challenges say it.

/// The registry by the name that its client knows it by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The URL of the token service: printable, without quotes.
    pub(super) realm: String,
    /// The host, with its port unless that is the scheme's own: the service that tokens are for.
    pub(super) host: String,
}

impl Place {
    /// By the URL of the registry. Where there is none, or one that no challenge can hold, clients are told the path
    /// alone: HTTP/1.1 has them name a host.
    pub(super) fn of(base: Option<&str>) -> Self {
        let known = base.filter(|base| base.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte)));
        let host = known.and_then(host).filter(|host| !host.is_empty());
        match (known, host) {
            (Some(base), Some(host)) => Self { realm: format!("{base}/token"), host },
            _ => Self { realm: "/token".to_owned(), host: "berth".to_owned() },
        }
    }
}

/// The host of a URL, if it is made of what hosts are made of. Clients leave out a port that is the scheme's own.
fn host(base: &str) -> Option<String> {
    let (scheme, rest) = base.split_once("://")?;
    let host = rest.split('/').next()?.to_ascii_lowercase();
    let own = if scheme == "https" { ":443" } else { ":80" };
    let is_host = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
    is_host.then(|| host.strip_suffix(own).unwrap_or(&host).to_owned())
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_place_is_named_by_its_host_and_nothing_is_injected() {
        let place = |base| {
            let Place { realm, host } = Place::of(Some(base));
            (realm, host)
        };
        let of = |realm: &str, host: &str| (realm.to_owned(), host.to_owned());
        assert_eq!(place("https://R.example.com"), of("https://R.example.com/token", "r.example.com"));
        assert_eq!(place("https://r.example.com:443/x"), of("https://r.example.com:443/x/token", "r.example.com"));
        assert_eq!(place("http://[::1]:5000"), of("http://[::1]:5000/token", "[::1]:5000"));
        for wrong in
            ["https://a\",service=\"b", "https://a b", "https://a\\", "https://", "https://a@b", "", "https://é"]
        {
            assert_eq!(place(wrong), of("/token", "berth"), "{wrong}");
        }
    }
}
