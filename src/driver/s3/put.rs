//! Writing content.

use std::sync::Arc;

use aws_sdk_s3::{operation::put_object::builders::PutObjectFluentBuilder, primitives::ByteStream};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;

use super::{
    attempt::{LONG, Question},
    bucket::Bucket,
    conditional::Condition,
};
use crate::{
    context::Context,
    digest::Digest,
    distribution::Content,
    driver::{DriverError, DriverErrorKind, Path, PutOptions, source::Source},
};

/// The media type of everything stored: what it means is said by manifests, never by S3.
pub(super) const CONTENT_TYPE: &str = "application/octet-stream";

impl Bucket {
    pub(super) async fn put(
        self: &Arc<Self>,
        ctx: &Context,
        path: &Path,
        content: Content,
        options: PutOptions,
    ) -> Result<u64, DriverError> {
        // S3 takes SHA-256; content with another checksum is checked here alone.
        let digest = options.checksum.filter(Digest::is_canonical);
        let condition = Condition::of_put(options.create_only, options.checksum.is_some());
        let length = content.length;
        let source = Source::new(path, content, options.checksum);
        let write = async {
            match (length, digest) {
                (Some(length), Some(digest)) if length > self.sizes.part && length <= self.sizes.single => {
                    self.put_stream(ctx, path, source, length, &digest, condition).await
                }
                _ => self.put_gathered(ctx, path, source, condition, digest).await,
            }
        };
        // The sender of the content keeps the deadline no less than S3 does.
        match ctx.deadline() {
            None => write.await,
            Some(deadline) => match tokio::time::timeout_at(deadline.into(), write).await {
                Ok(written) => written,
                Err(_) => Err(DriverError::new(DriverErrorKind::Timeout, path, "the content was not stored in time")),
            },
        }
    }

    /// As one object when it fits into a part, else in parts.
    async fn put_gathered(
        self: &Arc<Self>,
        ctx: &Context,
        path: &Path,
        mut source: Source,
        condition: Condition,
        digest: Option<Digest>,
    ) -> Result<u64, DriverError> {
        let first = source.gather(self.sizes.part_at(1)).await?;
        if !source.is_finished() {
            return self.put_parts(ctx, path, first, source, condition).await;
        }
        self.put_whole(ctx, path, first, condition, digest).await?;
        Ok(source.seen())
    }

    /// `content`, which has `digest` if one is given, by one request that can be repeated.
    pub(super) async fn put_whole(
        &self,
        ctx: &Context,
        path: &Path,
        content: Bytes,
        condition: Condition,
        digest: Option<Digest>,
    ) -> Result<(), DriverError> {
        let key = self.key(path);
        let question = Question { operation: "PutObject", key: &key, patience: LONG };
        let written = self.ask_to_create(ctx, question, condition, |if_none_match| {
            let put = self.put_object(&key, if_none_match.is_some(), digest.as_ref());
            let put = put.body(ByteStream::from(content.clone())).customize();
            // S3 compares the content with its checksum, which is signed: a second hash would prove no more.
            let put = if digest.is_some() { put.disable_payload_signing() } else { put };
            put.send()
        });
        match written.await {
            Ok(_) => Ok(()),
            // An attempt that seemed to fail may have written it.
            Err(error) if error.is_precondition() && error.follows_doubt() => {
                let found = self.get(ctx, path, content.len() as u64).await;
                if found.is_ok_and(|found| found == content) { Ok(()) } else { Err(error.on(path, self)) }
            }
            Err(error) => Err(error.on(path, self)),
        }
    }

    /// The request to write `key`, without its content.
    pub(super) fn put_object(&self, key: &str, create_only: bool, digest: Option<&Digest>) -> PutObjectFluentBuilder {
        self.client
            .put_object()
            .bucket(&self.name)
            .key(key)
            .content_type(CONTENT_TYPE)
            .set_if_none_match(create_only.then(|| "*".to_owned()))
            .set_checksum_sha256(digest.map(|digest| STANDARD.encode(digest.value())))
    }
}
