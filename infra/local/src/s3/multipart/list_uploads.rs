//! ListMultipartUploads.

use s3s::dto::{
    ChecksumAlgorithm, CommonPrefix, ListMultipartUploadsInput, ListMultipartUploadsOutput, MultipartUpload,
};
use s3s::{S3Request, S3Response, S3Result};

use crate::s3::store::Store;

/// Lists up to 1,000 unfinished uploads by key, then by initiation.
pub(in crate::s3) async fn list_multipart_uploads(
    store: &Store,
    request: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let input = request.input;
    let most = input.max_uploads.unwrap_or(1000).clamp(0, 1000);
    let prefix = input.prefix.as_deref().unwrap_or_default();
    let delimiter = input.delimiter.as_deref().filter(|delimiter| !delimiter.is_empty());
    let marker = input.key_marker.as_deref().unwrap_or_default();
    // Without a key marker the id marker means nothing.
    let id_marker = input.upload_id_marker.as_deref().filter(|_| !marker.is_empty());
    let mut uploads = Vec::new();
    let mut prefixes: Vec<String> = Vec::new();
    let mut next: Option<(String, String)> = None;
    let mut truncated = false;
    store.with(&input.bucket, |bucket| {
        for ((key, id), upload) in &bucket.uploads {
            let behind =
                key.as_str() > marker || (key == marker && id_marker.is_some_and(|marker| id.as_str() > marker));
            let Some(tail) = key.strip_prefix(prefix).filter(|_| behind) else { continue };
            let common = delimiter.and_then(|delimiter| Some(tail.find(delimiter)? + delimiter.len()));
            let common = common.and_then(|end| key.get(..prefix.len() + end));
            if common.is_some_and(|common| prefixes.last().is_some_and(|last| last == common) || common == marker) {
                continue;
            }
            if uploads.len() + prefixes.len() >= usize::try_from(most).unwrap_or_default() {
                truncated = most > 0;
                break;
            }
            if let Some(common) = common {
                prefixes.push(common.to_owned());
                next = Some((common.to_owned(), String::new()));
            } else {
                next = Some((key.clone(), id.clone()));
                uploads.push(MultipartUpload {
                    key: Some(key.clone()),
                    upload_id: Some(id.clone()),
                    initiated: Some(upload.initiated.into()),
                    checksum_algorithm: upload
                        .algorithm
                        .map(|algorithm| ChecksumAlgorithm::from_static(algorithm.name())),
                    ..MultipartUpload::default()
                });
            }
        }
        Ok(())
    })?;
    let (next_key, next_id) = next.filter(|_| truncated).unzip();
    let prefixes: Vec<CommonPrefix> =
        prefixes.into_iter().map(|prefix| CommonPrefix { prefix: Some(prefix) }).collect();
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: input.prefix,
        delimiter: input.delimiter,
        key_marker: input.key_marker.or_else(|| Some(String::new())),
        upload_id_marker: input.upload_id_marker.or_else(|| Some(String::new())),
        max_uploads: Some(most),
        is_truncated: Some(truncated),
        next_key_marker: next_key,
        next_upload_id_marker: next_id.filter(|id| !id.is_empty()),
        uploads: (!uploads.is_empty()).then_some(uploads),
        common_prefixes: (!prefixes.is_empty()).then_some(prefixes),
        ..ListMultipartUploadsOutput::default()
    }))
}
