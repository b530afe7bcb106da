//! Answers, whose bodies are read within limits.

use std::{
    io,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderName, StatusCode, header};
use reqwest::Url;

use super::{
    Failure,
    failure::is_busy,
    place,
    said::{self, Said},
};
use crate::{
    api::{BERTH_RANGE, BERTH_STATUS},
    client::spoken::innermost,
    digest::Digest,
    distribution::ByteStream,
};

/// `Range` of a response, and the headers that stand in for it where a front end renames it.
const RANGES: [HeaderName; 3] =
    [header::RANGE, HeaderName::from_static(BERTH_RANGE), HeaderName::from_static("x-amzn-remapped-range")];
const DOCKER_CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// What came back.
pub(in crate::client) struct Answer {
    pub(in crate::client) status: StatusCode,
    pub(in crate::client) headers: HeaderMap,
    /// Where it came from, after redirections.
    pub(in crate::client) url: Url,
    /// Whether an earlier try may have been done without anybody learning of it.
    pub(in crate::client) is_repeated: bool,
    body: ByteStream,
    stall: Duration,
}

impl Answer {
    /// The answer that `response` begins, of which no part may take longer than `stall`, nor all of it longer than
    /// until `deadline`.
    pub(super) fn new(mut response: reqwest::Response, stall: Duration, deadline: Option<Instant>) -> Self {
        let url = response.url().clone();
        let headers = std::mem::take(response.headers_mut());
        let status = carried(response.status(), &headers);
        let body = stream::try_unfold(response, move |mut response| async move {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let patience = left.map_or(stall, |left| left.min(stall));
            match tokio::time::timeout(patience, response.chunk()).await {
                Ok(Ok(chunk)) => Ok(chunk.map(|chunk| (chunk, response))),
                Ok(Err(error)) => Err(io::Error::other(innermost(&error))),
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("nothing came for {patience:?}"))),
            }
        });
        Self { status, headers, url, is_repeated: false, body: body.boxed(), stall }
    }

    /// With what is known of earlier tries.
    pub(super) fn repeated(self, is_repeated: bool) -> Self {
        Self { is_repeated, ..self }
    }

    /// The host that answered, and its port.
    pub(in crate::client) fn host(&self) -> String {
        place::authority(&self.url)
    }

    /// A header's text.
    pub(in crate::client) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The bytes that an upload session holds, as it says (`Range`).
    pub(in crate::client) fn range(&self) -> Option<&str> {
        RANGES.into_iter().find_map(|name| self.header(name))
    }

    /// The length of the body, as it says.
    pub(in crate::client) fn length(&self) -> Option<u64> {
        let text = self.header(header::CONTENT_LENGTH)?.trim();
        text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
    }

    /// The digest that it says its content has, if it is one that is known.
    pub(in crate::client) fn digest(&self) -> Option<Digest> {
        self.header(DOCKER_CONTENT_DIGEST)?.trim().parse().ok()
    }

    /// How long to wait before the next request, in the form of seconds (RFC 9110, section 10.2.3).
    pub(super) fn retry_after(&self) -> Option<Duration> {
        self.header(header::RETRY_AFTER)?.trim().parse().ok().map(Duration::from_secs)
    }

    pub(super) fn is_busy(&self) -> bool {
        is_busy(self.status)
    }

    /// The body as it comes.
    pub(in crate::client) fn into_stream(self) -> ByteStream {
        self.body
    }

    /// The whole body, of at most `limit` bytes. No more than that, and what one read brings, is ever taken from the
    /// connection.
    ///
    /// # Errors
    /// It is longer, or breaks off.
    pub(in crate::client) async fn read(mut self, limit: usize) -> Result<Bytes, Failure> {
        let host = self.host();
        let too_long = || Failure::wrong(&host, format!("answers with more than the {limit} bytes that this may have"));
        if self.length().is_some_and(|length| length > limit as u64) {
            return Err(too_long());
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = self.body.next().await {
            let chunk = chunk.map_err(|error| Failure::BrokenOff { host: host.clone(), cause: error.to_string() })?;
            if body.len() + chunk.len() > limit {
                return Err(too_long());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }

    /// The failure that this answer to `what` is. What it says is read as far as it comes.
    pub(in crate::client) async fn into_failure(mut self, what: &str) -> Failure {
        let (host, status) = (self.host(), self.status);
        let mut body = BytesMut::new();
        let reading = async {
            while body.len() < said::LONGEST
                && let Some(Ok(chunk)) = self.body.next().await
            {
                body.extend_from_slice(&chunk[..chunk.len().min(said::LONGEST - body.len())]);
            }
        };
        // What comes drop by drop is not worth more.
        let _ = tokio::time::timeout(self.stall, reading).await;
        Failure::Answered { host, what: what.to_owned(), status, said: Box::new(Said::read(&body)) }
    }
}

/// The status that the registry meant by `status`: 401 where it sent 300 for CloudFront's viewer-response function to
/// restore, and that did not run. A 300 is never followed, so nothing else is lost by it.
fn carried(status: StatusCode, headers: &HeaderMap) -> StatusCode {
    let meant = headers.get(BERTH_STATUS).map(|meant| meant.as_bytes());
    match (status, meant) {
        (StatusCode::MULTIPLE_CHOICES, Some(b"401")) => StatusCode::UNAUTHORIZED,
        _ => status,
    }
}
