//! An upload session over HTTP (OCI distribution specification, "Pushing blobs").

mod fault;
mod place;
mod push;
mod writer;

use std::sync::{Arc, atomic::Ordering};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderValue, Method, StatusCode, header};
use reqwest::Url;

pub use self::push::Pushed;
use self::{
    fault::{Fault, Setback},
    place::Place,
};
use super::{
    Source,
    door::Scopes,
    repository::Remote,
    transport::{Failure, Request, allowed},
};
use crate::{
    api::{Query, Route},
    context::Context,
    digest::{Algorithm, Digest},
    distribution::{BlobError, NewUpload, Upload, UploadError},
};

/// The smallest piece that is tried when a registry takes none larger, in bytes.
const SMALLEST: u64 = 64 << 10;

/// A session, as far as it is known here.
pub(super) struct Session {
    remote: Remote,
    id: String,
    url: Url,
    size: u64,
    /// Whether an answer said so, rather than an earlier state.
    is_fresh: bool,
    /// The least that the registry takes before the last piece (`OCI-Chunk-Min-Length`).
    least: u64,
}

/// What came of opening one.
///
/// Another way to hand over the bytes, to a place that the registry names, would be one more of these.
pub(super) enum Opened {
    Mounted(Digest),
    Session(Session),
}

impl Session {
    /// Opens a session, or mounts the blob of `new`.
    pub(super) async fn open(remote: &Remote, ctx: &Context, new: &NewUpload) -> Result<Opened, UploadError> {
        let outcome = Self::ask(remote, ctx, new).await;
        let refused = |failure: &Failure| {
            let status = failure.answer().map(|(status, _)| status.as_u16());
            matches!(failure, Failure::Refused { .. }) || matches!(status, Some(400 | 401 | 403 | 404 | 405))
        };
        match outcome {
            // Who may not read there may well write here.
            Err(failure) if new.mount.is_some() && refused(&failure) => {
                let new = NewUpload { mount: None, algorithm: new.algorithm };
                Ok(Self::ask(remote, ctx, &new).await.map_err(|failure| Fault::new("").of(failure))?)
            }
            outcome => Ok(outcome.map_err(|failure| Fault::new("").of(failure))?),
        }
    }

    async fn ask(remote: &Remote, ctx: &Context, new: &NewUpload) -> Result<Opened, Failure> {
        let mut scopes = Scopes::push(&remote.name);
        let mut query = Query::default();
        if let Some((digest, from)) = &new.mount {
            query = query.with("mount", digest.to_string());
            if let Some(from) = from {
                query = query.with("from", from.as_str());
                scopes = scopes.and(Scopes::pull(from));
            }
        }
        if let Some(algorithm) = new.algorithm.filter(|algorithm| *algorithm != Algorithm::CANONICAL) {
            query = query.with("digest-algorithm", algorithm.as_str());
        }
        let url = remote.shared.transport.url(&Route::Uploads(remote.name.clone()), &query);
        let what = format!("the beginning of an upload to {}", remote.name);
        let request = Request::new(Method::POST, url, scopes);
        let answer = remote.expect(ctx, &request, &[201, 202], &what).await?;
        match &new.mount {
            Some((digest, _)) if answer.status == StatusCode::CREATED => Ok(Opened::Mounted(*digest)),
            _ if answer.status == StatusCode::CREATED => {
                Err(Failure::wrong(&answer.host(), "says that it has a blob which it was not asked for"))
            }
            _ => {
                let Place { url, id, least, .. } = Place::of(&answer, None)?;
                Ok(Opened::Session(Self { remote: remote.clone(), id, url, size: 0, is_fresh: true, least }))
            }
        }
    }

    /// The session `id` of an earlier `state`, as it was then.
    pub(super) fn resume(remote: &Remote, id: &str, state: &str) -> Result<Self, UploadError> {
        let state = URL_SAFE_NO_PAD.decode(state).ok().and_then(|state| String::from_utf8(state).ok());
        let state = state.ok_or(UploadError::StateInvalid)?;
        let [name, of, size, least, url] = state.split('\n').collect::<Vec<_>>()[..] else {
            return Err(UploadError::StateInvalid);
        };
        if name != remote.name.as_str() || of != id {
            return Err(UploadError::StateInvalid);
        }
        let number = |text: &str| text.parse().map_err(|_| UploadError::StateInvalid);
        let base = remote.shared.transport.url(&Route::Base, &Query::default());
        let url = allowed(&base, url).map_err(|_| UploadError::StateInvalid)?;
        let (size, least) = (number(size)?, number(least)?);
        Ok(Self { remote: remote.clone(), id: id.to_owned(), url, size, is_fresh: false, least })
    }

