//! DeleteObject and DeleteObjects.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETagCondition, Error,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::authorize;
use super::condition::{failed, holds};
use super::store::Store;

/// Removes an object; one that is not there is removed already, unless If-Match wants it: then `NoSuchKey` ("How to perform
/// conditional deletes").
pub(super) async fn delete_object(
    store: &Store,
    request: S3Request<DeleteObjectInput>,
) -> S3Result<S3Response<DeleteObjectOutput>> {
    let input = request.input;
    let removed = store.with(&input.bucket, |bucket| {
        if let Some(condition) = &input.if_match
            && !holds(condition, &*bucket.object(&input.key)?)
        {
            return Err(failed("If-Match"));
        }
        Ok(bucket.objects.remove(&input.key))
    })?;
    drop(removed); // outside the lock: it may remove a file
    Ok(S3Response::with_status(DeleteObjectOutput::default(), http::StatusCode::NO_CONTENT))
}

/// Removes up to 1,000 objects, each on its own: what the sender may not delete stays, and is among the errors.
pub(super) async fn delete_objects(
    store: &Store,
    request: S3Request<DeleteObjectsInput>,
) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let input = request.input;
    let quiet = input.delete.quiet.unwrap_or(false);
    if input.delete.objects.is_empty() || input.delete.objects.len() > 1000 {
        return Err(s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema"
        ));
    }
    let (mut deleted, mut errors, mut removed) = (Vec::new(), Vec::new(), Vec::new());
    store.with(&input.bucket, |bucket| {
        for wanted in input.delete.objects {
            if let Err(denial) = authorize::delete(&request.extensions, &input.bucket, &wanted.key) {
                let code = Some("AccessDenied".to_owned());
                errors.push(Error { code, key: Some(wanted.key), message: Some(denial.message), version_id: None });
                continue;
            }
            let refused = wanted.e_tag.and_then(|etag| match bucket.objects.get(&wanted.key) {
                None => Some("NoSuchKey"),
                Some(object) => (!holds(&ETagCondition::ETag(etag), object)).then_some("PreconditionFailed"),
            });
            if let Some(code) = refused {
                let code = Some(code.to_owned());
                errors.push(Error { code, key: Some(wanted.key), message: None, version_id: None });
                continue;
            }
            removed.extend(bucket.objects.remove(&wanted.key));
            if !quiet {
                deleted.push(DeletedObject { key: Some(wanted.key), ..DeletedObject::default() });
            }
        }
        Ok(())
    })?;
    drop(removed);
    let output = DeleteObjectsOutput {
        deleted: (!deleted.is_empty()).then_some(deleted),
        errors: (!errors.is_empty()).then_some(errors),
        ..DeleteObjectsOutput::default()
    };
    Ok(S3Response::new(output))
}
