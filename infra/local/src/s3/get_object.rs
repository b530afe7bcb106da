//! GetObject.

use s3s::dto::{ChecksumMode, GetObjectInput, GetObjectOutput, StreamingBlob};
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use super::authorize;
use super::condition::{ReadConditions, Unmet};
use super::object::Object;
use super::store::Store;

/// Streams an object, or the one range of it that is asked for.
pub(super) async fn get_object(
    store: &Store,
    request: S3Request<GetObjectInput>,
) -> S3Result<S3Response<GetObjectOutput>> {
    let input = request.input;
    let object = store.object(&input.bucket, &input.key);
    let object = object.map_err(|error| authorize::missing(&request.extensions, &input.bucket, &input.key, error))?;
    let conditions = ReadConditions {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    conditions.check(&object).map_err(|unmet| refused(unmet, &object))?;
    let total = object.content.length();
    let range = input.range.map(|range| range.check(total)).transpose();
    let range = range.map_err(|e| s3_error!(e, InvalidRange, "The requested range is not satisfiable"))?;
    let content = range.as_ref().map_or_else(|| object.content.clone(), |range| object.content.slice(range.clone()));
    // The checksum is of the whole object: S3 sends it only with the whole.
    let whole = range.is_none() && input.checksum_mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
    let checksum = if whole { object.checksum.clone() } else { s3s::dto::Checksum::default() };
    let described = &object.described;
    Ok(S3Response::new(GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(StreamingBlob::new(content.read())),
        cache_control: described.cache_control.clone(),
        checksum_crc32: checksum.checksum_crc32,
        checksum_crc32c: checksum.checksum_crc32c,
        checksum_crc64nvme: checksum.checksum_crc64nvme,
        checksum_sha1: checksum.checksum_sha1,
        checksum_sha256: checksum.checksum_sha256,
        checksum_type: checksum.checksum_type,
        content_disposition: described.content_disposition.clone(),
        content_encoding: described.content_encoding.clone(),
        content_language: described.content_language.clone(),
        content_length: Some(signed(content.length())),
        content_range: range.map(|range| format!("bytes {}-{}/{total}", range.start, range.end - 1)),
        content_type: Some(described.content_type()),
        e_tag: Some(object.etag.clone()),
        expires: described.expires.clone(),
        last_modified: Some(object.modified.into()),
        metadata: described.metadata.clone(),
        storage_class: described.storage_class.clone().map(Into::into),
        ..GetObjectOutput::default()
    }))
}

/// 412 or 304; the latter repeats the ETag, as RFC 9110, section 15.4.5 asks.
pub(super) fn refused(unmet: Unmet, object: &Object) -> S3Error {
    match unmet {
        Unmet::Failed => s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"),
        Unmet::NotModified => {
            let mut error = s3_error!(NotModified);
            if let Ok(etag) = object.etag.to_http_header() {
                error.set_headers([(http::header::ETAG, etag)].into_iter().collect());
            }
            error
        }
    }
}

/// A length as the AWS models have it.
pub(super) fn signed(length: u64) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
