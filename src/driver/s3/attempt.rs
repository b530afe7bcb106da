//! One question to S3: time limits, retries, the log.

use std::{
    hash::{BuildHasher as _, Hasher as _, RandomState},
    time::{Duration, Instant},
};

use super::{bucket::Bucket, error::S3Error};
use crate::{context::Context, driver::DriverErrorKind};

/// How long an answer may take that moves no content.
pub(super) const SHORT: Duration = Duration::from_secs(30);

/// How long an answer may take that content moves with, or that S3 copies for.
pub(super) const LONG: Duration = Duration::from_secs(300);

/// How often a request is made, at most.
const ATTEMPTS: u32 = 8;

/// The longest pause before another attempt.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// What is asked.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    /// The API's name of it.
    pub(super) operation: &'static str,
    /// Of which key or prefix.
    pub(super) key: &'a str,
    /// How long one answer may take.
    pub(super) patience: Duration,
}

impl Bucket {
    /// The answer to what `send` asks, which it may be called to ask again: when S3 throttles or fails, or the
    /// connection does, for as long as `ctx` has time.
    pub(super) async fn ask<T, E, F>(
        &self,
        ctx: &Context,
        question: Question<'_>,
        send: impl FnMut() -> F,
    ) -> Result<T, S3Error>
    where
        F: Future<Output = Result<T, E>>,
        S3Error: From<E>,
    {
        self.ask_while(ctx, question, send, |_| true).await
    }

    /// As [`Self::ask`], but not again after a failure that leaves open whether S3 did what was asked, or will do it yet.
    pub(super) async fn ask_unless_doubtful<T, E, F>(
        &self,
        ctx: &Context,
        question: Question<'_>,
        send: impl FnMut() -> F,
    ) -> Result<T, S3Error>
    where
        F: Future<Output = Result<T, E>>,
        S3Error: From<E>,
    {
        self.ask_while(ctx, question, send, |error| !error.is_doubtful()).await
    }

    async fn ask_while<T, E, F>(
        &self,
        ctx: &Context,
        question: Question<'_>,
        mut send: impl FnMut() -> F,
        may_repeat: impl Fn(&S3Error) -> bool,
    ) -> Result<T, S3Error>
    where
        F: Future<Output = Result<T, E>>,
        S3Error: From<E>,
    {
        let mut pauses = Pauses::default();
        let mut last: Option<S3Error> = None;
        loop {
            let started = Instant::now();
            let answer = within(ctx, question.patience, send()).await;
            let answer = answer.map_err(|error| error.during(question.operation));
            note(ctx, question, started, answer.as_ref().err());
            let error = match (answer, &last) {
                (Ok(answer), _) => return Ok(answer),
                // That S3 throttled says more than that time ran out in the end.
                (Err(late), Some(before))
                    if ctx.remaining().is_err() && before.kind() == DriverErrorKind::Throttled =>
                {
                    before.clone().after(late.is_doubtful() || before.follows_doubt())
                }
                (Err(error), before) => {
                    let doubt = before.as_ref().is_some_and(|before| before.is_doubtful() || before.follows_doubt());
                    error.after(doubt)
                }
            };
            match pauses.before_another(ctx, &error).filter(|_| may_repeat(&error)) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
            last = Some(error);
        }
    }
}

/// What `future` gives, within `patience` and the time that `ctx` has.
pub(super) async fn within<T, E>(
    ctx: &Context,
    patience: Duration,
    future: impl Future<Output = Result<T, E>>,
) -> Result<T, S3Error>
where
    S3Error: From<E>,
{
    let left = ctx.remaining().map_err(|_| S3Error::late())?;
    match tokio::time::timeout(left.map_or(patience, |left| left.min(patience)), future).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(S3Error::late()),
    }
}

/// Logs a request.
pub(super) fn note(ctx: &Context, question: Question<'_>, started: Instant, error: Option<&S3Error>) {
    let Question { operation, key, .. } = question;
    let ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    match error {
        None => tracing::debug!(parent: ctx.span(), operation, key, ms, "s3"),
        Some(error) => tracing::debug!(parent: ctx.span(), operation, key, ms, %error, "s3"),
    }
}

/// What an attempt takes itself, at the least: with less time left there is none.
const LEAST_ATTEMPT: Duration = Duration::from_millis(100);

/// The pauses between attempts: doubling, and never quite equal, so that those who were throttled together do not
/// come back together ("Retry behavior", AWS SDKs and Tools Reference Guide).
#[derive(Default)]
pub(super) struct Pauses {
    made: u32,
}

impl Pauses {
    /// How long to wait before another attempt after `error`; `None` when there is to be none.
    pub(super) fn before_another(&mut self, ctx: &Context, error: &S3Error) -> Option<Duration> {
        self.made += 1;
        if self.made >= ATTEMPTS || !error.is_transient() {
            return None;
        }
        let first = Duration::from_millis(if error.kind() == DriverErrorKind::Throttled { 200 } else { 50 });
        let pause = (first * (1 << (self.made - 1))).min(LONGEST_PAUSE).mul_f64(0.5 + chance() / 2.0);
        match ctx.remaining() {
            Ok(Some(left)) if left <= pause + LEAST_ATTEMPT => None,
            Ok(_) => Some(pause),
            Err(_) => None,
        }
    }
}

/// A number from 0 to 1. It needs no secrecy, so the seed that the standard library gives its hash tables will do.
fn chance() -> f64 {
    f64::from(RandomState::new().build_hasher().finish() as u32) / f64::from(u32::MAX)
}
