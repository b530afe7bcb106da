//! CreateMultipartUpload.

use std::collections::BTreeMap;
use std::time::SystemTime;

use s3s::dto::{ChecksumType, CreateMultipartUploadInput, CreateMultipartUploadOutput};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::Upload;
use crate::s3::checksum::Algorithm;
use crate::s3::object::Described;
use crate::s3::store::Store;

/// Begins an upload; it stays until it is completed or aborted.
pub(in crate::s3) async fn create_multipart_upload(
    store: &Store,
    request: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let input = request.input;
    let algorithm =
        input.checksum_algorithm.as_ref().map(|algorithm| Algorithm::parse(algorithm.as_str())).transpose()?;
    let of_whole = match (algorithm, input.checksum_type.as_ref().map(ChecksumType::as_str)) {
        (None, Some(_)) => {
            return Err(s3_error!(
                InvalidRequest,
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."
            ));
        }
        (Some(algorithm), Some(ChecksumType::FULL_OBJECT)) if !algorithm.joins() => {
            let name = algorithm.name().to_lowercase();
            return Err(s3_error!(
                InvalidRequest,
                "The FULL_OBJECT checksum type cannot be used with the {name} checksum algorithm."
            ));
        }
        (Some(Algorithm::Crc64Nvme), Some(ChecksumType::COMPOSITE)) => {
            return Err(s3_error!(
                InvalidRequest,
                "The COMPOSITE checksum type cannot be used with the crc64nvme checksum algorithm."
            ));
        }
        (Some(_), Some(of)) => of == ChecksumType::FULL_OBJECT,
        (None | Some(Algorithm::Crc64Nvme), None) => true,
        (Some(_), None) => false,
    };
    let upload = Upload {
        initiated: SystemTime::now(),
        described: Described {
            content_type: input.content_type,
            content_encoding: input.content_encoding,
            content_language: input.content_language,
            content_disposition: input.content_disposition,
            cache_control: input.cache_control,
            expires: input.expires,
            storage_class: input.storage_class.map(|class| class.as_str().to_owned()),
            metadata: input.metadata,
        },
        algorithm,
        of_whole,
        parts: BTreeMap::new(),
    };
    // Ascending, so that uploads of one key are listed in the order of their initiation.
    let id = format!("{:016x}{:016x}", store.unique(), std::process::id());
    store.with(&input.bucket, |bucket| {
        bucket.uploads.insert((input.key.clone(), id.clone()), upload);
        Ok(())
    })?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: algorithm.map(|_| {
            ChecksumType::from_static(if of_whole { ChecksumType::FULL_OBJECT } else { ChecksumType::COMPOSITE })
        }),
        ..CreateMultipartUploadOutput::default()
    }))
}
