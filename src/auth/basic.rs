//! The Basic scheme (RFC 7617).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;

/// The longest header that is decoded, in bytes: the token of an issuer that stands for a password has room in it.
const LONGEST: usize = 32 << 10;

/// The name and the password that `Authorization: Basic ..` says.
pub fn basic_credentials(authorization: &HeaderValue) -> Option<(String, String)> {
    Basic::parse(authorization).map(|Basic { name, password }| (name, password))
}

/// The value of `WWW-Authenticate` that asks for both, for `realm`.
pub fn basic_challenge(realm: &str) -> HeaderValue {
    Basic::challenge(realm)
}

/// A name and a password. The password is never shown.
pub(super) struct Basic {
    pub(super) name: String,
    pub(super) password: String,
}

impl Basic {
    /// What `Authorization: Basic ..` says; `None` when it is of another scheme, or is not what the scheme wants.
    pub(super) fn parse(authorization: &HeaderValue) -> Option<Self> {
        let text = authorization.to_str().ok().filter(|text| text.len() <= LONGEST)?;
        let (scheme, encoded) = text.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
        let (name, password) = pair.split_once(':')?;
        Some(Self { name: name.to_owned(), password: password.to_owned() })
    }

    /// The challenge that asks for both. The client is told that they are read as UTF-8.
    pub(super) fn challenge(realm: &str) -> HeaderValue {
        let quoted: String = realm
            .chars()
            .filter(|character| !character.is_control())
            .flat_map(|character| matches!(character, '"' | '\\').then_some('\\').into_iter().chain([character]))
            .collect();
        // A realm beyond what a header holds says nothing then; the scheme is what clients act on.
        HeaderValue::from_str(&format!("Basic realm=\"{quoted}\", charset=\"UTF-8\""))
            .unwrap_or(HeaderValue::from_static("Basic realm=\"berth\", charset=\"UTF-8\""))
    }
}
