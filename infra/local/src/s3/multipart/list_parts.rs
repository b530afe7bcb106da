//! ListParts.

use std::ops::Bound;

use s3s::dto::{ChecksumAlgorithm, ChecksumType, ETag, ListPartsInput, ListPartsOutput, Part as Listed};
use s3s::{S3Request, S3Response, S3Result};

use super::{Part, Upload};
use crate::s3::get_object::signed;
use crate::s3::store::Store;

/// Lists up to 1,000 parts by number.
pub(in crate::s3) async fn list_parts(
    store: &Store,
    request: S3Request<ListPartsInput>,
) -> S3Result<S3Response<ListPartsOutput>> {
    let input = request.input;
    let most = input.max_parts.unwrap_or(1000).clamp(0, 1000);
    let after = input.part_number_marker.unwrap_or(0);
    let mut output = store.with(&input.bucket, |bucket| {
        let upload = bucket.upload(&input.key, &input.upload_id)?;
        let mut rest = upload.parts.range((Bound::Excluded(after), Bound::Unbounded));
        let count = usize::try_from(most).unwrap_or_default();
        let parts: Vec<Listed> =
            rest.by_ref().take(count).map(|(number, part)| listed(upload, *number, part)).collect();
        Ok(ListPartsOutput {
            is_truncated: Some(rest.next().is_some()),
            next_part_number_marker: Some(parts.last().and_then(|part| part.part_number).unwrap_or(0)),
            parts: (!parts.is_empty()).then_some(parts),
            checksum_algorithm: upload.algorithm.map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
            checksum_type: upload.algorithm.map(|_| {
                ChecksumType::from_static(if upload.of_whole {
                    ChecksumType::FULL_OBJECT
                } else {
                    ChecksumType::COMPOSITE
                })
            }),
            ..ListPartsOutput::default()
        })
    })?;
    output.bucket = Some(input.bucket);
    output.key = Some(input.key);
    output.upload_id = Some(input.upload_id);
    output.max_parts = Some(most);
    output.part_number_marker = Some(after);
    Ok(S3Response::new(output))
}

fn listed(upload: &Upload, number: i32, part: &Part) -> Listed {
    let checksum = upload.algorithm.zip(part.checksum.clone()).map(|(algorithm, value)| algorithm.field(value));
    let checksum = checksum.unwrap_or_default();
    Listed {
        part_number: Some(number),
        size: Some(signed(part.content.length())),
        e_tag: Some(ETag::Strong(part.etag.clone())),
        last_modified: Some(part.modified.into()),
        checksum_crc32: checksum.checksum_crc32,
        checksum_crc32c: checksum.checksum_crc32c,
        checksum_crc64nvme: checksum.checksum_crc64nvme,
        checksum_sha1: checksum.checksum_sha1,
        checksum_sha256: checksum.checksum_sha256,
    }
}
