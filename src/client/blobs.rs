//! Blobs over HTTP.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use futures_util::TryStreamExt as _;
use http::{HeaderValue, Method, StatusCode, header};
use reqwest::Url;

use super::{
    Source,
    door::Scopes,
    download,
    missing::in_use_by,
    repository::Remote,
    transport::{Failure, location},
    upload::{Opened, Parcel, Session},
};
use crate::{
    api::Route,
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{
        BackendError, BackendErrorKind, BlobError, BlobIngester, BlobProvider, BlobServer, BlobService, BlobStatter,
        BlobWriter, Created, NewUpload, Reading, Served, UploadError, Wish,
    },
};

/// Whether `url` bears a signature of CloudFront's, which may be before the registry and its bucket at one host.
fn is_signed(url: &Url) -> bool {
    let names: Vec<_> = url.query_pairs().map(|(name, _)| name).collect();
    ["Policy", "Signature", "Key-Pair-Id"].iter().all(|wanted| names.iter().any(|name| name == wanted))
}

/// The blobs of one repository.
pub(super) struct RemoteBlobs(pub(super) Remote);

impl Remote {
    pub(super) fn blob(&self, digest: &Digest) -> Route {
        Route::Blob(self.name.clone(), *digest)
    }

    /// [`BlobStatter::stat`]. The descriptor's digest is the one asked by: which is canonical is the registry's matter.
    pub(super) async fn stat(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        self.stat_for(ctx, digest, Scopes::pull(&self.name)).await
    }

    /// The same, by a token that is good for `scopes`, which has to include reading.
    pub(super) async fn stat_for(
        &self,
        ctx: &Context,
        digest: &Digest,
        scopes: Scopes,
    ) -> Result<Descriptor, BlobError> {
        let what = format!("HEAD of blob {digest} of {}", self.name);
        let request = self.request(Method::HEAD, &self.blob(digest), scopes);
        let answer = self.expect(ctx, &request, &[200], &what).await.map_err(|failure| unknown(failure, digest))?;
        let host = answer.host();
        is_called(&host, digest, answer.digest())?;
        let size = answer.length().ok_or_else(|| Failure::wrong(&host, format!("answers {what} without a length")));
        Ok(Descriptor::blob(*digest, size.map_err(BackendError::from)?))
    }
}

/// That an answer does not say `said` of content that was asked for by `digest`.
pub(super) fn is_called(host: &str, digest: &Digest, said: Option<Digest>) -> Result<(), BackendError> {
    match said {
        Some(said) if said.algorithm() == digest.algorithm() && said != *digest => {
            Err(Failure::wrong(host, format!("answers with {said} where {digest} was asked for")).into())
        }
        _ => Ok(()),
    }
}

/// What `failure` says of a blob.
pub(super) fn unknown(failure: Failure, digest: &Digest) -> BlobError {
    match failure.answer() {
        Some((StatusCode::NOT_FOUND, _)) => BlobError::Unknown(*digest),
        _ => BackendError::from(failure).into(),
    }
}

#[async_trait]
impl BlobStatter for RemoteBlobs {
    async fn stat(&self, ctx: &Context, digest: &Digest) -> Result<Descriptor, BlobError> {
        self.0.stat(ctx, digest).await
    }
}

#[async_trait]
impl BlobProvider for RemoteBlobs {
    async fn get(&self, ctx: &Context, digest: &Digest, limit: u64) -> Result<Bytes, BlobError> {
        let Reading { size, mut stream } = download::open(&self.0, ctx, digest, 0, None).await?;
        if size > limit {
            let what = format!("has {size} bytes under {digest}, more than the {limit} that this may have");
            return Err(BackendError::from(Failure::wrong(self.0.host(), what)).into());
        }
        let mut content = BytesMut::new();
        let broken = |error: std::io::Error| BackendError::new(BackendErrorKind::Failed, error.to_string());
        while let Some(chunk) = stream.try_next().await.map_err(broken)? {
            content.extend_from_slice(&chunk);
        }
        Ok(content.freeze())
    }

