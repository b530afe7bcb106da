//! PutObject.

use std::sync::Arc;
use std::time::SystemTime;

use s3s::dto::{ETag, PutObjectInput, PutObjectOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::condition::WriteConditions;
use super::object::{Described, Object};
use super::receive::{Claims, receive};
use super::store::Store;

/// Stores an object: only when its body agrees with every checksum, and only when the conditions hold at that moment.
pub(super) async fn put_object(
    store: &Store,
    request: S3Request<PutObjectInput>,
) -> S3Result<S3Response<PutObjectOutput>> {
    let S3Request { input, headers, trailing_headers, .. } = request;
    store.with(&input.bucket, |_| Ok(()))?;
    if input.content_length.is_some_and(|length| u64::try_from(length).is_ok_and(|length| length > store.limits.put)) {
        return Err(s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size"));
    }
    let claims = Claims {
        headers: &headers,
        trailers: trailing_headers,
        content_md5: input.content_md5,
        length: input.content_length,
        algorithm: None,
    };
    let received = receive(store.path(), input.body, claims).await?;
    let etag = ETag::Strong(received.digests.etag(received.content.length()));
    let checksum = received.digests.kept(received.algorithm);
    let output = PutObjectOutput {
        e_tag: Some(etag.clone()),
        checksum_crc32: checksum.checksum_crc32.clone(),
        checksum_crc32c: checksum.checksum_crc32c.clone(),
        checksum_crc64nvme: checksum.checksum_crc64nvme.clone(),
        checksum_sha1: checksum.checksum_sha1.clone(),
        checksum_sha256: checksum.checksum_sha256.clone(),
        checksum_type: checksum.checksum_type.clone(),
        ..PutObjectOutput::default()
    };
    let described = Described {
        content_type: input.content_type,
        content_encoding: input.content_encoding,
        content_language: input.content_language,
        content_disposition: input.content_disposition,
        cache_control: input.cache_control,
        expires: input.expires,
        storage_class: input.storage_class.map(|class| class.as_str().to_owned()),
        metadata: input.metadata,
    };
    let object =
        Object { content: received.content, etag, modified: SystemTime::now(), described, checksum, parts: None };
    let conditions = WriteConditions { if_match: input.if_match, if_none_match: input.if_none_match };
    store.with(&input.bucket, |bucket| {
        conditions.check(bucket.objects.get(&input.key).map(AsRef::as_ref))?;
        bucket.objects.insert(input.key, Arc::new(object));
        Ok(())
    })?;
    Ok(S3Response::new(output))
}
