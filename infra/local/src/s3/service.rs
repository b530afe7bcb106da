//! s3s's trait: one line per operation, each of which has a file of its own.

use std::sync::Arc;

#[allow(clippy::wildcard_imports)] // the trait's signatures name two types per operation
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::store::Store;
use super::{bucket, copy_object, delete, get_object, head_object, list_objects, multipart, put_object};

/// The operations over one store.
#[derive(Debug)]
pub(super) struct Operations(pub(super) Arc<Store>);

macro_rules! operations {
    ($($module:ident $operation:ident $input:ident $output:ident)*) => {
        #[async_trait::async_trait]
        impl S3 for Operations {
            $(async fn $operation(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                $module::$operation(&self.0, request).await
            })*
        }
    };
}

operations! {
    bucket create_bucket CreateBucketInput CreateBucketOutput
    bucket get_bucket_location GetBucketLocationInput GetBucketLocationOutput
    bucket head_bucket HeadBucketInput HeadBucketOutput
    bucket list_buckets ListBucketsInput ListBucketsOutput
    copy_object copy_object CopyObjectInput CopyObjectOutput
    delete delete_object DeleteObjectInput DeleteObjectOutput
    delete delete_objects DeleteObjectsInput DeleteObjectsOutput
    get_object get_object GetObjectInput GetObjectOutput
    head_object head_object HeadObjectInput HeadObjectOutput
    list_objects list_objects ListObjectsInput ListObjectsOutput
    list_objects list_objects_v2 ListObjectsV2Input ListObjectsV2Output
    multipart abort_multipart_upload AbortMultipartUploadInput AbortMultipartUploadOutput
    multipart complete_multipart_upload CompleteMultipartUploadInput CompleteMultipartUploadOutput
    multipart create_multipart_upload CreateMultipartUploadInput CreateMultipartUploadOutput
    multipart list_multipart_uploads ListMultipartUploadsInput ListMultipartUploadsOutput
    multipart list_parts ListPartsInput ListPartsOutput
    multipart upload_part UploadPartInput UploadPartOutput
    multipart upload_part_copy UploadPartCopyInput UploadPartCopyOutput
    put_object put_object PutObjectInput PutObjectOutput
}
