//! Paging of lists (OCI distribution specification, "Listing Tags"): `n`, `last`, and `Link` to what follows.

use http::HeaderValue;

use super::{answer::value, fault::Fault};
use crate::{
    api::{ErrorCode, Query, Route},
    distribution::Paging,
};

/// The part of a list that a query asks for, at most `most` entries of it if that is given.
///
/// # Errors
/// 400 PAGINATION_NUMBER_INVALID for an `n` that is no number, or negative.
pub(super) fn paging(query: &Query, most: Option<usize>) -> Result<Paging, Fault> {
    let wanted = match query.get("n").filter(|text| !text.is_empty()) {
        None => None,
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => Some(text.parse().unwrap_or(usize::MAX)),
        Some(_) => {
            let message = "n is how many entries are wanted: a number, not negative";
            return Err(Fault::bad(ErrorCode::PaginationNumberInvalid, message));
        }
    };
    let limit = match (wanted, most) {
        (Some(wanted), Some(most)) => Some(wanted.min(most)),
        (wanted, most) => wanted.or(most),
    };
    Ok(Paging { limit, after: query.get("last").filter(|last| !last.is_empty()).map(str::to_owned) })
}

/// The `Link` to what follows: relative, so that it holds whatever stands before the registry (RFC 8288, section 3.1).
pub(super) fn next(prefix: &str, route: &Route, query: &Query) -> HeaderValue {
    value(format!("<{prefix}{route}?{query}>; rel=\"next\""))
}
