//! Which permissions an S3 request needs ("Actions, resources, and condition keys for Amazon S3", Service Authorization
//! Reference; "Required permissions for Amazon S3 API operations").

use crate::front::Arrived;
use crate::iam::Need;

/// None for an operation that has no mapping here.
pub(super) fn of(request: &Arrived) -> Option<Vec<Need>> {
    let bucket = request.bucket.as_deref().unwrap_or_default();
    let on_bucket = |action| vec![on_bucket(action, bucket)];
    let on_object = |action| vec![on_object(action, bucket, request.key.as_deref().unwrap_or_default())];
    Some(match request.operation.as_str() {
        "GetObject" | "HeadObject" => on_object("s3:GetObject"),
        "PutObject" | "CreateMultipartUpload" | "UploadPart" | "CompleteMultipartUpload" => on_object("s3:PutObject"),
        "CopyObject" | "UploadPartCopy" => {
            let source = format!("arn:aws:s3:::{}", request.source.as_deref().unwrap_or_default());
            [vec![Need::new("s3:GetObject", source)], on_object("s3:PutObject")].concat()
        }
        "AbortMultipartUpload" => on_object("s3:AbortMultipartUpload"),
        "ListParts" => on_object("s3:ListMultipartUploadParts"),
        "DeleteObject" => on_object("s3:DeleteObject"),
        // Each key is asked for by itself, when the body has been read: some may be deleted and others not.
        "DeleteObjects" => Vec::new(),
        "ListObjectsV2" | "ListObjects" => {
            let mut needs = on_bucket("s3:ListBucket");
            needs.iter_mut().for_each(|need| need.prefix.clone_from(&request.prefix));
            needs
        }
        "HeadBucket" => on_bucket("s3:ListBucket"),
        "ListMultipartUploads" => on_bucket("s3:ListBucketMultipartUploads"),
        "GetBucketLocation" => on_bucket("s3:GetBucketLocation"),
        "CreateBucket" => on_bucket("s3:CreateBucket"),
        "ListBuckets" => vec![Need::new("s3:ListAllMyBuckets", "*")],
        _ => return None,
    })
}

pub(super) fn on_bucket(action: &str, bucket: &str) -> Need {
    Need::new(action, format!("arn:aws:s3:::{bucket}"))
}

pub(super) fn on_object(action: &str, bucket: &str, key: &str) -> Need {
    Need::new(action, format!("arn:aws:s3:::{bucket}/{key}"))
}
