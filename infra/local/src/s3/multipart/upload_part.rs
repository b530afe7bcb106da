//! UploadPart.

use std::time::SystemTime;

use s3s::dto::{ETag, UploadPartInput, UploadPartOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::{Part, check_part_number};
use crate::s3::checksum::{Algorithm, announced};
use crate::s3::receive::{Claims, receive};
use crate::s3::store::Store;

/// Stores a part, in place of an earlier one of that number.
pub(in crate::s3) async fn upload_part(
    store: &Store,
    request: S3Request<UploadPartInput>,
) -> S3Result<S3Response<UploadPartOutput>> {
    let S3Request { input, headers, trailing_headers, .. } = request;
    check_part_number(store, input.part_number)?;
    if input.content_length.is_some_and(|length| u64::try_from(length).is_ok_and(|length| length > store.limits.put)) {
        return Err(s3_error!(EntityTooLarge, "Your proposed upload exceeds the maximum allowed size"));
    }
    let (chosen, of_whole) = store.with(&input.bucket, |bucket| {
        let upload = bucket.upload(&input.key, &input.upload_id)?;
        Ok((upload.algorithm, upload.of_whole))
    })?;
    let brought = announced(&headers)?.map(|(algorithm, _)| algorithm);
    // Only where the object's checksum is of the whole may a part come without one.
    if brought != chosen && !(brought.is_none() && of_whole) {
        let name =
            |algorithm: Option<Algorithm>| algorithm.map_or_else(|| "null".to_owned(), |a| a.name().to_lowercase());
        let (expected, actual) = (name(chosen), name(brought));
        return Err(s3_error!(
            InvalidRequest,
            "Checksum Type mismatch occurred, expected checksum Type: {expected}, actual checksum Type: {actual}"
        ));
    }
    let claims = Claims {
        headers: &headers,
        trailers: trailing_headers,
        content_md5: input.content_md5,
        length: input.content_length,
        algorithm: chosen,
    };
    let received = receive(store.path(), input.body, claims).await?;
    let etag = received.digests.etag(received.content.length());
    let checksum = received.digests.kept(chosen);
    let part = Part {
        etag: etag.clone(),
        checksum: chosen.and_then(|algorithm| algorithm.of(&checksum)).cloned(),
        content: received.content,
        modified: SystemTime::now(),
    };
    let replaced = store.with(&input.bucket, |bucket| {
        Ok(bucket.upload(&input.key, &input.upload_id)?.parts.insert(input.part_number, part))
    })?;
    drop(replaced); // outside the lock: it may remove a file
    Ok(S3Response::new(UploadPartOutput {
        e_tag: Some(ETag::Strong(etag)),
        checksum_crc32: checksum.checksum_crc32,
        checksum_crc32c: checksum.checksum_crc32c,
        checksum_crc64nvme: checksum.checksum_crc64nvme,
        checksum_sha1: checksum.checksum_sha1,
        checksum_sha256: checksum.checksum_sha256,
        ..UploadPartOutput::default()
    }))
}
