//! Content of a bucket by way of a CloudFront distribution that stands before both the bucket and the registry: signed
//! URLs of the host by which the client reached the registry.

use std::{sync::Arc, time::Duration};

use percent_encoding::utf8_percent_encode;

use super::{Path, s3::PLAIN};
use crate::{aws::cloudfront::UrlKey, context::Clock};

/// Signs URLs of content in a bucket.
#[derive(Debug, Clone)]
pub struct CloudFront {
    /// The id by which CloudFront knows the key.
    pub key_pair_id: String,
    /// What signs.
    pub key: Arc<UrlKey>,
    /// What every key in the bucket begins with: empty, or ending in a slash.
    pub root: String,
    /// How long a URL is good for beginning a download, to the second.
    pub life: Duration,
    /// From when on.
    pub clock: Clock,
}

impl CloudFront {
    /// A URL by which anybody may GET and HEAD the content at `path`, for a client that reached the registry at `origin`:
    /// `scheme://authority`. `None` when CloudFront cannot be there, and when the system has no randomness.
    ///
    /// The URL is signed for this host and no other. With a wildcard in the host's place it would be good for everything
    /// in the bucket: `*` also matches the path of another file, followed by `?` and this one's path.
    pub fn url(&self, origin: &str, path: &Path) -> Option<String> {
        let origin = plain(origin)?;
        let key = format!("{}{}", self.root, path.relative());
        let url = format!("{origin}/{}", utf8_percent_encode(&key, PLAIN));
        let ends = self.clock.now() + self.life;
        let expires = ends.as_secs() + u64::from(ends.subsec_nanos() > 0);
        self.key.sign(&self.key_pair_id, &url, expires).ok()
    }
}

/// `origin` as it stands in the URL that CloudFront sees: a client leaves out the port that its scheme has anyway, and
/// writes the host in small letters. `None` if it holds anything but a host's name and a port, above all wildcards.
fn plain(origin: &str) -> Option<String> {
    let (scheme, host) = origin.split_once("://")?;
    let usual = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let host = host.strip_suffix(usual).unwrap_or(host);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]_".contains(&byte);
    let is_host = !host.is_empty() && host.bytes().all(is_plain);
    is_host.then(|| format!("{scheme}://{}", host.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(root: &str, now: Duration) -> CloudFront {
        CloudFront {
            key_pair_id: "K1".to_owned(),
            key: Arc::new(UrlKey::read(&UrlKey::generate().unwrap()).unwrap()),
            root: root.to_owned(),
            life: Duration::from_secs(60),
            clock: Clock::new(move || now),
        }
    }

    /// The URL without its query, and what the policy says.
    fn signed(signer: &CloudFront, origin: &str) -> Option<(String, String)> {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let url = signer.url(origin, &"/a/data".parse().unwrap())?;
        let (url, query) = url.split_once('?').unwrap();
        let policy = query.strip_prefix("Policy=").unwrap().split('&').next().unwrap();
        let policy = STANDARD.decode(policy.replace('-', "+").replace('_', "=").replace('~', "/")).unwrap();
        Some((url.to_owned(), String::from_utf8(policy).unwrap()))
    }

    #[test]
    fn a_url_lives_no_shorter_than_it_should() {
        for (now, expires) in [(1_000_000, 1060), (1_000_001, 1061), (1_000_999, 1061), (1_001_000, 1061)] {
            let (_, policy) = signed(&signer("", Duration::from_millis(now)), "https://r.example.com").unwrap();
            assert!(policy.contains(&format!(r#"{{"AWS:EpochTime":{expires}}}"#)), "{now}: {policy}");
        }
    }

    #[test]
    fn a_url_is_signed_as_the_client_will_ask_for_it() {
        for (root, origin, url) in [
            ("", "https://r.example.com", "https://r.example.com/a/data"),
            ("some/where/", "https://R.Example.com:443", "https://r.example.com/some/where/a/data"),
            ("", "http://[::1]:5000", "http://[::1]:5000/a/data"),
            ("a*b?c \"é/", "http://localhost:80", "http://localhost/a%2Ab%3Fc%20%22%C3%A9/a/data"),
        ] {
            let (at, policy) = signed(&signer(root, Duration::ZERO), origin).unwrap();
            assert_eq!(at, url);
            assert!(policy.contains(&format!(r#""Resource":"{url}""#)), "{policy}");
        }
    }

    #[test]
    fn nothing_is_signed_that_would_allow_more_than_one_file() {
        for origin in [
            "https://*",
            "https://r.*",
            "*://r",
            "https://r?",
            "https://",
            "https://:443",
            "r.example.com",
            "ftp://r",
            "https://r/b",
            "https://r\"",
            "https://u@r",
            "https://r.example.com,*",
        ] {
            assert_eq!(signed(&signer("", Duration::ZERO), origin), None, "{origin}");
        }
    }
}
