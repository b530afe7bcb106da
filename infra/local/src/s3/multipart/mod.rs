//! Multipart uploads, one file per operation ("Uploading and copying objects using multipart upload").

mod abort;
mod complete;
mod create;
mod list_parts;
mod list_uploads;
mod upload_part;
mod upload_part_copy;

pub(super) use abort::abort_multipart_upload;
pub(super) use complete::complete_multipart_upload;
pub(super) use create::create_multipart_upload;
pub(super) use list_parts::list_parts;
pub(super) use list_uploads::list_multipart_uploads;
pub(super) use upload_part::upload_part;
pub(super) use upload_part_copy::upload_part_copy;

use std::collections::BTreeMap;
use std::time::SystemTime;

use s3s::{S3Result, s3_error};

use super::blob::Content;
use super::checksum::Algorithm;
use super::object::Described;
use super::store::{Bucket, Store};

/// An upload that is neither completed nor aborted.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) initiated: SystemTime,
    described: Described,
    /// Chosen when it was created; parts must then bring it.
    algorithm: Option<Algorithm>,
    /// Whether the object's checksum will be of the whole, and not of the parts' checksums.
    of_whole: bool,
    parts: BTreeMap<i32, Part>,
}

/// One part, as it was last uploaded.
#[derive(Clone, Debug)]
struct Part {
    content: Content,
    etag: String,
    /// Base64, of the upload's algorithm.
    checksum: Option<String>,
    modified: SystemTime,
}

impl Bucket {
    /// # Errors
    /// `NoSuchUpload`: never begun, or completed or aborted since.
    fn upload(&mut self, key: &str, id: &str) -> S3Result<&mut Upload> {
        let upload = self.uploads.get_mut(&(key.to_owned(), id.to_owned()));
        upload.ok_or_else(|| {
            s3_error!(
                NoSuchUpload,
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or \
                 completed."
            )
        })
    }
}

/// # Errors
/// `InvalidArgument` for a number that no part can have.
fn check_part_number(store: &Store, number: i32) -> S3Result {
    let most = store.limits.parts;
    if (1..=most).contains(&number) {
        return Ok(());
    }
    Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and {most}, inclusive"))
}
