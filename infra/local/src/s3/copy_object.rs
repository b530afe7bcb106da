//! CopyObject.

use std::sync::Arc;
use std::time::SystemTime;

use s3s::dto::{
    ChecksumType, CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopySource, ETag, MetadataDirective,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::checksum::{Algorithm, Hashes, algorithm_of};
use super::condition::{ReadConditions, WriteConditions};
use super::object::{Described, Object};
use super::source;
use super::store::Store;

/// Makes an object of another's bytes, with a checksum of the whole.
///
/// The bytes are shared, not moved; they are read only where the copy's checksum or ETag is not known from the source.
pub(super) async fn copy_object(
    store: &Store,
    request: S3Request<CopyObjectInput>,
) -> S3Result<S3Response<CopyObjectOutput>> {
    let S3Request { input, headers, extensions, .. } = request;
    let conditions = WriteConditions::of_headers(&headers)?;
    store.check_conditional_copy(&conditions)?;
    store.with(&input.bucket, |_| Ok(()))?;
    let found = source::find(
        store,
        &extensions,
        &input.copy_source,
        &ReadConditions {
            if_match: input.copy_source_if_match.clone(),
            if_none_match: input.copy_source_if_none_match.clone(),
            if_modified_since: input.copy_source_if_modified_since.clone(),
            if_unmodified_since: input.copy_source_if_unmodified_since.clone(),
        },
    )?;
    source::not_too_large(store, &found.content)?;
    let replaces =
        input.metadata_directive.as_ref().is_some_and(|directive| directive.as_str() == MetadataDirective::REPLACE);
    if !replaces && input.storage_class.is_none() && is_itself(&input) {
        return Err(s3_error!(
            InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the object's \
             metadata, storage class, website redirect location or encryption attributes."
        ));
    }
    let asked = input.checksum_algorithm.as_ref().map(|algorithm| Algorithm::parse(algorithm.as_str())).transpose()?;
    let (etag, checksum) = identity(&found, asked).await?;
    let object = Object {
        content: found.content.clone(),
        etag: etag.clone(),
        modified: SystemTime::now(),
        described: if replaces { replaced(&input) } else { found.described.clone() },
        checksum: checksum.clone(),
        parts: None,
    };
    let modified = object.modified;
    store.with(&input.bucket, |bucket| {
        conditions.check(bucket.objects.get(&input.key).map(AsRef::as_ref))?;
        bucket.objects.insert(input.key, Arc::new(object));
        Ok(())
    })?;
    let result = CopyObjectResult {
        e_tag: Some(etag),
        last_modified: Some(modified.into()),
        checksum_crc32: checksum.checksum_crc32,
        checksum_crc32c: checksum.checksum_crc32c,
        checksum_crc64nvme: checksum.checksum_crc64nvme,
        checksum_sha1: checksum.checksum_sha1,
        checksum_sha256: checksum.checksum_sha256,
        checksum_type: checksum.checksum_type,
    };
    Ok(S3Response::new(CopyObjectOutput { copy_object_result: Some(result), ..CopyObjectOutput::default() }))
}

/// The copy's ETag and checksum. A copy is one object whatever its source was: the ETag has no part count, the checksum is
/// of the whole ("Checking object integrity": "when you copy an object").
async fn identity(found: &Object, asked: Option<Algorithm>) -> S3Result<(ETag, s3s::dto::Checksum)> {
    let kept = algorithm_of(&found.checksum);
    let whole = found.checksum.checksum_type.as_ref().is_some_and(|of| of.as_str() == ChecksumType::FULL_OBJECT);
    let known = whole && (asked.is_none() || asked == kept);
    if known && found.parts.is_none() {
        return Ok((found.etag.clone(), found.checksum.clone()));
    }
    let algorithm = asked.or(kept);
    let digests = source::hash(&found.content, Hashes::new(algorithm, false)).await?;
    let etag =
        if found.parts.is_none() { found.etag.clone() } else { ETag::Strong(digests.etag(found.content.length())) };
    Ok((etag, digests.kept(algorithm)))
}

fn is_itself(input: &CopyObjectInput) -> bool {
    matches!(&input.copy_source, CopySource::Bucket { bucket, key, .. } if **bucket == *input.bucket && **key == *input.key)
}

fn replaced(input: &CopyObjectInput) -> Described {
    Described {
        content_type: input.content_type.clone(),
        content_encoding: input.content_encoding.clone(),
        content_language: input.content_language.clone(),
        content_disposition: input.content_disposition.clone(),
        cache_control: input.cache_control.clone(),
        expires: input.expires.clone(),
        storage_class: input.storage_class.as_ref().map(|class| class.as_str().to_owned()),
        metadata: input.metadata.clone(),
    }
}
