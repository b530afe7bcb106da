//! A multipart upload, which is completed or aborted ("Uploading and copying objects using multipart upload", Amazon
//! S3 User Guide). One whose process dies is left; a lifecycle rule of the bucket takes those.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart},
};
use bytes::Bytes;
use tokio::{runtime::Handle, task::JoinHandle};
use tracing::Instrument as _;

use super::{
    attempt::{LONG, Question, SHORT},
    bucket::Bucket,
    conditional::Condition,
    error::S3Error,
    put::CONTENT_TYPE,
};
use crate::{
    context::{Caller, Context},
    driver::StoredPart,
};

/// An upload under way. It is aborted when it is dropped, unless it was completed.
pub(super) struct Upload {
    target: Target,
    open: bool,
}

/// Where parts go.
#[derive(Clone)]
pub(super) struct Target {
    bucket: Arc<Bucket>,
    key: String,
    id: String,
    span: tracing::Span,
}

/// What of an object S3 copies into a part: all of it, or from a first to a last byte.
pub(super) type CopiedRange = Option<(u64, u64)>;

impl Upload {
    /// Begins to write `key`.
    pub(super) async fn begin(bucket: &Arc<Bucket>, ctx: &Context, key: String) -> Result<Self, S3Error> {
        Ok(Self { target: Target::begin(bucket, ctx, key).await?, open: true })
    }

    /// As [`Self::begin`], but S3 hashes each part by SHA-256, and says what it found.
    pub(super) async fn begin_hashed(bucket: &Arc<Bucket>, ctx: &Context, key: String) -> Result<Self, S3Error> {
        let target = Target::begin_with(bucket, ctx, key, Some(ChecksumAlgorithm::Sha256)).await?;
        Ok(Self { target, open: true })
    }

    pub(super) fn target(&self) -> &Target {
        &self.target
    }

    /// Makes the object, of `size` bytes, of `parts` in order.
    pub(super) async fn complete(
        mut self,
        ctx: &Context,
        parts: Vec<CompletedPart>,
        size: u64,
        condition: Condition,
    ) -> Result<(), S3Error> {
        let error = match self.target.complete(ctx, parts, condition).await {
            Ok(()) => {
                self.open = false;
                return Ok(());
            }
            Err(error) => error,
        };
        let Target { bucket, key, .. } = &self.target;
        if error.is_conflict() && condition != Condition::None && bucket.exists(ctx, key).await.unwrap_or(false) {
            let there = S3Error::exists().during(error.operation);
            self.abandon(ctx).await;
            return Err(there);
        }
        // An attempt that seemed to fail may have completed it; then there is nothing to abort.
        if error.follows_doubt() && (error.is_precondition() || error.has_code("NoSuchUpload")) {
            let gone = self.target.abort(ctx).await.is_err_and(|error| error.has_code("NoSuchUpload"));
            self.open = false;
            let ours = gone && self.target.bucket.head(ctx, &self.target.key).await.is_ok_and(|found| found == size);
            return if ours { Ok(()) } else { Err(error) };
        }
        self.abandon(ctx).await;
        Err(error)
    }

    /// Makes the object of one part, whose content belongs at the key: what is there has the same bytes.
    ///
    /// # Errors
    /// A failed precondition when something is there, perhaps by an attempt of this very call.
    pub(super) async fn complete_equal(mut self, ctx: &Context, part: CompletedPart) -> Result<(), S3Error> {
        let Err(error) = self.target.complete(ctx, vec![part], Condition::AbsentOrEqual).await else {
            self.open = false;
            return Ok(());
        };
        let Target { bucket, key, .. } = &self.target;
        // Another write of the key was under way, or an attempt that seemed to fail has completed it.
        let perhaps = error.is_conflict() || (error.follows_doubt() && error.has_code("NoSuchUpload"));
        let there = perhaps && bucket.exists(ctx, key).await.unwrap_or(false);
        self.abandon(ctx).await;
        Err(if there { S3Error::exists().during(error.operation) } else { error })
    }

    /// Aborts it, and waits until that is done, if there is time to wait.
    pub(super) async fn abandon(mut self, ctx: &Context) {
        if let Some(aborting) = self.abort_aside() {
            match ctx.remaining() {
                Ok(None) => drop(aborting.await),
                Ok(Some(left)) => drop(tokio::time::timeout(left, aborting).await),
                Err(_) => {}
            }
        }
    }

    fn abort_aside(&mut self) -> Option<JoinHandle<()>> {
        if !std::mem::take(&mut self.open) {
            return None;
        }
        let target = self.target.clone();
        let span = target.span.clone();
        let abort = async move {
            // What is dropped has often run out of time; the abort has a little of its own.
            let deadline = Instant::now() + Duration::from_secs(30);
            let ctx = Context::new("multipart abort".to_owned(), Caller::Registry, Some(deadline), target.span.clone());
            if let Err(error) = target.abort(&ctx).await {
                tracing::warn!(key = target.key, upload = target.id, %error, "a multipart upload is left; a lifecycle rule should take it");
            }
        };
        // Without a runtime the process is ending.
        Some(Handle::try_current().ok()?.spawn(abort.instrument(span)))
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        self.abort_aside();
    }
}

impl Target {
    /// A new upload, whose end is the caller's business.
    pub(super) async fn begin(bucket: &Arc<Bucket>, ctx: &Context, key: String) -> Result<Self, S3Error> {
        Self::begin_with(bucket, ctx, key, None).await
    }

