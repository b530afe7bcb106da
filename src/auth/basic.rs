//! The Basic scheme (RFC 7617).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::HeaderValue;

/// The longest header that is decoded, in bytes: a name and a password have room in it many times over.
const LONGEST: usize = 8 << 10;

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