    async fn open(
        &self,
        ctx: &Context,
        digest: &Digest,
        offset: u64,
        length: Option<u64>,
    ) -> Result<Reading, BlobError> {
        download::open(&self.0, ctx, digest, offset, length).await
    }
}

#[async_trait]
impl BlobServer for RemoteBlobs {
    /// A redirection is handed on where it leads away from the registry, or is signed: only those need no credentials.
    async fn serve(&self, ctx: &Context, digest: &Digest, wish: Wish<'_>) -> Result<Served, BlobError> {
        let method = if wish.head { Method::HEAD } else { Method::GET };
        // Of the content no more is asked for than must be: the size comes with it.
        let first = HeaderValue::from_static("bytes=0-0");
        let request = self.0.read(method, &self.0.blob(digest)).with(header::RANGE, first).unfollowed();
        let answer = self.0.send(ctx, &request).await.map_err(BackendError::from)?;
        if matches!(answer.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            let url = location(&answer.url, &answer.headers).map_err(BackendError::from)?;
            if !self.0.shared.transport.is_own(&url) || is_signed(&url) {
                return Ok(Served::Redirect(url.into()));
            }
        }
        if answer.status == StatusCode::NOT_FOUND {
            return Err(BlobError::Unknown(*digest));
        }
        Ok(Served::Here(self.0.stat(ctx, digest).await?))
    }
}

#[async_trait]
impl BlobIngester for RemoteBlobs {
    async fn put(&self, ctx: &Context, _media_type: &str, content: Bytes) -> Result<Descriptor, BlobError> {
        let descriptor = Descriptor::blob(Digest::canonical(&content), content.len() as u64);
        let source: Arc<dyn Source> = Arc::new(content);
        let parcel = Parcel { digest: &descriptor.digest, source: &source, from: None, watch: &() };
        match self.0.push(ctx, parcel).await {
            Ok(_) => Ok(descriptor),
            Err(UploadError::Backend(error)) => Err(error.into()),
            Err(error) => {
                let what = format!("did not take the blob {}: {error}", descriptor.digest);
                Err(BackendError::from(Failure::wrong(self.0.host(), what)).into())
            }
        }
    }

    async fn create(&self, ctx: &Context, new: NewUpload) -> Result<Created, UploadError> {
        match Session::open(&self.0, ctx, &new).await? {
            Opened::Session(session) => Ok(Created::Session(session)),
            Opened::Mounted(digest) => match self.0.stat(ctx, &digest).await {
                Ok(descriptor) => Ok(Created::Mounted(descriptor)),
                Err(BlobError::Backend(error)) => Err(error.into()),
                Err(error) => {
                    let what = format!("says that it mounted the blob, and then: {error}");
                    Err(BackendError::from(Failure::wrong(self.0.host(), what)).into())
                }
            },
        }
    }

    /// Nothing is asked yet: the writer stands where `state` was made, and goes to where it stands now when it must.
    async fn resume(&self, _ctx: &Context, id: &str, state: &str) -> Result<Box<dyn BlobWriter>, UploadError> {
        Ok(Box::new(Session::resume(&self.0, id, state)?))
    }
}

#[async_trait]
impl BlobService for RemoteBlobs {
    async fn delete(&self, ctx: &Context, digest: &Digest) -> Result<(), BlobError> {
        let request = self.0.request(Method::DELETE, &self.0.blob(digest), Scopes::delete(&self.0.name));
        let answer = self.0.send(ctx, &request).await.map_err(BackendError::from)?;
        match answer.status.as_u16() {
            200 | 202 | 204 => Ok(()),
            404 if answer.is_repeated => Ok(()),
            404 => Err(BlobError::Unknown(*digest)),
            _ => {
                let failure = answer.into_failure(&format!("the deletion of {digest} from {}", self.0.name)).await;
                Err(match in_use_by(&failure, "manifest") {
                    Some(manifest) => BlobError::InUse { blob: *digest, manifest },
                    None => BackendError::from(failure).into(),
                })
            }
        }
    }
}
