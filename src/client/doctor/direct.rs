//! A push by a presigned request straight to the registry's storage (`docs/direct-upload.md`).

use std::time::Instant;

use super::{connect::rounded, content, record::Finding, repository::TestRepository};
use crate::{
    client::upload::{Direct, Parcel},
    context::Context,
    distribution::Repository as _,
};

/// Bytes of the blob: more than the client sends through the registry where there is another way.
const SIZE: usize = 128 << 10;

pub(super) async fn check(place: &TestRepository, ctx: &Context) -> Finding {
    let began = Instant::now();
    let (digest, source) = place.note(&content::random(SIZE));
    let parcel = Parcel { digest: &digest, source: &source, from: None, watch: &() };
    let failed = |error: &dyn ToString| {
        Finding::failed(
            error.to_string(),
            "the host of S3 must be reachable from here, and the registry's role must be allowed s3:PutObject (and \
             kms:GenerateDataKey with SSE-KMS); a bucket policy may deny it",
        )
    };
    match place.remote.remote.push_direct(ctx, parcel).await {
        Ok(Direct::Done(_)) => {}
        Ok(Direct::Ordinary(session)) => {
            place.forget(&digest);
            // Otherwise the session expires.
            let _ = session.cancel(ctx).await;
            return Finding::Skipped("the registry offers no presigned uploads".to_owned());
        }
        Err(error) => return failed(&error),
    }
    match place.remote.blobs().stat(ctx, &digest).await {
        Ok(_) => Finding::Ok(format!("{} KiB by a presigned PUT ({})", SIZE >> 10, rounded(began.elapsed()))),
        Err(error) => failed(&error),
    }
}
