//! HeadObject.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use s3s::dto::{ChecksumMode, HeadObjectInput, HeadObjectOutput, Range, Timestamp, TimestampFormat};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::authorize;
use super::condition::ReadConditions;
use super::get_object::{refused, signed};
use super::store::Store;

/// What GetObject would say, without the bytes.
pub(super) async fn head_object(
    store: &Store,
    request: S3Request<HeadObjectInput>,
) -> S3Result<S3Response<HeadObjectOutput>> {
    let input = request.input;
    let overrides = overrides(&input)?;
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
    let range = input.range.map(|range: Range| range.check(total)).transpose();
    let range = range.map_err(|e| s3_error!(e, InvalidRange, "The requested range is not satisfiable"))?;
    let whole = range.is_none() && input.checksum_mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
    let checksum = if whole { object.checksum.clone() } else { s3s::dto::Checksum::default() };
    let described = &object.described;
    let output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
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
        content_length: Some(signed(range.as_ref().map_or(total, |range| range.end - range.start))),
        content_range: range.map(|range| format!("bytes {}-{}/{total}", range.start, range.end - 1)),
        content_type: Some(described.content_type()),
        e_tag: Some(object.etag.clone()),
        expires: described.expires.clone(),
        last_modified: Some(object.modified.into()),
        metadata: described.metadata.clone(),
        parts_count: input.part_number.and(object.parts),
        storage_class: described.storage_class.clone().map(Into::into),
        ..HeadObjectOutput::default()
    };
    Ok(S3Response::with_headers(output, overrides))
}

/// The `response-*` parameters, which s3s applies to GetObject alone.
fn overrides(input: &HeadObjectInput) -> S3Result<HeaderMap> {
    let expires = input.response_expires.as_ref().map(http_date).transpose()?;
    let given: [(HeaderName, Option<&str>); 6] = [
        (header::CACHE_CONTROL, input.response_cache_control.as_deref()),
        (header::CONTENT_DISPOSITION, input.response_content_disposition.as_deref()),
        (header::CONTENT_ENCODING, input.response_content_encoding.as_deref()),
        (header::CONTENT_LANGUAGE, input.response_content_language.as_deref()),
        (header::CONTENT_TYPE, input.response_content_type.as_deref()),
        (header::EXPIRES, expires.as_deref()),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        if let Some(value) = value {
            let value = HeaderValue::from_str(value).map_err(|e| s3_error!(e, InvalidArgument))?;
            headers.insert(name, value);
        }
    }
    Ok(headers)
}

fn http_date(timestamp: &Timestamp) -> S3Result<String> {
    let mut date = Vec::new();
    timestamp.format(TimestampFormat::HttpDate, &mut date).map_err(|e| s3_error!(e, InvalidArgument))?;
    String::from_utf8(date).map_err(|e| s3_error!(e, InvalidArgument))
}
