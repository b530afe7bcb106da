//! What failures mean for an upload session.

use http::StatusCode;
use serde_json::Value;

use super::place::stored;
use crate::{
    client::transport::{Answer, Failure},
    digest::Digest,
    distribution::{BackendError, UploadError},
};

/// A failure, by what can be done about it.
#[derive(Debug)]
pub(super) enum Setback {
    /// The same may go well in a moment, from wherever the session stands then.
    Passing(UploadError),
    /// The registry takes less at once.
    TooLarge(UploadError),
    /// Nothing.
    Final(UploadError),
}

impl From<Setback> for UploadError {
    fn from(setback: Setback) -> Self {
        match setback {
            Setback::Passing(error) | Setback::TooLarge(error) | Setback::Final(error) => error,
        }
    }
}

/// Maps failures of the session of that id.
#[derive(Clone, Copy)]
pub(super) struct Fault<'a>(&'a str);

impl<'a> Fault<'a> {
    pub(super) fn new(id: &'a str) -> Self {
        Self(id)
    }

    /// What `failure` is of opening a session. What is not there then is no session.
    pub(super) fn opening(failure: Failure) -> UploadError {
        match failure.answer() {
            Some((StatusCode::BAD_REQUEST, said)) if said.has("SIZE_INVALID") => {
                UploadError::SizeInvalid(said.reason())
            }
            _ => BackendError::from(failure).into(),
        }
    }

    /// What `failure` is.
    pub(super) fn of(self, failure: Failure) -> Setback {
        let is_passing = failure.is_passing();
        if let Failure::Source(reason) = failure {
            return Setback::Final(UploadError::Interrupted(reason));
        }
        let Some((status, said)) = failure.answer() else {
            let error = BackendError::from(failure).into();
            return if is_passing { Setback::Passing(error) } else { Setback::Final(error) };
        };
        match status.as_u16() {
            413 => Setback::TooLarge(BackendError::from(failure).into()),
            404 if said.has("BLOB_UPLOAD_INVALID") => Setback::Final(UploadError::StateInvalid),
            404 | 410 => Setback::Final(UploadError::Unknown(self.0.to_owned())),
            400 if said.has("SIZE_INVALID") => Setback::Final(UploadError::SizeInvalid(said.reason())),
            _ if is_passing => Setback::Passing(BackendError::from(failure).into()),
            _ => Setback::Final(BackendError::from(failure).into()),
        }
    }

    /// What `answer` is to a request that began at byte `at` of the session.
    pub(super) async fn answered(self, answer: Answer, at: u64, what: &str) -> Setback {
        if answer.status != StatusCode::RANGE_NOT_SATISFIABLE {
            return self.of(answer.into_failure(what).await);
        }
        let range = answer.range().and_then(stored);
        let failure = answer.into_failure(what).await;
        let said = failure.answer().map(|(_, said)| said.entries()).unwrap_or_default();
        let detailed = said.iter().find_map(|entry| entry.detail.get("stored").and_then(Value::as_u64));
        // Of a range that says one byte or none, it is the other than what was tried.
        let ranged = range.map(|stored| if stored == 1 && at == 1 { 0 } else { stored });
        Setback::Final(match detailed.or(ranged) {
            Some(stored) => UploadError::RangeInvalid { stored },
            None => BackendError::from(failure).into(),
        })
    }

    /// What `answer` is to the close of a session by `digest`, whose last content began at byte `at`.
    pub(super) async fn closing(self, answer: Answer, at: u64, digest: &Digest) -> Setback {
        if answer.status != StatusCode::BAD_REQUEST {
            return self.answered(answer, at, "the close of an upload").await;
        }
        self.closed(answer.into_failure("the close of an upload").await, digest)
    }

    /// What `failure` is of the close of a session by `digest`.
    pub(super) fn closed(self, failure: Failure, digest: &Digest) -> Setback {
        let Some((_, said)) = failure.answer().filter(|(_, said)| said.has("DIGEST_INVALID")) else {
            return self.of(failure);
        };
        let actual = said.entries().iter().find_map(|entry| entry.detail.get("actual")?.as_str()?.parse().ok());
        Setback::Final(UploadError::DigestMismatch { expected: *digest, actual })
    }
}
