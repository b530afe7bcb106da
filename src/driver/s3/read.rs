//! Reading content.

use std::{io, sync::Arc};

use aws_sdk_s3::primitives::ByteStream as Body;
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, stream};

use super::{
    attempt::{LONG, Pauses, Question, SHORT},
    bucket::Bucket,
    error::S3Error,
};
use crate::{
    context::Context,
    distribution::Reading,
    driver::{DriverError, DriverErrorKind, Path},
};

/// An offset beyond all objects ("Amazon S3 multipart upload limits").
const MOST: u64 = 1 << 50;

/// What S3 answered to a request for bytes.
struct Opened {
    body: Body,
    e_tag: Option<String>,
    /// Of the whole object.
    size: u64,
    /// Of the bytes to come.
    length: u64,
}

impl Bucket {
    pub(super) async fn get(&self, ctx: &Context, path: &Path, limit: u64) -> Result<Bytes, DriverError> {
        let key = self.key(path);
        let question = Question { operation: "GetObject", key: &key, patience: LONG };
        let got = self.ask(ctx, question, async || {
            let answer = self.client.get_object().bucket(&self.name).key(&key).send().await?;
            let length = length(answer.content_length)?;
            Ok::<_, S3Error>(if length > limit { Err(length) } else { Ok(collect(answer.body, length).await?) })
        });
        let too_large = |length| {
            let message = format!("{length} bytes, where at most {limit} are taken");
            DriverError::new(DriverErrorKind::TooLarge, path, message)
        };
        got.await.map_err(|error| error.on(path, self))?.map_err(too_large)
    }

    /// `length` bytes of the file at `path` from `offset`, all at once.
    pub(super) async fn get_range(
        &self,
        ctx: &Context,
        path: &Path,
        offset: u64,
        length: u64,
    ) -> Result<Bytes, DriverError> {
        let key = self.key(path);
        let question = Question { operation: "GetObject", key: &key, patience: LONG };
        let got = self.ask(ctx, question, async || {
            let opened = self.get_object(&key, offset, Some(length), None).await?;
            if opened.length != length {
                return Err(S3Error::senseless(format!("{} bytes, not {length}, from {offset}", opened.length)));
            }
            collect(opened.body, length).await
        });
        got.await.map_err(|error| error.on(path, self))
    }

    pub(super) async fn read(
        self: &Arc<Self>,
        ctx: &Context,
        path: &Path,
        offset: u64,
        length: Option<u64>,
    ) -> Result<Reading, DriverError> {
        // There is no range of no bytes to ask for, and no object so large that its offsets needed all 64 bits.
        let beyond = length == Some(0) || offset > MOST;
        let opened = if beyond { None } else { self.get_from(ctx, path, offset, length).await? };
        let Some(opened) = opened else { return Ok(nothing(self.stat(ctx, path).await?)) };
        let size = opened.size;
        let left = opened.length;
        let rest =
            Rest { bucket: self.clone(), ctx: ctx.clone(), key: self.key(path), e_tag: opened.e_tag, at: offset, left };
        Ok(Reading { size, stream: rest.stream(opened.body) })
    }

    /// `None` when nothing is at `offset` or beyond.
    async fn get_from(
        &self,
        ctx: &Context,
        path: &Path,
        offset: u64,
        length: Option<u64>,
    ) -> Result<Option<Opened>, DriverError> {
        let key = self.key(path);
        let question = Question { operation: "GetObject", key: &key, patience: SHORT };
        match self.ask(ctx, question, || self.get_object(&key, offset, length, None)).await {
            Ok(opened) => Ok(Some(opened)),
            Err(error) if error.is_beyond_end() => Ok(None),
            Err(error) => Err(error.on(path, self)),
        }
    }

