//! `/v2/<name>/blobs/<digest>`.

use axum::{body::Body, response::Response};
use http::{HeaderValue, StatusCode, header};

use super::{
    answer::{Answer, value},
    call::Call,
    conditional,
    download::Download,
    fault::{Fault, range_not_satisfiable},
    location,
};
use crate::{
    api::{ByteRange, Ranged},
    descriptor::OCTET_STREAM,
    digest::Digest,
    distribution::{Repository, Served, Wish},
    name::RepositoryName,
};

/// Content never changes under its digest: a year, the longest that RFC 9111 advises.
const FOREVER: HeaderValue = HeaderValue::from_static("max-age=31536000");
/// A redirection is good for as long as its signature, and for this client.
const NEVER: HeaderValue = HeaderValue::from_static("no-store");

/// `GET` and `HEAD`: the blob, or where it is to be had.
pub(super) async fn get(call: &Call, name: &RepositoryName, digest: &Digest) -> Result<Response, Fault> {
    let repository = call.repository(name);
    let blobs = repository.blobs();
    // A range of a HEAD means nothing (RFC 9110, section 14.2).
    let range = if call.is_head() { None } else { conditional::range(&call.parts.headers, digest) };
    // Storage that the client would be sent to may answer a malformed range with all of the content.
    if Ranged::of(range, u64::MAX) == Ranged::Unsatisfiable {
        return Err(range_not_satisfiable(blobs.stat(&call.ctx, digest).await?.size));
    }
    let origin = location::origin(call.options(), &call.parts, &call.arrival);
    let wish = Wish { head: call.is_head(), origin: origin.as_deref() };
    let served = blobs.serve(&call.ctx, digest, wish).await?;
    if conditional::has_already(&call.parts.headers, digest) {
        let answer = Answer::new(StatusCode::NOT_MODIFIED).entity(digest);
        return Ok(answer.with(header::CACHE_CONTROL, FOREVER).empty());
    }
    match served {
        Served::Redirect(url) => Ok(Answer::new(StatusCode::TEMPORARY_REDIRECT)
            .digest(digest)
            .with(header::LOCATION, value(url))
            .with(header::CACHE_CONTROL, NEVER)
            .empty()),
        Served::Here(descriptor) => here(call, &*repository, digest, range, descriptor.size).await,
    }
}

/// The blob, of `size` bytes, or the part of it that `range` asks for.
async fn here(
    call: &Call,
    repository: &dyn Repository,
    digest: &Digest,
    range: Option<&str>,
    size: u64,
) -> Result<Response, Fault> {
    let (status, part) = match Ranged::of(range, size) {
        Ranged::Whole => (StatusCode::OK, ByteRange { start: 0, length: size }),
        Ranged::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Ranged::Unsatisfiable => return Err(range_not_satisfiable(size)),
    };
    let mut answer = Answer::new(status)
        .entity(digest)
        .with(header::CONTENT_TYPE, HeaderValue::from_static(OCTET_STREAM))
        .with(header::CONTENT_LENGTH, part.length.into())
        .with(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"))
        .with(header::CACHE_CONTROL, FOREVER);
    if call.is_head() {
        return Ok(answer.empty());
    }
    if status == StatusCode::PARTIAL_CONTENT {
        let last = part.start + part.length - 1;
        answer = answer.with(header::CONTENT_RANGE, value(format!("bytes {}-{last}/{size}", part.start)));
    }
    let length = (status == StatusCode::PARTIAL_CONTENT).then_some(part.length);
    let reading = repository.blobs().open(&call.ctx, digest, part.start, length).await?;
    Ok(answer.body(Body::new(Download::new(reading.stream, part.length))))
}

/// `DELETE`: revokes the repository's access to the blob.
pub(super) async fn delete(call: &Call, name: &RepositoryName, digest: &Digest) -> Result<Response, Fault> {
    call.repository(name).blobs().delete(&call.ctx, digest).await?;
    Ok(Answer::new(StatusCode::ACCEPTED).digest(digest).empty())
}