    /// The same, whose parts S3 hashes by `checksum`, if one is given.
    pub(super) async fn begin_with(
        bucket: &Arc<Bucket>,
        ctx: &Context,
        key: String,
        checksum: Option<ChecksumAlgorithm>,
    ) -> Result<Self, S3Error> {
        let question = Question { operation: "CreateMultipartUpload", key: &key, patience: SHORT };
        let begun = bucket.ask(ctx, question, || {
            let create = bucket.client.create_multipart_upload().bucket(&bucket.name).key(&key);
            create.content_type(CONTENT_TYPE).set_checksum_algorithm(checksum.clone()).send()
        });
        let id = begun.await?.upload_id;
        let id = id.ok_or_else(|| S3Error::senseless("the answer has no UploadId").during(question.operation))?;
        Ok(Self::of(bucket, ctx, key, id))
    }

    /// The upload of `key` that has `id`.
    pub(super) fn of(bucket: &Arc<Bucket>, ctx: &Context, key: String, id: String) -> Self {
        Self { bucket: bucket.clone(), key, id, span: ctx.span().clone() }
    }

    /// What S3 calls it.
    pub(super) fn id(&self) -> &str {
        &self.id
    }

    /// Its parts by number, after `after`: at most `most`, of which S3 gives at most 1,000.
    pub(super) async fn list(&self, ctx: &Context, after: u32, most: u32) -> Result<Vec<StoredPart>, S3Error> {
        let Self { bucket, key, id, .. } = self;
        let most = i32::try_from(most).unwrap_or(i32::MAX);
        let question = Question { operation: "ListParts", key, patience: SHORT };
        let listed = bucket.ask(ctx, question, || {
            let list = bucket.client.list_parts().bucket(&bucket.name).key(key).upload_id(id);
            list.part_number_marker(after.to_string()).max_parts(most).send()
        });
        let parts = listed.await?.parts.unwrap_or_default().into_iter().filter_map(|part| {
            let number = u32::try_from(part.part_number?).ok()?;
            Some(StoredPart { number, size: u64::try_from(part.size?).ok()?, tag: part.e_tag? })
        });
        Ok(parts.collect())
    }

    /// Part `number`, counted from 1.
    pub(super) async fn put(&self, ctx: &Context, number: i32, content: Bytes) -> Result<CompletedPart, S3Error> {
        let Self { bucket, key, id, .. } = self;
        let question = Question { operation: "UploadPart", key, patience: LONG };
        let part = bucket.ask(ctx, question, || {
            let part = bucket.client.upload_part().bucket(&bucket.name).key(key).upload_id(id).part_number(number);
            part.body(ByteStream::from(content.clone())).send()
        });
        Ok(completed(number, part.await?.e_tag))
    }

    /// Part `number`, counted from 1, from `range` of the object that `source` names.
    pub(super) async fn copy(
        &self,
        ctx: &Context,
        number: i32,
        source: &str,
        range: CopiedRange,
    ) -> Result<CompletedPart, S3Error> {
        let Self { bucket, key, id, .. } = self;
        let question = Question { operation: "UploadPartCopy", key, patience: LONG };
        let part = bucket.ask(ctx, question, || {
            let part = bucket.client.upload_part_copy().bucket(&bucket.name).key(key).upload_id(id).part_number(number);
            let range = range.map(|(first, last)| format!("bytes={first}-{last}"));
            part.copy_source(source).set_copy_source_range(range).send()
        });
        Ok(completed(number, part.await?.copy_part_result.and_then(|part| part.e_tag)))
    }

    /// All of the object that `source` names, as part 1 of an upload that is hashed; with its SHA-256, where S3 says it.
    ///
    /// It is not repeated after a failure that leaves open whether it was done: that attempt could come to be later, and put
    /// other content in the place of the part whose hash is known.
    pub(super) async fn copy_hashed(
        &self,
        ctx: &Context,
        source: &str,
    ) -> Result<(CompletedPart, Option<String>), S3Error> {
        const FIRST: i32 = 1;
        let Self { bucket, key, id, .. } = self;
        let question = Question { operation: "UploadPartCopy", key, patience: LONG };
        let copied = bucket.ask_unless_doubtful(ctx, question, || {
            let part = bucket.client.upload_part_copy().bucket(&bucket.name).key(key).upload_id(id);
            part.part_number(FIRST).copy_source(source).send()
        });
        let (e_tag, checksum) = match copied.await?.copy_part_result {
            Some(part) => (part.e_tag, part.checksum_sha256),
            None => (None, None),
        };
        let part = CompletedPart::builder().part_number(FIRST).set_e_tag(e_tag);
        Ok((part.set_checksum_sha256(checksum.clone()).build(), checksum))
    }

    /// Makes the object of `parts`, in order.
    pub(super) async fn complete(
        &self,
        ctx: &Context,
        parts: Vec<CompletedPart>,
        condition: Condition,
    ) -> Result<(), S3Error> {
        let Self { bucket, key, id, .. } = self;
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        let question = Question { operation: "CompleteMultipartUpload", key, patience: LONG };
        let completed = bucket.ask_to_create(ctx, question, condition, |if_none_match| {
            let complete = bucket.client.complete_multipart_upload().bucket(&bucket.name).key(key).upload_id(id);
            complete.multipart_upload(parts.clone()).set_if_none_match(if_none_match).send()
        });
        completed.await.map(|_| ())
    }

    pub(super) async fn abort(&self, ctx: &Context) -> Result<(), S3Error> {
        let Self { bucket, key, id, .. } = self;
        let question = Question { operation: "AbortMultipartUpload", key, patience: SHORT };
        let aborted = bucket.ask(ctx, question, || {
            bucket.client.abort_multipart_upload().bucket(&bucket.name).key(key).upload_id(id).send()
        });
        aborted.await.map(|_| ())
    }
}

/// A part as the list of a completion has it.
pub(super) fn completed(number: i32, e_tag: Option<String>) -> CompletedPart {
    CompletedPart::builder().part_number(number).set_e_tag(e_tag).build()
}
