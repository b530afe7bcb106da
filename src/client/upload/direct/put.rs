//! Sending content to storage by a signed request.

use std::sync::Arc;

use http::StatusCode;
use reqwest::Url;

use super::{
    super::{Session, fault::Fault, push::Parcel},
    signed,
};
use crate::{
    client::{
        Source,
        transport::{Failure, location},
    },
    context::Context,
    digest::Digest,
    distribution::{SignedPut, UploadError},
};

/// Times that storage may send a request on. It does so for buckets that are new ("Request redirection and the REST
/// API", Amazon S3 User Guide).
const REDIRECTIONS: usize = 3;

/// What became of content.
pub(super) enum Sent {
    /// It is there, or other content is: the close tells.
    Stored,
    /// The request is of no use any more, for that reason; another may be.
    Anew(UploadError),
}

/// What to do about a failure of storage.
enum Remedy {
    Again,
    Anew,
    GiveUp,
}

/// Some of the content of a blob.
pub(super) struct Piece<'a> {
    pub(super) source: &'a Arc<dyn Source>,
    pub(super) digest: &'a Digest,
    pub(super) offset: u64,
    /// In bytes.
    pub(super) length: u64,
}

impl Session {
    /// Sends all of the content by `put`.
    pub(super) async fn send_whole(
        &self,
        ctx: &Context,
        parcel: Parcel<'_>,
        put: &SignedPut,
    ) -> Result<Sent, UploadError> {
        let Parcel { digest, source, .. } = parcel;
        self.send_piece(ctx, put, Piece { source, digest, offset: 0, length: source.size() }).await
    }

    /// Sends `piece` by `put`, as often as it takes.
    pub(super) async fn send_piece(
        &self,
        ctx: &Context,
        put: &SignedPut,
        piece: Piece<'_>,
    ) -> Result<Sent, UploadError> {
        let Piece { source, digest, offset, length } = piece;
        let retries = self.remote.shared.transport.retry();
        let (mut retry, mut redirections, mut elsewhere) = (0, 0, None::<Url>);
        let fault = |failure| UploadError::from(Fault::new("").of(failure));
        loop {
            let request = signed::request(self.remote.host(), put, elsewhere.as_ref()).map_err(fault)?;
            let failure = match self.remote.send(ctx, &request.source(source, offset, length)).await {
                Ok(answer) => match answer.status.as_u16() {
                    200 | 201 | 204 => return Ok(Sent::Stored),
                    // The place is taken: by this client, whose answer was lost, or by another with the same content.
                    412 => return Ok(Sent::Stored),
                    307 if redirections < REDIRECTIONS => {
                        redirections += 1;
                        elsewhere = Some(location(&answer.url, &answer.headers).map_err(fault)?);
                        continue;
                    }
                    _ => answer.into_failure(&format!("a PUT of content of {digest}")).await,
                },
                Err(failure) => failure,
            };
            if is_bad_digest(&failure) {
                return Err(UploadError::DigestMismatch { expected: *digest, actual: None });
            }
            match remedy(&failure) {
                Remedy::Anew => return Ok(Sent::Anew(fault(failure))),
                Remedy::Again if retry < retries.retries => {
                    retry += 1;
                    retries.pause(ctx, retry, None).await;
                }
                Remedy::Again | Remedy::GiveUp => return Err(fault(failure)),
            }
        }
    }
}

/// Whether storage says that the content is not what was announced.
fn is_bad_digest(failure: &Failure) -> bool {
    let answer = failure.answer().filter(|(status, _)| *status == StatusCode::BAD_REQUEST);
    answer.is_some_and(|(_, said)| said.has("BadDigest") || said.has("XAmzContentSHA256Mismatch"))
}

fn remedy(failure: &Failure) -> Remedy {
    let Some((status, said)) = failure.answer() else {
        return if failure.is_passing() { Remedy::Again } else { Remedy::GiveUp };
    };
    match status.as_u16() {
        // The signature is too old, or what signed it is; or the parts were put together, or dropped.
        403 | 404 => Remedy::Anew,
        400 if said.has("ExpiredToken") || said.has("InvalidToken") => Remedy::Anew,
        400 if said.has("RequestTimeout") => Remedy::Again,
        // Another write of the same place is under way.
        409 => Remedy::Again,
        500 => Remedy::Again,
        _ if failure.is_passing() => Remedy::Again,
        _ => Remedy::GiveUp,
    }
}
