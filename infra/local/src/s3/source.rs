//! What CopyObject and UploadPartCopy read.

use std::sync::Arc;

use futures_util::StreamExt as _;
use http::Extensions;
use s3s::dto::CopySource;
use s3s::{S3Error, S3Result, s3_error};

use super::authorize;
use super::blob::Content;
use super::checksum::{Digests, Hashes};
use super::condition::ReadConditions;
use super::object::Object;
use super::store::Store;

/// The object that a copy names, when its conditions hold and it is not too large.
///
/// # Errors
/// `NoSuchBucket`, `NoSuchKey` (to some `AccessDenied`), `PreconditionFailed`, `InvalidRequest` when it is too large, `NotImplemented` for access
/// points.
pub(super) fn find(
    store: &Store,
    extensions: &Extensions,
    source: &CopySource,
    conditions: &ReadConditions,
) -> S3Result<Arc<Object>> {
    let CopySource::Bucket { bucket, key, .. } = source else {
        return Err(s3_error!(NotImplemented, "Copies read from buckets only"));
    };
    let object = store.object(bucket, key).map_err(|error| authorize::missing(extensions, bucket, key, error))?;
    conditions
        .check(&object)
        .map_err(|_| s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"))?;
    Ok(object)
}

/// # Errors
/// `InvalidRequest`, as S3 words it.
pub(super) fn not_too_large(store: &Store, content: &Content) -> S3Result {
    let limit = store.limits.copy;
    if content.length() > limit {
        let message =
            format!("The specified copy source is larger than the maximum allowable size for a copy source: {limit}");
        return Err(S3Error::with_message(s3s::S3ErrorCode::InvalidRequest, message));
    }
    Ok(())
}

/// Reads bytes at rest to hash them.
///
/// # Errors
/// `InternalError` when the disk fails.
pub(super) async fn hash(content: &Content, mut hashes: Hashes) -> S3Result<Digests> {
    let mut reading = content.read();
    while let Some(chunk) = reading.next().await {
        hashes.update(&chunk.map_err(|source| S3Error::with_source(s3s::S3ErrorCode::InternalError, source))?);
    }
    Ok(hashes.finish())
}
