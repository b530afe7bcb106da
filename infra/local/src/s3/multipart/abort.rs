//! AbortMultipartUpload.

use s3s::dto::{AbortMultipartUploadInput, AbortMultipartUploadOutput};
use s3s::{S3Request, S3Response, S3Result};

use crate::s3::store::Store;

/// Ends an upload and removes its parts.
pub(in crate::s3) async fn abort_multipart_upload(
    store: &Store,
    request: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    let input = request.input;
    let ended = store.with(&input.bucket, |bucket| {
        bucket.upload(&input.key, &input.upload_id)?;
        Ok(bucket.uploads.remove(&(input.key, input.upload_id)))
    })?;
    drop(ended); // outside the lock: it may remove files
    Ok(S3Response::with_status(AbortMultipartUploadOutput::default(), http::StatusCode::NO_CONTENT))
}
