//! An upload session over HTTP (OCI distribution specification, "Pushing blobs").

mod direct;
mod fault;
mod kept;
mod place;
mod push;
mod watch;
mod writer;

use std::sync::{Arc, atomic::Ordering};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use reqwest::Url;

use self::{
    direct::Announcement,
    fault::{Fault, Setback},
    place::Place,
};
pub(super) use self::{direct::Direct, push::Parcel};
pub use self::{kept::KeptUploads, push::Pushed, watch::Watch};
use super::{
    Source,
    door::Scopes,
    repository::Remote,
    transport::{Answer, Failure, Request, allowed},
};
use crate::{
    api::{BERTH_BLOB_DIGEST, BERTH_BLOB_SIZE, Query, Route, TICKET},
    context::Context,
    digest::{Algorithm, Digest},
    distribution::{BlobError, NewUpload, Target, Upload, UploadError},
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
    /// What was said to come.
    announced: Option<Announcement>,
    /// Where that may go past the registry.
    target: Option<Target>,
}

/// What came of opening one.
pub(super) enum Opened {
    Mounted(Digest),
    Session(Box<Session>),
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
                let new = NewUpload { mount: None, ..new.clone() };
                Self::ask(remote, ctx, &new).await.map_err(Fault::opening)
            }
            outcome => outcome.map_err(Fault::opening),
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
        let announced = new.announced.as_ref().map(|new| Announcement { digest: new.digest, size: new.size });
        let mut request = Request::new(Method::POST, url, scopes);
        if let Some(Announcement { digest, size }) = &announced {
            let text = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
            let named = request.with(HeaderName::from_static(BERTH_BLOB_DIGEST), text(&digest.to_string()));
            request = named.with(HeaderName::from_static(BERTH_BLOB_SIZE), (*size).into()).announcing();
        }
        let answer = remote.expect(ctx, &request, &[201, 202], &what).await?;
        if answer.status == StatusCode::CREATED {
            let digest = new.mount.as_ref().map(|(digest, _)| *digest).or(announced.map(|announced| announced.digest));
            let unasked = || Failure::wrong(&answer.host(), "says that it has a blob which it was not asked for");
            return digest.map(Opened::Mounted).ok_or_else(unasked);
        }
        let Place { url, id, least, .. } = Place::of(&answer, None)?;
        let (remote, size, is_fresh, target) = (remote.clone(), 0, true, None);
        let mut session = Self { remote, id, url, size, is_fresh, least, announced, target };
        session.take_offer(answer).await?;
        Ok(Opened::Session(Box::new(session)))
    }

    /// The session `id` of an earlier `state`, as it was then.
    pub(super) fn resume(remote: &Remote, id: &str, state: &str) -> Result<Self, UploadError> {
        let state = URL_SAFE_NO_PAD.decode(state).ok().and_then(|state| String::from_utf8(state).ok());
        let state = state.ok_or(UploadError::StateInvalid)?;
        let [name, of, size, least, announced, url] = state.split('\n').collect::<Vec<_>>()[..] else {
            return Err(UploadError::StateInvalid);
        };
        if name != remote.name.as_str() || of != id {
            return Err(UploadError::StateInvalid);
        }
        let number = |text: &str| text.parse().map_err(|_| UploadError::StateInvalid);
        let base = remote.shared.transport.url(&Route::Base, &Query::default());
        let url = allowed(&base, url).map_err(|_| UploadError::StateInvalid)?;
        let (size, least, announced) = (number(size)?, number(least)?, Announcement::read(announced));
        let (remote, id) = (remote.clone(), id.to_owned());
        Ok(Self { remote, id, url, size, is_fresh: false, least, announced, target: None })
    }

    pub(super) fn upload(&self) -> Upload {
        let Self { remote, id, url, size, least, announced, .. } = self;
        let announced = announced.as_ref().map(ToString::to_string).unwrap_or_default();
        let state = URL_SAFE_NO_PAD.encode(format!("{}\n{id}\n{size}\n{least}\n{announced}\n{url}", remote.name));
        Upload { id: id.clone(), state, size: *size }
    }

    fn request(&self, method: Method) -> Request {
        Request::new(method, self.url.clone(), Scopes::push(&self.remote.name))
    }

    /// Where the session goes on, with a pair more in the query. What is there already may be signed as it is.
    fn url_with(&self, key: &str, value: &str) -> Url {
        let (mut url, added) = (self.url.clone(), Query::default().with(key, value));
        let query = self.url.query().filter(|query| !query.is_empty()).map(|query| format!("{query}&{added}"));
        url.set_query(Some(&query.unwrap_or_else(|| added.to_string())));
        url
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

    /// Whether the registry lets large content be put through its CloudFront distribution.
    pub(super) fn has_ticket(&self) -> bool {
        self.url.query_pairs().any(|(key, _)| key == TICKET)
    }

    /// The answer to a close of the session that carries `last`, or nothing more.
    pub(super) async fn put_once(
        &self,
        ctx: &Context,
        digest: &Digest,
        last: Option<&Arc<dyn Source>>,
    ) -> Result<Answer, Failure> {
        let url = self.url_with("digest", &digest.to_string());
        let octets = HeaderValue::from_static("application/octet-stream");
        let request = Request::new(Method::PUT, url, Scopes::push(&self.remote.name)).once();
        let request = request.with(header::CONTENT_TYPE, octets);
        let request = match last {
            Some(source) => request.source(source, 0, source.size()),
            None => request,
        };
        self.remote.send(ctx, &request).await
    }

    async fn put(&mut self, ctx: &Context, digest: &Digest, last: Option<&Arc<dyn Source>>) -> Result<(), Setback> {
        let answer = self.put_once(ctx, digest, last).await.map_err(|failure| self.fault().of(failure))?;
        // 204 as well, which some registries of old answer.
        if !matches!(answer.status.as_u16(), 201 | 204) {
            return Err(self.fault().closing(answer, self.size, digest).await);
        }
        self.is_stored(&answer, digest)
    }

    /// That `answer` to the close does not say that something else than `digest` was stored.
    fn is_stored(&self, answer: &Answer, digest: &Digest) -> Result<(), Setback> {
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
