//! Where a session stands, as an answer says.

use http::{HeaderName, header};
use reqwest::Url;

use crate::client::transport::{Answer, Failure, location};

const DOCKER_UPLOAD_UUID: HeaderName = HeaderName::from_static("docker-upload-uuid");
const OCI_CHUNK_MIN_LENGTH: HeaderName = HeaderName::from_static("oci-chunk-min-length");

/// The longest minimum of a piece that is believed, in bytes: so much of each upload is held in memory.
const LONGEST_MINIMUM: u64 = 64 << 20;

/// What an answer says of a session.
pub(super) struct Place {
    /// Where it goes on.
    pub(super) url: Url,
    pub(super) id: String,
    /// Bytes stored. One may also mean none.
    pub(super) stored: Option<u64>,
    /// The least of a piece, in bytes.
    pub(super) least: u64,
}

impl Place {
    /// What `answer` says of a session that went by `known`, where it did so before.
    pub(super) fn of(answer: &Answer, known: Option<&Url>) -> Result<Self, Failure> {
        let url = match known {
            Some(known) if !answer.headers.contains_key(header::LOCATION) => known.clone(),
            _ => location(&answer.url, &answer.headers)?,
        };
        let last = || url.path_segments()?.rfind(|segment| !segment.is_empty()).map(str::to_owned);
        let id = answer.header(DOCKER_UPLOAD_UUID).map(str::to_owned).or_else(last).unwrap_or_default();
        let stored = answer.range().and_then(stored);
        let least = answer.header(OCI_CHUNK_MIN_LENGTH).and_then(|least| least.trim().parse().ok()).unwrap_or(0);
        if least > LONGEST_MINIMUM {
            let what = format!("takes no pieces of less than {least} bytes, which is more than is held in memory here");
            return Err(Failure::wrong(&answer.host(), what));
        }
        Ok(Self { url, id, stored, least })
    }
}

/// The bytes that a `Range` of `0-<last>` says are there.
pub(super) fn stored(range: &str) -> Option<u64> {
    let (first, last) = range.trim().trim_start_matches("bytes=").split_once('-')?;
    let number = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    (number(first)? == 0).then(|| number(last))?.and_then(|last| last.checked_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_sessions() {
        for (range, expected) in [
            ("0-0", Some(1)),
            ("0-1023", Some(1024)),
            (" bytes=0-9 ", Some(10)),
            ("0-18446744073709551615", None),
            ("1-2", None),
            ("0--1", None),
            ("0-", None),
            ("", None),
        ] {
            assert_eq!(stored(range), expected, "{range}");
        }
    }
}
