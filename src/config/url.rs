//! URLs and paths of URLs.

use http::Uri;

use super::{error::ConfigError, settings::Found};

/// The value of a key that is a URL: scheme and authority, then its path without a slash at the end.
pub(super) fn read(found: &Found<'_>) -> Result<(String, String), ConfigError> {
    base(found.text).ok_or_else(|| match found.text.contains('@') {
        true => found.because("holds a user name, and perhaps a password"), // which no log should show
        false => found.refuse(),
    })
}

/// The scheme and authority of `text`, and its path without a slash at the end, when it is an `http` or `https` URL
/// with nothing more to it.
fn base(text: &str) -> Option<(String, String)> {
    // `Uri` drops fragments without a word, and takes user names.
    if text.contains(['#', '?', '@']) {
        return None;
    }
    let uri: Uri = text.parse().ok()?;
    let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"))?;
    let authority = uri.authority().filter(|authority| !authority.host().is_empty())?;
    // `Uri` takes a port that is no number for none.
    let port = authority.as_str().strip_prefix(authority.host())?;
    if !port.is_empty() && authority.port_u16().is_none() {
        return None;
    }
    Some((format!("{scheme}://{authority}"), uri.path().trim_end_matches('/').to_owned()))
}

/// Whether `text` is a path that begins and ends with `/`, of characters that need no escaping (RFC 3986, section
/// 2.3), without empty, `.` and `..` segments.
pub(super) fn is_prefix(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_segment = |segment: &str| !matches!(segment, "" | "." | "..") && segment.bytes().all(is_plain);
    text == "/"
        || text
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'))
            .is_some_and(|inside| inside.split('/').all(is_segment))
}
