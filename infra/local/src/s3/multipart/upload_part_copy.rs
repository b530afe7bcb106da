//! UploadPartCopy.

use std::ops::Range;
use std::time::SystemTime;

use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{CopyPartResult, ETag, UploadPartCopyInput, UploadPartCopyOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::{Part, check_part_number};
use crate::s3::checksum::Hashes;
use crate::s3::condition::ReadConditions;
use crate::s3::source;
use crate::s3::store::Store;

/// Makes a part of an object's bytes, or of a range of them. The bytes are shared, not moved.
pub(in crate::s3) async fn upload_part_copy(
    store: &Store,
    request: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let input = request.input;
    check_part_number(store, input.part_number)?;
    let chosen = store.with(&input.bucket, |bucket| Ok(bucket.upload(&input.key, &input.upload_id)?.algorithm))?;
    let found = source::find(
        store,
        &request.extensions,
        &input.copy_source,
        &ReadConditions {
            if_match: input.copy_source_if_match,
            if_none_match: input.copy_source_if_none_match,
            if_modified_since: input.copy_source_if_modified_since,
            if_unmodified_since: input.copy_source_if_unmodified_since,
        },
    )?;
    let total = found.content.length();
    let range = input.copy_source_range.as_deref().map(|range| within(range, total)).transpose()?;
    if range.is_some() && total <= store.limits.part {
        return Err(s3_error!(
            InvalidRequest,
            "The specified copy source is not supported as a byte-range copy source"
        ));
    }
    let range = range.unwrap_or(0..total);
    // As opaque as S3's, without reading the bytes: the same range of the same content gives the same value.
    let etag = hex::encode(Md5::checksum(format!("{}{}-{}", found.etag.value(), range.start, range.end).as_bytes()));
    let content = found.content.slice(range);
    source::not_too_large(store, &content)?;
    let checksum = match chosen {
        Some(_) => source::hash(&content, Hashes::new(chosen, false)).await?.kept(chosen),
        None => s3s::dto::Checksum::default(),
    };
    let modified = SystemTime::now();
    let part = Part {
        content,
        etag: etag.clone(),
        checksum: chosen.and_then(|algorithm| algorithm.of(&checksum)).cloned(),
        modified,
    };
    let replaced = store.with(&input.bucket, |bucket| {
        Ok(bucket.upload(&input.key, &input.upload_id)?.parts.insert(input.part_number, part))
    })?;
    drop(replaced); // outside the lock: it may remove a file
    let checksum = if store.limits.part_checksums { checksum } else { s3s::dto::Checksum::default() };
    let result = CopyPartResult {
        e_tag: Some(ETag::Strong(etag)),
        last_modified: Some(modified.into()),
        checksum_crc32: checksum.checksum_crc32,
        checksum_crc32c: checksum.checksum_crc32c,
        checksum_crc64nvme: checksum.checksum_crc64nvme,
        checksum_sha1: checksum.checksum_sha1,
        checksum_sha256: checksum.checksum_sha256,
    };
    Ok(S3Response::new(UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() }))
}

/// `bytes=first-last`, both given and both within the source.
fn within(range: &str, total: u64) -> S3Result<Range<u64>> {
    let malformed = || {
        s3_error!(
            InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy"
        )
    };
    let (first, last) = range.strip_prefix("bytes=").and_then(|range| range.split_once('-')).ok_or_else(malformed)?;
    let (first, last): (u64, u64) = first.parse().ok().zip(last.parse().ok()).ok_or_else(malformed)?;
    if first > last || last >= total {
        return Err(s3_error!(InvalidArgument, "Range specified is not valid for source object of size: {total}"));
    }
    Ok(first..last + 1)
}
