//! Where S3 asks whether the sender may do what they ask for.

use http::Extensions;
use s3s::{S3Error, S3ErrorCode, S3Result};

use super::needs;
use crate::front::Caller;
use crate::iam::Denial;

/// Asks for what the request as a whole needs; nothing where no policy decides, so that no [`Caller`] came with it.
///
/// # Errors
/// `AccessDenied`.
pub(super) fn request(extensions: &Extensions) -> S3Result {
    let Some(caller) = extensions.get::<Caller>() else { return Ok(()) };
    caller.demand(needs::of(caller.request()).as_deref()).map_err(|denial| refused(&denial))
}

/// Asks whether one key of a DeleteObjects may be deleted.
///
/// # Errors
/// [`Denial`].
pub(super) fn delete(extensions: &Extensions, bucket: &str, key: &str) -> Result<(), Denial> {
    let Some(caller) = extensions.get::<Caller>() else { return Ok(()) };
    caller.demand(Some(&[needs::on_object("s3:DeleteObject", bucket, key)]))
}

/// That an object is missing is told only to who may list the bucket; to others it is AccessDenied ("GetObject" and
/// "HeadObject", Permissions).
pub(super) fn missing(extensions: &Extensions, bucket: &str, key: &str, error: S3Error) -> S3Error {
    match extensions.get::<Caller>() {
        Some(caller) if *error.code() == S3ErrorCode::NoSuchKey => {
            let mut list = needs::on_bucket("s3:ListBucket", bucket);
            list.prefix = caller.prefix_of_missing(key);
            let listed = caller.demand(Some(&[list]));
            listed.map_or_else(|denial| refused(&denial), |()| error)
        }
        _ => error,
    }
}

fn refused(denial: &Denial) -> S3Error {
    S3Error::with_message(S3ErrorCode::AccessDenied, denial.message.clone())
}
