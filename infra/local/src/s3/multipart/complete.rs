//! CompleteMultipartUpload.

use std::sync::Arc;
use std::time::SystemTime;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use s3s::crypto::{Checksum as _, Md5};
use s3s::dto::{
    Checksum, ChecksumType, CompleteMultipartUploadInput, CompleteMultipartUploadOutput, CompletedPart, ETag,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::{Part, Upload};
use crate::s3::blob::Content;
use crate::s3::checksum::{Algorithm, Hashes, announced};
use crate::s3::condition::WriteConditions;
use crate::s3::get_object::signed;
use crate::s3::object::Object;
use crate::s3::source;
use crate::s3::store::Store;

/// Makes an object of the parts that the request lists, in their order. The upload stays when it cannot.
pub(in crate::s3) async fn complete_multipart_upload(
    store: &Store,
    request: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let S3Request { input, headers, .. } = request;
    let conditions = WriteConditions { if_match: input.if_match, if_none_match: input.if_none_match };
    store.check_conditional_copy(&conditions)?;
    let listed = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
    let (parts, algorithm, of_whole, described) = store.with(&input.bucket, |bucket| {
        let upload = bucket.upload(&input.key, &input.upload_id)?;
        let parts = chosen(upload, &listed, store.limits.part)?;
        Ok((parts, upload.algorithm, upload.of_whole, upload.described.clone()))
    })?;
    let content = Content::joined(parts.iter().map(|part| &part.content));
    if input.mpu_object_size.is_some_and(|size| size != signed(content.length())) {
        return Err(s3_error!(
            InvalidRequest,
            "The provided 'x-amz-mp-object-size' header does not match what was computed."
        ));
    }
    let checksum = checksum(&parts, &content, algorithm, of_whole).await?;
    agrees(&headers, &checksum)?;
    let count = i32::try_from(parts.len()).unwrap_or(i32::MAX);
    let sums: Vec<u8> = parts.iter().flat_map(|part| hex::decode(&part.etag).unwrap_or_default()).collect();
    let etag = ETag::Strong(format!("{}-{count}", hex::encode(Md5::checksum(&sums))));
    let object = Object {
        content,
        etag: etag.clone(),
        modified: SystemTime::now(),
        described,
        checksum: checksum.clone(),
        parts: Some(count),
    };
    let (replaced, ended) = store.with(&input.bucket, |bucket| {
        bucket.upload(&input.key, &input.upload_id)?; // aborted meanwhile?
        conditions.check(bucket.objects.get(&input.key).map(AsRef::as_ref))?;
        let replaced = bucket.objects.insert(input.key.clone(), Arc::new(object));
        Ok((replaced, bucket.uploads.remove(&(input.key.clone(), input.upload_id.clone()))))
    })?;
    drop((replaced, ended)); // outside the lock: they may remove files
    Ok(S3Response::new(CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(etag),
        checksum_crc32: checksum.checksum_crc32,
        checksum_crc32c: checksum.checksum_crc32c,
        checksum_crc64nvme: checksum.checksum_crc64nvme,
        checksum_sha1: checksum.checksum_sha1,
        checksum_sha256: checksum.checksum_sha256,
        checksum_type: checksum.checksum_type,
        ..CompleteMultipartUploadOutput::default()
    }))
}

/// The parts as listed.
///
/// # Errors
/// `MalformedXML` for an empty list; `InvalidPartOrder`; `InvalidPart` when one was not uploaded so; `InvalidRequest` when
/// the list lacks checksums; `EntityTooSmall`.
fn chosen(upload: &Upload, listed: &[CompletedPart], smallest: u64) -> S3Result<Vec<Part>> {
    if listed.is_empty() {
        return Err(s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema"
        ));
    }
    let ascending = listed.windows(2).all(|pair| matches!(pair, [one, next] if one.part_number < next.part_number));
    if !ascending {
        return Err(s3_error!(
            InvalidPartOrder,
            "The list of parts was not in ascending order. Parts must be ordered by part number."
        ));
    }
    let mut parts = Vec::with_capacity(listed.len());
    for wanted in listed {
        let number = wanted.part_number.unwrap_or_default();
        let etag = wanted.e_tag.as_ref().map(ETag::value);
        let checksum = upload.algorithm.and_then(|algorithm| brought(algorithm, wanted));
        let part = upload.parts.get(&number).filter(|part| etag == Some(part.etag.as_str()));
        let part = part.filter(|part| checksum.is_none() || checksum == part.checksum.as_ref());
        let Some(part) = part else {
            return Err(s3_error!(
                InvalidPart,
                "One or more of the specified parts could not be found. The part may not have been uploaded, or the \
                 specified entity tag may not match the part's entity tag."
            ));
        };
        if let (Some(algorithm), None, false) = (upload.algorithm, checksum, upload.of_whole) {
            let name = algorithm.name().to_lowercase();
            return Err(s3_error!(
                InvalidRequest,
                "The upload was created using a {name} checksum. The complete request must include the checksum for each \
                 part. It was missing for part {number} in the request."
            ));
        }
        parts.push(part.clone());
    }
    let all_but_last = parts.split_last().map_or(&[][..], |(_, rest)| rest);
    if all_but_last.iter().any(|part| part.content.length() < smallest) {
        return Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"));
    }
    Ok(parts)
}

fn brought(algorithm: Algorithm, part: &CompletedPart) -> Option<&String> {
    match algorithm {
        Algorithm::Crc32 => part.checksum_crc32.as_ref(),
        Algorithm::Crc32c => part.checksum_crc32c.as_ref(),
        Algorithm::Crc64Nvme => part.checksum_crc64nvme.as_ref(),
        Algorithm::Sha1 => part.checksum_sha1.as_ref(),
        Algorithm::Sha256 => part.checksum_sha256.as_ref(),
    }
}

/// Composite: the checksum of the parts' checksums, and their number. Of the whole: read once more. None chosen: none, so
/// that completing a large upload costs nothing (S3 would keep a CRC64NVME).
async fn checksum(
    parts: &[Part],
    content: &Content,
    algorithm: Option<Algorithm>,
    of_whole: bool,
) -> S3Result<Checksum> {
    let Some(algorithm) = algorithm else { return Ok(Checksum::default()) };
    if of_whole {
        return Ok(source::hash(content, Hashes::new(Some(algorithm), false)).await?.kept(Some(algorithm)));
    }
    let sums =
        parts.iter().filter_map(|part| STANDARD.decode(part.checksum.as_ref()?).ok()).flatten().collect::<Vec<u8>>();
    let mut checksum = algorithm.field(format!("{}-{}", algorithm.digest(&sums), parts.len()));
    checksum.checksum_type = Some(ChecksumType::from_static(ChecksumType::COMPOSITE));
    Ok(checksum)
}

/// # Errors
/// `BadDigest` when the request brings a checksum of the object and it differs.
fn agrees(headers: &HeaderMap, checksum: &Checksum) -> S3Result {
    let Some((algorithm, Some(value))) = announced(headers)? else { return Ok(()) };
    let found = algorithm.of(checksum);
    // A composite checksum may be given with or without the number of parts.
    let agrees = found.is_some_and(|found| *found == value || found.split('-').next() == Some(value.as_str()));
    if agrees {
        return Ok(());
    }
    Err(s3_error!(BadDigest, "The {} you specified did not match the calculated checksum.", algorithm.name()))
}
