//! `If-None-Match: *`, and stores that do not implement it ("Conditional requests", Amazon S3 User Guide; the guide of the
//! regions in China lists 501 `NotImplemented` for `CopyObject`).

use std::sync::atomic::{AtomicBool, Ordering};

use super::{attempt::Question, bucket::Bucket, error::S3Error};
use crate::context::Context;

/// What a write requires of its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing: an object that is there is replaced.
    None,
    /// No object is there. Only the store can decide that between two writers, so a store without `If-None-Match` is an
    /// error.
    Absent,
    /// No object is there, or one of the same bytes: the key is named by the digest of content that was verified, or no other
    /// write of this key can have other bytes.
    ///
    /// A store without `If-None-Match` is asked by HEAD, and then written to without a condition. That keeps the promises of
    /// `docs/architecture.md`:
    ///
    /// - A blob under a digest has that content: both of two writers that race have verified their bytes against the digest
    ///   before, so whichever write comes last stores the same bytes.
    /// - No dangling references: S3 replaces an object atomically, so that the key is never without an object between the two,
    ///   and a link that was made after the first write names the same bytes after the second.
    ///
    /// What is lost is the certainty which of two writers was first. Nothing depends on that for equal bytes.
    AbsentOrEqual,
}

/// The operations that answered 501 to a condition, remembered for the life of the process: the next call spares the refused
/// request.
#[derive(Debug, Default)]
pub(super) struct Unimplemented {
    put: AtomicBool,
    copy: AtomicBool,
    complete: AtomicBool,
}

impl Unimplemented {
    fn of(&self, operation: &str) -> &AtomicBool {
        match operation {
            "CopyObject" => &self.copy,
            "CompleteMultipartUpload" => &self.complete,
            _ => &self.put,
        }
    }
}

impl Condition {
    /// For a write of content that has a checksum to check it by, or has none.
    pub(super) fn of_put(create_only: bool, has_checksum: bool) -> Self {
        match (create_only, has_checksum) {
            (false, _) => Self::None,
            (true, false) => Self::Absent,
            (true, true) => Self::AbsentOrEqual,
        }
    }
}

impl Bucket {
    /// Whether a write by `operation` under `condition` is to carry `If-None-Match: *`.
    pub(super) fn sends_condition(&self, operation: &str, condition: Condition) -> bool {
        match condition {
            Condition::None => false,
            Condition::Absent => true,
            Condition::AbsentOrEqual => !self.unimplemented.of(operation).load(Ordering::Relaxed),
        }
    }

    /// Whether `error` says that the store does not implement the condition that `operation` carried, and the write can do
    /// without. That is remembered.
    pub(super) fn does_without(&self, operation: &str, condition: Condition, error: &S3Error) -> bool {
        let without = condition == Condition::AbsentOrEqual && error.is_not_implemented();
        if without && !self.unimplemented.of(operation).swap(true, Ordering::Relaxed) {
            tracing::warn!(
                operation,
                "the store does not implement If-None-Match here; HEAD is asked before each write"
            );
        }
        without
    }

    /// The answer to a write of the question's key. `send` is given the value of `If-None-Match`, if there is to be one.
    ///
    /// A write without its condition is not repeated after a failure that leaves open whether it was done: it could come to
    /// be after all, late, and replace what was stored and verified since.
    pub(super) async fn ask_to_create<T, E, F>(
        &self,
        ctx: &Context,
        question: Question<'_>,
        condition: Condition,
        mut send: impl FnMut(Option<String>) -> F,
    ) -> Result<T, S3Error>
    where
        F: Future<Output = Result<T, E>>,
        S3Error: From<E>,
    {
        if condition == Condition::None {
            return self.ask(ctx, question, || send(None)).await;
        }
        if self.sends_condition(question.operation, condition) {
            match self.ask(ctx, question, || send(Some("*".to_owned()))).await {
                Err(error) if self.does_without(question.operation, condition, &error) => {}
                answer => return answer,
            }
        }
        if self.exists(ctx, question.key).await? {
            return Err(S3Error::exists().during(question.operation));
        }
        self.ask_unless_doubtful(ctx, question, || send(None)).await
    }
}
