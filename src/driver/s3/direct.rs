//! Requests that others make ("Uploading objects with presigned URLs", Amazon S3 User Guide), and what is found where
//! they wrote.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use aws_sdk_s3::{
    presigning::{PresignedRequest, PresigningConfig},
    types::ChecksumMode,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    S3Driver,
    attempt::{Question, SHORT, within},
    bucket::Bucket,
    error::S3Error,
};
use crate::{
    context::Context,
    digest::{Algorithm, Digest},
    distribution::SignedPut,
    driver::{Copied, DirectStore, DirectWrite, DriverError, Found, Path, StoredPart, VerifiedCopy},
};

/// The metadata that holds [`Found::mark`]: `x-amz-meta-berth-uploader`.
const MARK: &str = "berth-uploader";

/// S3 takes headers that are not signed, unless they begin with `x-amz-`, and would give this one to everybody who
/// reads. Signed, it can be no other; "identity" is none (RFC 9110, section 8.4).
const NO_ENCODING: &str = "identity";

impl Bucket {
    async fn sign(
        &self,
        ctx: &Context,
        path: &Path,
        write: DirectWrite<'_>,
        life: Duration,
    ) -> Result<SignedPut, DriverError> {
        let key = self.key(path);
        let begins = SystemTime::now();
        let sign = async {
            let terms = PresigningConfig::builder().start_time(begins).expires_in(life).build();
            let terms = terms.map_err(|error| S3Error::senseless(error.to_string()))?;
            let length = |size| i64::try_from(size).map_err(|_| S3Error::senseless("no object has that size"));
            let signed = match write {
                DirectWrite::File { checksum, size, mark } => {
                    let put = self.put_object(&key, true, Some(checksum)).content_length(length(size)?);
                    let put = put.content_encoding(NO_ENCODING).metadata(MARK, mark);
                    put.presigned(terms).await.map_err(S3Error::from)?
                }
                DirectWrite::Part { upload, number, size } => {
                    let number = i32::try_from(number).map_err(|_| S3Error::senseless("no part has that number"))?;
                    let part = self.client.upload_part().bucket(&self.name).key(&key).upload_id(upload);
                    let part = part.part_number(number).content_length(length(size)?);
                    part.presigned(terms).await.map_err(S3Error::from)?
                }
            };
            Ok::<_, S3Error>(signed)
        };
        let signed = within(ctx, SHORT, sign).await.map_err(|error| error.during("presign").on(path, self))?;
        Ok(SignedPut { url: signed.uri().to_owned(), headers: headers(&signed), expires: begins + life })
    }

    async fn look(&self, ctx: &Context, path: &Path) -> Result<Found, DriverError> {
        let key = self.key(path);
        let question = Question { operation: "HeadObject", key: &key, patience: SHORT };
        let answer = self.ask(ctx, question, || {
            self.client.head_object().bucket(&self.name).key(&key).checksum_mode(ChecksumMode::Enabled).send()
        });
        let answer = answer.await.map_err(|error| error.on(path, self))?;
        let size = answer.content_length().and_then(|size| u64::try_from(size).ok());
        let no_size = || S3Error::senseless("the answer has no Content-Length").during(question.operation);
        Ok(Found {
            size: size.ok_or_else(|| no_size().on(path, self))?,
            checksum: answer.checksum_sha256().and_then(of_whole),
            mark: answer.metadata().and_then(|metadata| metadata.get(MARK)).cloned(),
            modified: answer.last_modified().and_then(|time| SystemTime::try_from(*time).ok()),
            tag: answer.e_tag,
        })
    }
}

fn headers(signed: &PresignedRequest) -> Vec<(String, String)> {
    let mut headers: Vec<_> =
        signed.headers().map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect();
    headers.sort();
    headers
}

/// A checksum that is of the whole object; one of parts has their number behind it, and is no base64.
pub(super) fn of_whole(checksum: &str) -> Option<Digest> {
    Digest::from_value(Algorithm::CANONICAL, &STANDARD.decode(checksum).ok()?)
}

#[async_trait]
impl DirectStore for S3Driver {
    async fn sign(
        &self,
        ctx: &Context,
        path: &Path,
        write: DirectWrite<'_>,
        life: Duration,
    ) -> Result<SignedPut, DriverError> {
        self.0.sign(ctx, path, write, life).await
    }

    async fn look(&self, ctx: &Context, path: &Path) -> Result<Found, DriverError> {
        self.0.look(ctx, path).await
    }

    async fn begin(&self, ctx: &Context, path: &Path) -> Result<String, DriverError> {
        self.0.begin_parts(ctx, path).await
    }

    async fn parts(
        &self,
        ctx: &Context,
        path: &Path,
        upload: &str,
        after: u32,
        most: u32,
    ) -> Result<Vec<StoredPart>, DriverError> {
        self.0.list_parts(ctx, path, upload, after, most).await
    }

    async fn join(&self, ctx: &Context, path: &Path, upload: &str, parts: &[StoredPart]) -> Result<(), DriverError> {
        self.0.join_parts(ctx, path, upload, parts).await
    }

    async fn abort(&self, ctx: &Context, path: &Path, upload: &str) -> Result<(), DriverError> {
        self.0.abort_parts(ctx, path, upload).await
    }

    async fn copy(
        &self,
        ctx: &Context,
        source: (&Path, u64),
        destination: &Path,
        upload: Option<&str>,
        until: Option<std::time::Instant>,
    ) -> Result<Copied, DriverError> {
        self.0.copy_on(ctx, source, destination, upload, until).await
    }

    async fn copy_verified(
        &self,
        ctx: &Context,
        source: (&Path, Option<u64>),
        destination: &Path,
        expected: &Digest,
        until: std::time::Instant,
    ) -> Result<VerifiedCopy, DriverError> {
        self.0.copy_verified(ctx, source, destination, expected, until).await
    }

    async fn copy_at_once(
        &self,
        ctx: &Context,
        source: (&Path, u64),
        tag: Option<&str>,
        destination: &Path,
        until: std::time::Instant,
    ) -> Result<Option<Digest>, DriverError> {
        self.0.copy_at_once(&ctx.before(until), source, tag, destination).await
    }
}
