//! Requests that a registry signs, and what is not sent in its name.

use http::{HeaderName, HeaderValue, Method, header};
use reqwest::Url;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    api::SignedRequest,
    client::{
        door::Scopes,
        transport::{Failure, Request, allowed, shown},
    },
    distribution::SignedPut,
};

/// Headers of one request.
const MOST: usize = 64;

/// Headers that say who asks, or where one request ends and the next begins: they are nobody's but this client's.
const RESERVED: [HeaderName; 12] = [
    header::AUTHORIZATION,
    header::CONNECTION,
    header::COOKIE,
    header::EXPECT,
    header::HOST,
    header::PROXY_AUTHORIZATION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What `said`, found in an answer of `host` from `from`, asks for: to PUT `length` bytes.
///
/// # Errors
/// It asks for something else, or to send it where no client goes.
pub(super) fn checked(host: &str, from: &Url, said: SignedRequest, length: u64) -> Result<SignedPut, Failure> {
    let SignedRequest { method, url, headers, expires } = said;
    if method != "PUT" {
        return Err(Failure::wrong(host, format!("wants a direct upload by {method:?}; allowed: PUT")));
    }
    let place = Url::parse(&url).map_err(|fault| Failure::wrong(host, format!("wants content at {url:?}: {fault}")));
    let place = allowed(from, place?.as_str())?;
    if headers.len() > MOST {
        return Err(Failure::wrong(
            host,
            format!("wants {} headers with a direct upload, which is too many", headers.len()),
        ));
    }
    for (name, value) in &headers {
        header_of(host, name, value)?;
        if name.eq_ignore_ascii_case("content-length") && *value != length.to_string() {
            let what = format!("wants {value:?} bytes at {}, where there are {length}", shown(&place));
            return Err(Failure::wrong(host, what));
        }
    }
    let expires = OffsetDateTime::parse(&expires, &Rfc3339)
        .map_err(|_| Failure::wrong(host, format!("signs a direct upload until {expires:?}, which is no time")))?;
    Ok(SignedPut { url: place.into(), headers: headers.into_iter().collect(), expires: expires.into() })
}

/// The request `put`, found in an answer of `host`; to `elsewhere` where storage sent it on.
pub(super) fn request(host: &str, put: &SignedPut, elsewhere: Option<&Url>) -> Result<Request, Failure> {
    let url = match elsewhere {
        Some(url) => url.clone(),
        None => Url::parse(&put.url).map_err(|fault| Failure::wrong(host, format!("signs a bad URL: {fault}")))?,
    };
    let mut request = Request::new(Method::PUT, url, Scopes::none()).once().unfollowed().bare();
    for (name, value) in &put.headers {
        let (name, value) = header_of(host, name, value)?;
        request = request.with(name, value);
    }
    Ok(request)
}

fn header_of(host: &str, name: &str, value: &str) -> Result<(HeaderName, HeaderValue), Failure> {
    let wrong = |why: &str| Failure::wrong(host, format!("wants the header {name:?} with a direct upload, {why}"));
    let read = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong("which is none"))?;
    if RESERVED.contains(&read) {
        return Err(wrong("which is not its to say"));
    }
    Ok((read, HeaderValue::from_str(value).map_err(|_| wrong("with what cannot stand in one"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(url: &str, headers: &[(&str, &str)]) -> SignedRequest {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        SignedRequest {
            method: "PUT".to_owned(),
            url: url.to_owned(),
            headers,
            expires: "2026-11-02T10:15:00Z".to_owned(),
        }
    }

    fn refusal(from: &str, said: SignedRequest) -> Option<String> {
        checked("r.example", &from.parse().unwrap(), said, 1000).err().map(|failure| failure.to_string())
    }

    const SAFE: &str = "https://r.example/v2/a/blobs/uploads/";
    const PLAIN: &str = "http://r.example:5000/v2/a/blobs/uploads/";

    #[test]
    fn content_goes_where_a_client_goes_and_nowhere_else() {
        let taken = [
            (SAFE, "https://s3.example/k?X-Amz-Signature=1"),
            (PLAIN, "https://s3.example/k"),
            (PLAIN, "http://s3.example/k"),
        ];
        for (from, url) in taken {
            assert_eq!(
                refusal(from, said(url, &[("content-length", "1000"), ("x-amz-checksum-sha256", "YQ==")])),
                None,
                "{url}"
            );
        }
        for (from, url) in [
            (SAFE, "http://s3.example/k?X-Amz-Signature=secret"),
            (SAFE, "file:///etc/passwd?secret"),
            (PLAIN, "gopher://s3.example/?secret"),
            (SAFE, "https://me:you@s3.example/k?secret"),
            (SAFE, "/k?secret"),
            (SAFE, ""),
        ] {
            let refused = refusal(from, said(url, &[])).unwrap_or_else(|| panic!("{url}"));
            assert!(refused.starts_with("r.example"), "{refused}");
        }
    }

    #[test]
    fn headers_that_are_not_the_registrys_to_say_are_refused() {
        for (name, value) in [
            ("authorization", "Bearer x"),
            ("Authorization", "Bearer x"),
            ("host", "elsewhere"),
            ("transfer-encoding", "chunked"),
            ("connection", "close"),
            ("cookie", "a=b"),
            ("expect", "100-continue"),
            ("content-length", "1"),
            ("content-length", "+1000"),
            ("x-amz-meta-a", "b\r\nauthorization: Bearer x"),
            ("x y", "z"),
            ("", "z"),
        ] {
            let refused = refusal(SAFE, said("https://s3.example/k", &[(name, value)]));
            assert!(refused.is_some_and(|refused| refused.starts_with("r.example wants")), "{name}: {value}");
        }
        let other = SignedRequest { method: "DELETE".to_owned(), ..said("https://s3.example/k", &[]) };
        assert!(refusal(SAFE, other).unwrap().contains("DELETE"));
        let timeless = SignedRequest { expires: "soon".to_owned(), ..said("https://s3.example/k", &[]) };
        assert!(refusal(SAFE, timeless).unwrap().contains("soon"));
    }
}
