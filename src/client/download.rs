//! Reading a blob, and going on where the connection broke.

use std::io;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderValue, Method, header};

use super::{
    blobs::{is_called, unknown},
    repository::Remote,
    transport::{Answer, Failure},
};
use crate::{
    api::ContentRange,
    context::Context,
    digest::{Digest, Hasher},
    distribution::{BackendError, BlobError, ByteStream, Reading},
};

/// Bytes after which earlier failures no longer count.
const PROGRESS: u64 = 1 << 20;

/// A reading that is under way.
struct Download {
    remote: Remote,
    ctx: Context,
    digest: Digest,
    /// The next byte that the reader gets.
    at: u64,
    /// The byte after the last that it gets.
    end: u64,
    /// The next byte that comes from the registry.
    coming: u64,
    body: ByteStream,
    /// Of all content, where all of it is read.
    hasher: Option<Hasher>,
    /// Times that the connection broke, and where that last was.
    failures: u32,
    failed_at: u64,
}

/// What the registry answers with.
struct Part {
    /// The first byte of it.
    start: u64,
    /// Size of the whole, if it says so.
    size: Option<u64>,
    body: ByteStream,
}

/// The blob from byte `offset`, at most `length` bytes of it. Where that is all of it, its digest is checked before the
/// reader learns that it has everything.
pub(super) async fn open(
    remote: &Remote,
    ctx: &Context,
    digest: &Digest,
    offset: u64,
    length: Option<u64>,
) -> Result<Reading, BlobError> {
    if length == Some(0) {
        let size = remote.stat(ctx, digest).await?.size;
        return Ok(Reading { size, stream: stream::empty().boxed() });
    }
    let until = length.map(|length| offset.saturating_add(length));
    let Part { start, size, body } = ask(remote, ctx, digest, offset, until).await?;
    let size = match size {
        Some(size) => size,
        None => remote.stat(ctx, digest).await?.size,
    };
    let end = until.unwrap_or(size).min(size);
    let hasher = (offset == 0 && end == size).then(|| Hasher::new(digest.algorithm()));
    let download = Download {
        remote: remote.clone(),
        ctx: ctx.clone(),
        digest: *digest,
        at: offset,
        end: end.max(offset),
        coming: start,
        body,
        hasher,
        failures: 0,
        failed_at: offset,
    };
    let chunks = stream::try_unfold(download, |mut download| async move {
        Ok(download.next().await?.map(|chunk| (chunk, download)))
    });
    Ok(Reading { size, stream: chunks.boxed() })
}

/// Asks for the bytes from `offset` until before `until`.
async fn ask(
    remote: &Remote,
    ctx: &Context,
    digest: &Digest,
    offset: u64,
    until: Option<u64>,
) -> Result<Part, BlobError> {
    let mut request = remote.read(Method::GET, &remote.blob(digest));
    if offset > 0 || until.is_some() {
        // Without an end where it is one that servers may take for no number.
        let last = until.filter(|until| i64::try_from(*until).is_ok());
        let last = last.map(|until| until.saturating_sub(1).to_string()).unwrap_or_default();
        // Digits always stand in a header.
        let range = HeaderValue::from_str(&format!("bytes={offset}-{last}"));
        request = request.with(header::RANGE, range.unwrap_or(HeaderValue::from_static("bytes=0-")));
    }
    let what = format!("GET of blob {digest} of {}", remote.name);
    let answer = remote.expect(ctx, &request, &[200, 206, 416], &what).await;
    let answer = answer.map_err(|failure| unknown(failure, digest))?;
    is_called(&answer.host(), digest, answer.digest())?;
    Ok(part(answer, offset)?)
}

/// What `answer` has of a blob that was asked for from `offset`.
fn part(answer: Answer, offset: u64) -> Result<Part, BackendError> {
    let range = answer.header(header::CONTENT_RANGE).map(str::to_owned);
    let total = || range.as_deref()?.rsplit_once('/')?.1.trim().parse().ok();
    match answer.status.as_u16() {
        // All of it, whatever was asked for.
        200 => Ok(Part { start: 0, size: answer.length(), body: answer.into_stream() }),
        // There is nothing there.
        416 => Ok(Part { start: offset, size: total(), body: stream::empty().boxed() }),
        _ => match range.as_deref().and_then(|range| range.parse::<ContentRange>().ok()) {
            Some(ContentRange { start, .. }) if start <= offset => {
                Ok(Part { start, size: total(), body: answer.into_stream() })
            }
            _ => {
                let what = format!("was asked for a blob from byte {offset}, and answers with {range:?} of it");
                Err(Failure::wrong(&answer.host(), what).into())
            }
        },
    }
}

impl Download {
    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        while self.at < self.end {
            match self.body.next().await {
                Some(Ok(mut chunk)) => {
                    // What comes before was not asked for, and what comes behind neither.
                    let skipped = (self.at - self.coming).min(chunk.len() as u64);
                    self.coming += chunk.len() as u64;
                    let chunk = chunk.split_off(usize::try_from(skipped).unwrap_or(usize::MAX));
                    let wanted = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(chunk.len());
                    if wanted > 0 {
                        let chunk = chunk.slice(..wanted);
                        self.at += wanted as u64;
                        if let Some(hasher) = &mut self.hasher {
                            hasher.update(&chunk);
                        }
                        return Ok(Some(chunk));
                    }
                }
                Some(Err(error)) => self.go_on(&error.to_string()).await?,
                None => self.go_on("it ended early").await?,
            }
        }
        match self.hasher.take().map(Hasher::finish) {
            Some(actual) if actual != self.digest => {
                let what = format!("sends content with digest {actual} as {}; it must not be used", self.digest);
                Err(io::Error::new(io::ErrorKind::InvalidData, Failure::wrong(self.remote.host(), what).to_string()))
            }
            _ => Ok(None),
        }
    }

    /// Has the registry go on from where the connection broke because of `cause`.
    async fn go_on(&mut self, cause: &str) -> io::Result<()> {
        if self.at - self.failed_at >= PROGRESS {
            self.failures = 0;
        }
        self.failed_at = self.at;
        let retry = self.remote.shared.transport.retry().clone();
        if self.failures >= retry.retries {
            let what = format!(
                "broke off blob {} at byte {} of {}, {} times: {cause}; try again",
                self.digest,
                self.at,
                self.end,
                self.failures + 1
            );
            return Err(io::Error::other(Failure::wrong(self.remote.host(), what).to_string()));
        }
        self.failures += 1;
        retry.pause(&self.ctx, self.failures, None).await;
        let Part { start, body, .. } = ask(&self.remote, &self.ctx, &self.digest, self.at, Some(self.end))
            .await
            .map_err(|error| io::Error::other(error.to_string()))?;
        (self.coming, self.body) = (start, body);
        Ok(())
    }
}