    pub(super) fn upload(&self) -> Upload {
        let Self { remote, id, url, size, least, .. } = self;
        let state = URL_SAFE_NO_PAD.encode(format!("{}\n{id}\n{size}\n{least}\n{url}", remote.name));
        Upload { id: id.clone(), state, size: *size }
    }

    fn request(&self, method: Method) -> Request {
        Request::new(method, self.url.clone(), Scopes::push(&self.remote.name))
    }

    fn fault(&self) -> Fault<'_> {
        Fault::new(&self.id)
    }

    /// Asks where the session stands, and goes there.
    pub(super) async fn refresh(&mut self, ctx: &Context) -> Result<(), UploadError> {
        let answer = self.remote.expect(ctx, &self.request(Method::GET), &[200, 202, 204], "GET of an upload").await;
        let answer = answer.map_err(|failure| self.fault().of(failure))?;
        let place = Place::of(&answer, Some(&self.url)).map_err(|failure| self.fault().of(failure))?;
        // `0-0` is said of nothing, and of one byte.
        let stored = place.stored.unwrap_or(0);
        self.size = if stored == 1 && self.size != 1 { 0 } else { stored };
        (self.url, self.is_fresh) = (place.url, true);
        Ok(())
    }

    /// Appends `length` bytes of `source` from `offset` by one request.
    async fn patch(
        &mut self,
        ctx: &Context,
        source: &Arc<dyn Source>,
        offset: u64,
        length: u64,
    ) -> Result<(), Setback> {
        let (first, last) = (self.size, self.size + length - 1);
        // Digits always stand in a header.
        let range = HeaderValue::from_str(&format!("{first}-{last}")).unwrap_or(HeaderValue::from_static("0-0"));
        let octets = HeaderValue::from_static("application/octet-stream");
        let request = self.request(Method::PATCH).with(header::CONTENT_RANGE, range);
        let request = request.with(header::CONTENT_TYPE, octets).source(source, offset, length);
        let answer = self.remote.send(ctx, &request).await.map_err(|failure| self.fault().of(failure))?;
        if !matches!(answer.status.as_u16(), 200..=204) {
            return Err(self.fault().answered(answer, first, "a piece of an upload").await);
        }
        let place = Place::of(&answer, Some(&self.url)).map_err(|failure| self.fault().of(failure))?;
        let stored = match place.stored {
            Some(stored) if stored <= first || stored > last + 1 => {
                let what = format!("says that an upload stands at {stored} bytes, after those from {first} to {last}");
                return Err(self.fault().of(Failure::wrong(&answer.host(), what)));
            }
            Some(stored) => stored,
            None => last + 1,
        };
        (self.url, self.size) = (place.url, stored);
        Ok(())
    }

    /// Appends all of `source` from its byte `from`, in pieces that the registry takes. What it stored of a piece whose
    /// answer was lost is asked for, and not sent again.
    pub(super) async fn append_all(
        &mut self,
        ctx: &Context,
        source: &Arc<dyn Source>,
        from: u64,
    ) -> Result<(), UploadError> {
        let begin = self.size.checked_sub(from).ok_or(UploadError::RangeInvalid { stored: self.size })?;
        let end = begin + source.size();
        let (shared, mut retry) = (self.remote.shared.clone(), 0);
        while self.size < end {
            let piece = shared.largest_body.load(Ordering::Relaxed).min(shared.piece as u64).max(self.least).max(1);
            let (stood, length) = (self.size, piece.min(end - self.size));
            match self.patch(ctx, source, stood - begin, length).await {
                Ok(()) => retry = 0,
                Err(Setback::TooLarge(_)) if length > SMALLEST.max(self.least) => self.learn(length),
                Err(Setback::Passing(_)) if retry < shared.transport.retry().retries => {
                    retry += 1;
                    shared.transport.retry().pause(ctx, retry, None).await;
                    self.refresh(ctx).await?;
                    if self.size < stood || self.size > stood + length {
                        return Err(UploadError::RangeInvalid { stored: self.size });
                    }
                    if self.size > stood {
                        retry = 0;
                    }
                }
                // The range of a session said none where it was one.
                Err(Setback::Final(UploadError::RangeInvalid { stored: 1 })) if retry > 0 && stood == 0 => {
                    self.size = 1
                }
                Err(setback) => return Err(setback.into()),
            }
        }
        Ok(())
    }

    /// Remembers that the registry does not take `length` bytes at once.
    fn learn(&self, length: u64) {
        let shared = &self.remote.shared;
        let piece = shared.piece as u64;
        let largest = if length > piece { piece } else { (length / 2).max(SMALLEST) };
        shared.largest_body.fetch_min(largest, Ordering::Relaxed);
    }

    /// Closes the session with `last`, all of a source, or nothing more: what it holds has then `digest`. The source goes
    /// with the close where the registry takes so much at once, else before it in pieces. A close whose answer was lost
    /// is not done twice without looking.
    pub(super) async fn close(
        &mut self,
        ctx: &Context,
        digest: &Digest,
        mut last: Option<&Arc<dyn Source>>,
    ) -> Result<(), UploadError> {
        let shared = self.remote.shared.clone();
        let (begin, mut retry) = (self.size, 0);
        let largest = shared.largest_body.load(Ordering::Relaxed);
        if let Some(source) = last.take_if(|source| source.size() > largest) {
            self.append_all(ctx, source, 0).await?;
        }
        loop {
            match self.put(ctx, digest, last).await {
                Ok(()) => return Ok(()),
                Err(Setback::TooLarge(error)) => match last {
                    Some(source) => self.learn(source.size()),
                    None => return Err(error),
                },
                Err(Setback::Passing(_)) if retry < shared.transport.retry().retries => {
                    retry += 1;
                    shared.transport.retry().pause(ctx, retry, None).await;
                    match self.remote.stat(ctx, digest).await {
                        Ok(_) => return Ok(()),
                        Err(BlobError::Backend(error)) => return Err(error.into()),
                        Err(_) => self.refresh(ctx).await?,
                    }
                }
                Err(setback) => return Err(setback.into()),
            }
            // Not all at once a second time: it may have been too much for something on the way that did not say so.
            if let Some(source) = last.take() {
                let stored = self.size.checked_sub(begin).ok_or(UploadError::RangeInvalid { stored: self.size })?;
                self.append_all(ctx, source, stored).await?;
            }
        }
    }

    async fn put(&mut self, ctx: &Context, digest: &Digest, last: Option<&Arc<dyn Source>>) -> Result<(), Setback> {
        let mut url = self.url.clone();
        // What is there already may be signed as it is.
        let added = Query::default().with("digest", digest.to_string());
        let query = self.url.query().filter(|query| !query.is_empty()).map(|query| format!("{query}&{added}"));
        url.set_query(Some(&query.unwrap_or_else(|| added.to_string())));
        let octets = HeaderValue::from_static("application/octet-stream");
        let request = Request::new(Method::PUT, url, Scopes::push(&self.remote.name)).once();
        let request = request.with(header::CONTENT_TYPE, octets);
        let request = match last {
            Some(source) => request.source(source, 0, source.size()),
            None => request,
        };
        let answer = self.remote.send(ctx, &request).await.map_err(|failure| self.fault().of(failure))?;
        // 204 as well, which some registries of old answer.
        if !matches!(answer.status.as_u16(), 201 | 204) {
            return Err(self.fault().closing(answer, self.size, digest).await);
        }
        match answer.digest() {
            Some(said) if said.algorithm() == digest.algorithm() && said != *digest => {
                let what = format!("says that it stored {said} where {digest} was sent");
                Err(self.fault().of(Failure::wrong(&answer.host(), what)))
            }
            _ => Ok(()),
        }
    }

    /// Ends the session.
    pub(super) async fn cancel(self, ctx: &Context) -> Result<(), UploadError> {
        let answer = self.remote.send(ctx, &self.request(Method::DELETE)).await;
        let answer = answer.map_err(|failure| UploadError::from(self.fault().of(failure)))?;
        match answer.status.as_u16() {
            200 | 202 | 204 => Ok(()),
            404 if answer.is_repeated => Ok(()),
            _ => Err(self.fault().answered(answer, self.size, "the end of an upload").await.into()),
        }
    }
}
