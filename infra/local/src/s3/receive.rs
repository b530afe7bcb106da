//! A request's body on its way to rest: hashed, verified and only then handed over.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http::HeaderMap;
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, StdError, TrailingHeaders, s3_error};
use tokio::sync::mpsc;

use super::blob::{Blob, Content};
use super::checksum::{self, Algorithm, Digests, Hashes};

/// Up to here an object is kept in memory, and its ETag is its MD5.
const SMALL: u64 = 256 << 10;

/// Chunks between the socket and the disk: with the read buffer's size, at most 4 MiB.
const IN_FLIGHT: usize = 8;

/// A body that has arrived whole and agrees with everything the request says of it.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) content: Content,
    pub(super) digests: Digests,
    /// The algorithm the client chose.
    pub(super) algorithm: Option<Algorithm>,
}

/// What a request says of its body.
pub(super) struct Claims<'r> {
    pub(super) headers: &'r HeaderMap,
    pub(super) trailers: Option<TrailingHeaders>,
    pub(super) content_md5: Option<String>,
    pub(super) length: Option<i64>,
    /// To be computed even when the client brings no checksum.
    pub(super) algorithm: Option<Algorithm>,
}

/// Takes in a body. On any error nothing of it is kept.
///
/// # Errors
/// `BadDigest` when a checksum or the Content-MD5 differs; `XAmzContentSHA256Mismatch`; `IncompleteBody` when it ends
/// early; `InvalidRequest` for a checksum that is none. Source: PutObject, S3 API reference.
pub(super) async fn receive(path: PathBuf, body: Option<StreamingBlob>, claims: Claims<'_>) -> S3Result<Received> {
    let announced = checksum::announced(claims.headers)?;
    let algorithm = announced.as_ref().map(|(algorithm, _)| *algorithm);
    let length = claims.length.and_then(|length| u64::try_from(length).ok());
    let small = length.is_some_and(|length| length <= SMALL);
    let hashes = Hashes::new(algorithm.or(claims.algorithm), small || claims.content_md5.is_some());
    let body = body.unwrap_or_else(|| StreamingBlob::from(s3s::Body::empty()));
    let (blob, found, digests) =
        if small { to_memory(body, hashes).await? } else { to_file(path, body, hashes).await? };
    if length.is_some_and(|length| length != found) {
        return Err(incomplete());
    }
    if let Some((algorithm, value)) = announced {
        let value = value.or_else(|| trailing(claims.trailers.as_ref(), algorithm));
        let value = value.ok_or_else(|| s3_error!(InvalidRequest, "The trailing checksum was not sent."))?;
        verify(algorithm, &value, &digests)?;
    }
    if let Some(expected) = claims.content_md5 {
        let expected = STANDARD.decode(expected).map_err(|e| s3_error!(e, InvalidDigest))?;
        if digests.md5.is_none_or(|md5| md5 != *expected) {
            return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received."));
        }
    }
    Ok(Received { content: Content::of(blob, found), digests, algorithm })
}

fn verify(algorithm: Algorithm, value: &str, digests: &Digests) -> S3Result {
    let name = algorithm.name();
    let found = algorithm.of(&digests.checksum).map(String::as_str).unwrap_or_default();
    let well_formed = STANDARD.decode(value).is_ok() && value.len() == found.len();
    if !well_formed {
        return Err(s3_error!(InvalidRequest, "Value for x-amz-checksum-{} header is invalid.", name.to_lowercase()));
    }
    if value != found {
        return Err(s3_error!(BadDigest, "The {name} you specified did not match the calculated checksum."));
    }
    Ok(())
}

fn trailing(trailers: Option<&TrailingHeaders>, algorithm: Algorithm) -> Option<String> {
    let name = format!("x-amz-checksum-{}", algorithm.name().to_lowercase());
    trailers?.read(|trailers| Some(trailers.get(name)?.to_str().ok()?.trim().to_owned()))?
}

async fn to_memory(mut body: StreamingBlob, mut hashes: Hashes) -> S3Result<(Arc<Blob>, u64, Digests)> {
    let mut bytes = BytesMut::new();
    while let Some(chunk) = body.next().await {
        bytes.extend_from_slice(&chunk.map_err(broken)?);
    }
    hashes.update(&bytes);
    let length = bytes.len() as u64;
    Ok((Arc::new(Blob::Memory(bytes.freeze())), length, hashes.finish()))
}

async fn to_file(path: PathBuf, mut body: StreamingBlob, mut hashes: Hashes) -> S3Result<(Arc<Blob>, u64, Digests)> {
    let (sender, mut receiver) = mpsc::channel::<Bytes>(IN_FLIGHT);
    let writer = tokio::task::spawn_blocking(move || {
        let mut file = File::create_new(&path)?;
        // From here on the blob removes the file, whatever happens.
        let blob = Arc::new(Blob::File(path));
        let mut length = 0;
        while let Some(chunk) = receiver.blocking_recv() {
            hashes.update(&chunk);
            file.write_all(&chunk)?;
            length += chunk.len() as u64;
        }
        Ok::<_, std::io::Error>((blob, length, hashes.finish()))
    });
    while let Some(chunk) = body.next().await {
        if sender.send(chunk.map_err(broken)?).await.is_err() {
            break; // the disk failed: the writer says how
        }
    }
    drop(sender);
    writer.await.map_err(S3Error::internal_error)?.map_err(S3Error::internal_error)
}

fn incomplete() -> S3Error {
    s3_error!(IncompleteBody, "You did not provide the number of bytes specified by the Content-Length HTTP header")
}

/// Why a body broke off, in S3's terms. s3s has these errors as private types: their names are all there is.
fn broken(source: StdError) -> S3Error {
    let cause = source.to_string();
    let mut error = if cause.contains("Sha256Mismatch") {
        let code = S3ErrorCode::from_bytes(b"XAmzContentSHA256Mismatch").unwrap_or(S3ErrorCode::BadDigest);
        let message = "The provided 'x-amz-content-sha256' header does not match what was computed.";
        let mut error = S3Error::with_message(code, message);
        error.set_status_code(http::StatusCode::BAD_REQUEST);
        error
    } else if cause.contains("SignatureMismatch") {
        s3_error!(SignatureDoesNotMatch)
    } else {
        incomplete()
    };
    error.set_source(source);
    error
}
