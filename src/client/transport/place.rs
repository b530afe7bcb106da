//! Where a registry sends its clients, and whether they go there.

use http::{HeaderMap, header};
use reqwest::Url;

use super::Failure;

/// Where `Location` of an answer from `from` leads.
///
/// # Errors
/// It leads nowhere that a registry's client goes: to something else than HTTP, from TLS to where there is none, or with
/// somebody's password.
pub(in crate::client) fn location(from: &Url, headers: &HeaderMap) -> Result<Url, Failure> {
    let host = authority(from);
    let Some(location) = headers.get(header::LOCATION) else {
        return Err(Failure::wrong(&host, "sends its client on without saying where (no Location)"));
    };
    let location = str::from_utf8(location.as_bytes())
        .map_err(|_| Failure::wrong(&host, "sends its client to a Location that is no text"))?;
    allowed(from, location)
}

/// Where `reference`, found in an answer from `from`, leads.
pub(in crate::client) fn allowed(from: &Url, reference: &str) -> Result<Url, Failure> {
    let host = authority(from);
    let url = from
        .join(reference.trim())
        .map_err(|fault| Failure::wrong(&host, format!("sends its client to {reference:?}: {fault}")))?;
    let shown = shown(&url);
    match (from.scheme(), url.scheme()) {
        (_, "https") | ("http", "http") => {}
        ("https", "http") => {
            let what = format!("sends its client to {shown}, without TLS; not followed. Does it know its own address?");
            return Err(Failure::wrong(&host, what));
        }
        _ => return Err(Failure::wrong(&host, format!("sends its client to {shown}, which is no HTTP; not followed"))),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::wrong(&host, format!("sends its client to {shown} with a password in it; not followed")));
    }
    Ok(url)
}

/// Whether both are of one scheme, host and port: where credentials for the one may go.
pub(in crate::client) fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Host and port of `url`.
pub(in crate::client) fn authority(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
    }
}

/// `url` without its query, which may be a signature that is as good as a password, and without anybody's.
pub(in crate::client) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    // These fail for what has no host, and so no user either.
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_where_a_client_goes() {
        let (safe, plain) = ("https://r.example/v2/a/blobs/uploads/", "http://r.example:5000/v2/");
        for (from, reference, to) in [
            (safe, "/v2/x?y=%2F#z", Some("https://r.example/v2/x?y=%2F#z")),
            (safe, "7?_state=a", Some("https://r.example/v2/a/blobs/uploads/7?_state=a")),
            (safe, "https://s3.example/x", Some("https://s3.example/x")),
            (safe, "//s3.example/x", Some("https://s3.example/x")),
            (safe, "http://r.example/x", None),
            (safe, "file:///etc/passwd", None),
            (safe, "ftp://r.example/x", None),
            (safe, "https://a:b@r.example/x", None),
            (safe, "https://", None),
            (plain, "/x", Some("http://r.example:5000/x")),
            (plain, "http://s3.example/x", Some("http://s3.example/x")),
            (plain, "https://s3.example/x", Some("https://s3.example/x")),
            (plain, "gopher://r.example/x", None),
        ] {
            let found = allowed(&Url::parse(from).unwrap(), reference).ok();
            assert_eq!(found.as_ref().map(Url::as_str), to, "{from} {reference}");
        }
    }

    #[test]
    fn one_origin_has_one_scheme_host_and_port() {
        let is_same = |one: &str, other: &str| is_same_origin(&one.parse().unwrap(), &other.parse().unwrap());
        assert!(is_same("https://r.example/x", "https://R.example:443/y"));
        for other in ["http://r.example", "https://r.example:444", "https://s.r.example", "https://r.example.com"] {
            assert!(!is_same("https://r.example", other), "{other}");
        }
    }
}
