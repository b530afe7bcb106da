//! Operations on buckets.

use s3s::dto::{
    Bucket as Listed, BucketLocationConstraint, CreateBucketInput, CreateBucketOutput, GetBucketLocationInput,
    GetBucketLocationOutput, HeadBucketInput, HeadBucketOutput, ListBucketsInput, ListBucketsOutput,
};
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::store::Store;

/// CreateBucket.
pub(super) async fn create_bucket(
    store: &Store,
    request: S3Request<CreateBucketInput>,
) -> S3Result<S3Response<CreateBucketOutput>> {
    let bucket = request.input.bucket;
    if !store.create(&bucket, &store.region) {
        return Err(s3_error!(
            BucketAlreadyOwnedByYou,
            "Your previous request to create the named bucket succeeded and you already own it."
        ));
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{bucket}")) }))
}

/// HeadBucket.
pub(super) async fn head_bucket(
    store: &Store,
    request: S3Request<HeadBucketInput>,
) -> S3Result<S3Response<HeadBucketOutput>> {
    store.with(&request.input.bucket, |_| Ok(()))?;
    let region = store.region.parse().ok();
    Ok(S3Response::new(HeadBucketOutput { bucket_region: region, ..HeadBucketOutput::default() }))
}

/// GetBucketLocation; us-east-1 is spelled as nothing.
pub(super) async fn get_bucket_location(
    store: &Store,
    request: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    store.with(&request.input.bucket, |_| Ok(()))?;
    let region = if store.region == "us-east-1" { String::new() } else { store.region.clone() };
    let location_constraint = Some(BucketLocationConstraint::from(region));
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
}

/// ListBuckets.
pub(super) async fn list_buckets(
    store: &Store,
    _request: S3Request<ListBucketsInput>,
) -> S3Result<S3Response<ListBucketsOutput>> {
    let buckets = store.buckets();
    let mut listed: Vec<Listed> = buckets
        .iter()
        .map(|(name, bucket)| Listed {
            name: Some(name.clone()),
            creation_date: Some(bucket.created.into()),
            ..Listed::default()
        })
        .collect();
    listed.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(S3Response::new(ListBucketsOutput { buckets: Some(listed), ..ListBucketsOutput::default() }))
}