    /// `length` is not 0.
    async fn get_object(
        &self,
        key: &str,
        offset: u64,
        length: Option<u64>,
        e_tag: Option<&str>,
    ) -> Result<Opened, S3Error> {
        let range = match length.map(|length| offset.saturating_add(length - 1).min(MOST)) {
            Some(last) => Some(format!("bytes={offset}-{last}")),
            None if offset > 0 => Some(format!("bytes={offset}-")),
            None => None,
        };
        let get = self.client.get_object().bucket(&self.name).key(key).set_range(range.clone());
        let answer = get.set_if_match(e_tag.map(str::to_owned)).send().await?;
        let length = self::length(answer.content_length)?;
        let size = match (&range, &answer.content_range) {
            (None, _) => Some(length),
            (Some(_), Some(given)) => whole_size(given, offset),
            (Some(_), None) => None,
        };
        let size = size.ok_or_else(|| S3Error::senseless("the answer is not of the range asked for"))?;
        Ok(Opened { body: answer.body, e_tag: answer.e_tag, size, length })
    }
}

/// Where a stream stands that can be opened again.
struct Rest {
    bucket: Arc<Bucket>,
    ctx: Context,
    key: String,
    e_tag: Option<String>,
    at: u64,
    left: u64,
}

impl Rest {
    /// The bytes of `body`, and when that breaks off, of others in its place.
    fn stream(self, body: Body) -> crate::distribution::ByteStream {
        let start = Some((self, body, Pauses::default()));
        let bytes = stream::unfold(start, |state| async {
            let (mut rest, mut body, mut pauses) = state?;
            loop {
                if rest.left == 0 {
                    return None;
                }
                let error = match body.next().await {
                    Some(Ok(bytes)) => {
                        rest.at += bytes.len() as u64;
                        rest.left = rest.left.saturating_sub(bytes.len() as u64);
                        return Some((Ok(bytes), Some((rest, body, Pauses::default()))));
                    }
                    Some(Err(error)) => S3Error::lost(error),
                    None => S3Error::lost("the content broke off"),
                };
                match rest.open_again(&mut pauses, error).await {
                    Ok(opened) => body = opened,
                    Err(error) => return Some((Err(error), None)),
                }
            }
        });
        bytes.boxed()
    }

    /// The body of what is left, of the same object: one that has been replaced meanwhile would make a mixture.
    async fn open_again(&mut self, pauses: &mut Pauses, broken: S3Error) -> io::Result<Body> {
        tracing::debug!(parent: self.ctx.span(), key = self.key, at = self.at, %broken, "s3 read breaks off");
        let failed = |error: S3Error| io::Error::other(format!("S3 GetObject {}: {error}", self.key));
        let Some(e_tag) = &self.e_tag else { return Err(failed(broken)) };
        match pauses.before_another(&self.ctx, &broken) {
            Some(pause) => tokio::time::sleep(pause).await,
            None => return Err(failed(broken)),
        }
        let question = Question { operation: "GetObject", key: &self.key, patience: SHORT };
        let again = || self.bucket.get_object(&self.key, self.at, Some(self.left), Some(e_tag));
        Ok(self.bucket.ask(&self.ctx, question, again).await.map_err(failed)?.body)
    }
}

/// All of `body`, which is to be of `length` bytes.
async fn collect(mut body: Body, length: u64) -> Result<Bytes, S3Error> {
    let mut whole = BytesMut::with_capacity(usize::try_from(length).unwrap_or(0));
    while let Some(bytes) = body.next().await {
        whole.extend_from_slice(&bytes.map_err(S3Error::lost)?);
    }
    if whole.len() as u64 == length { Ok(whole.freeze()) } else { Err(S3Error::lost("the content broke off")) }
}

fn nothing(size: u64) -> Reading {
    Reading { size, stream: stream::empty().boxed() }
}

fn length(announced: Option<i64>) -> Result<u64, S3Error> {
    let length = announced.and_then(|length| u64::try_from(length).ok());
    length.ok_or_else(|| S3Error::senseless("the answer has no Content-Length"))
}

/// The whole size in `Content-Range: bytes FIRST-LAST/SIZE`, where it begins at `offset`.
fn whole_size(range: &str, offset: u64) -> Option<u64> {
    let (range, size) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = range.split_once('-')?;
    if first.parse() == Ok(offset) { size.parse().ok() } else { None }
}
