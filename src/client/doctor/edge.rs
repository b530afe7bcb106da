//! A push of more than Lambda accepts: one PUT through CloudFront, which sends it to the bucket (`docs/edge.md`).

use std::time::Instant;

use http::StatusCode;

use super::{connect::rounded, content, record::Finding, repository::TestRepository};
use crate::{
    client::{
        transport::Failure,
        upload::{Opened, Session},
    },
    context::Context,
    distribution::{NewUpload, UploadError},
};

/// Bytes of the blob: CloudFront sends to the bucket what has more than 4 MiB.
const SIZE: usize = 5 << 20;

pub(super) async fn check(place: &TestRepository, ctx: &Context) -> Finding {
    let began = Instant::now();
    let session = match Session::open(&place.remote.remote, ctx, &NewUpload::default()).await {
        Ok(Opened::Session(session)) => session,
        Ok(Opened::Mounted(_)) => return Finding::Skipped("the registry opened no upload session".to_owned()),
        Err(UploadError::Backend(error)) => return Finding::failed(&error, place.fix(Some(&error), "push")),
        Err(error) => return Finding::failed(&error, place.fix(None, "push")),
    };
    if !session.has_ticket() {
        // Otherwise the session expires.
        let _ = session.cancel(ctx).await;
        return Finding::Skipped("the registry offers no uploads through CloudFront".to_owned());
    }
    let (digest, source) = place.note(&content::random(SIZE));
    let failure = match session.put_once(ctx, &digest, Some(&source)).await {
        Ok(answer) if matches!(answer.status.as_u16(), 201 | 204) => {
            return Finding::Ok(format!("{} MiB by one PUT ({})", SIZE >> 20, rounded(began.elapsed())));
        }
        Ok(answer) => answer.into_failure(&format!("a PUT of {} MiB", SIZE >> 20)).await,
        Err(failure) => failure,
    };
    if failure.answer().is_some_and(|(status, _)| status.is_client_error()) {
        place.forget(&digest);
    }
    let fix = fix(place, &failure);
    let _ = session.cancel(ctx).await;
    Finding::failed(failure, fix)
}

fn fix(place: &TestRepository, failure: &Failure) -> String {
    let host = &place.host;
    let Some((status, said)) = failure.answer() else {
        return format!("CloudFront may have waited too long for S3 or the registry; see the log of {host}");
    };
    match status {
        StatusCode::FORBIDDEN if said.has("AccessDenied") => "S3 refuses CloudFront. Add the statement in the stack's \
             output EdgeBucketStatement to the bucket's policy; set the bucket's object ownership to BucketOwnerEnforced; \
             with SSE-KMS, the key's policy must allow cloudfront.amazonaws.com kms:GenerateDataKey and kms:Decrypt"
            .to_owned(),
        StatusCode::FORBIDDEN => "a web ACL of the distribution refuses the upload, or CloudFront may not write to the \
             bucket: see the stack's output EdgeBucketStatement"
            .to_owned(),
        StatusCode::OK => "CloudFront's viewer-response function did not run: deploy the stack again with \
             Front=cloudfront, and without changes made by hand"
            .to_owned(),
        StatusCode::PAYLOAD_TOO_LARGE => format!(
            "the PUT went to the function, not to the bucket: {host} must be the distribution's name, and its \
             viewer-request function must be that of the stack"
        ),
        status if status.is_server_error() => {
            format!("see the log of {host}; S3 or the registry may have taken longer than CloudFront waits")
        }
        _ => format!("see the log of {host}; deploy the stack again if the distribution was changed by hand"),
    }
}
