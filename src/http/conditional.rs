//! Conditional requests (RFC 9110, section 13). The entity tag of content is its digest, as the client named it.

use http::{HeaderMap, header};

use crate::digest::Digest;

/// Whether the client says that it has the content already: 304.
pub(super) fn has_already(headers: &HeaderMap, digest: &Digest) -> bool {
    if !headers.contains_key(header::IF_NONE_MATCH) {
        return false;
    }
    let digest = digest.to_string();
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    // A digest holds no comma, so a comma within some other tag's quotes does no harm. Weakness does not matter in
    // this comparison (section 13.1.2). Docker's clients leave the quotes out.
    values.flat_map(|list| list.split(',')).map(str::trim).any(|tag| {
        let opaque = tag.strip_prefix("W/").unwrap_or(tag);
        tag == "*" || opaque.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(opaque) == digest
    })
}

/// The `Range` header, unless `If-Range` says that it was meant for other content (section 13.1.5). A date is never
/// taken for this content: what a digest names has no date.
pub(super) fn range<'a>(headers: &'a HeaderMap, digest: &Digest) -> Option<&'a str> {
    let range = headers.get(header::RANGE)?.to_str().ok()?;
    match headers.get(header::IF_RANGE) {
        Some(tag) if tag.as_bytes() != format!("\"{digest}\"").as_bytes() => None,
        _ => Some(range),
    }
}
