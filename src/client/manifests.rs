//! Manifests over HTTP.

use async_trait::async_trait;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};

use super::{
    door::Scopes,
    missing::{in_use_by, missing},
    referrers,
    repository::Remote,
    transport::{Failure, Request, content_type},
};
use crate::{
    api::{Query, Route},
    context::Context,
    digest::Digest,
    distribution::{BackendError, ManifestError, ManifestService, ReferrersPage, StoredManifest},
    manifest::{MAX_SIZE, Manifest, stored_media_type},
    name::{Reference, Tag},
};

/// The header that says what is taken.
pub(super) const ACCEPT: HeaderName = header::ACCEPT;
/// Every kind of manifest that there is, so that none is made into another.
pub(super) const MANIFESTS: HeaderValue = HeaderValue::from_static(
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json, \
     application/vnd.docker.distribution.manifest.v1+prettyjws, application/vnd.docker.distribution.manifest.v1+json;q=0.5",
);
const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");

/// The manifests of one repository.
pub(super) struct RemoteManifests(pub(super) Remote);

impl Remote {
    /// The manifest that `reference` names, whose bytes have the digest that they are called by.
    pub(super) async fn manifest(&self, ctx: &Context, reference: &Reference) -> Result<StoredManifest, ManifestError> {
        let route = Route::Manifest(self.name.clone(), reference.clone());
        let request = self.read(Method::GET, &route).with(ACCEPT, MANIFESTS);
        let answer = self.send(ctx, &request).await.map_err(BackendError::from)?;
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND => return Err(self.unknown(reference)),
            _ => {
                let failure = answer.into_failure(&format!("GET of manifest {reference} of {}", self.name)).await;
                return Err(BackendError::from(failure).into());
            }
        }
        let host = answer.host();
        let media_type = answer.header(header::CONTENT_TYPE).and_then(essence);
        let said = answer.digest();
        let bytes = answer.read(MAX_SIZE).await.map_err(BackendError::from)?;
        let asked = match reference {
            Reference::Digest(digest) => Some(*digest),
            Reference::Tag(_) => None,
        };
        for expected in [said, asked].into_iter().flatten() {
            let actual = Digest::of(expected.algorithm(), &bytes);
            if actual != expected {
                let what = format!("sends a manifest with digest {actual} as {expected}; it was not taken");
                return Err(BackendError::from(Failure::wrong(&host, what)).into());
            }
        }
        let digest = asked.or(said).unwrap_or_else(|| Digest::canonical(&bytes));
        let media_type = media_type.unwrap_or_else(|| stored_media_type(&bytes));
        Ok(StoredManifest { media_type, digest, bytes })
    }

    fn unknown(&self, reference: &Reference) -> ManifestError {
        ManifestError::Unknown { name: self.name.clone(), reference: reference.to_string() }
    }

    /// Puts `manifest` by `reference`, and points each of `tags` at it besides. Whether the registry lists it as a
    /// referrer, and the tags that it did not set.
    pub(super) async fn put_manifest(
        &self,
        ctx: &Context,
        manifest: &Manifest,
        reference: Reference,
        tags: &[Tag],
    ) -> Result<(bool, Vec<Tag>), ManifestError> {
        let what = format!("PUT of manifest {reference} to {}", self.name);
        let query = tags.iter().fold(Query::default(), |query, tag| query.with("tag", tag.as_str()));
        let url = self.shared.transport.url(&Route::Manifest(self.name.clone(), reference), &query);
        let (name, value) = content_type(manifest.media_type().as_str());
        let request = Request::new(Method::PUT, url, Scopes::push(&self.name));
        let request = request.with(name, value).bytes(manifest.bytes().clone());
        let answer = self.expect(ctx, &request, &[200, 201, 202, 204], &what).await;
        let answer = answer.map_err(|failure| match missing(&failure, manifest) {
            Some(missing) => ManifestError::ReferencesUnknown(missing),
            None => BackendError::from(failure).into(),
        })?;
        if let Some(said) = answer.digest()
            && said != Digest::of(said.algorithm(), manifest.bytes())
        {
            let what = format!("says that it stored the manifest as {said}, which is not its digest");
            return Err(BackendError::from(Failure::wrong(&answer.host(), what)).into());
        }
        let set: Vec<&str> = answer.headers.get_all(OCI_TAG).iter().filter_map(|tag| tag.to_str().ok()).collect();
        let left = tags.iter().filter(|tag| !set.contains(&tag.as_str())).cloned().collect();
        Ok((answer.headers.contains_key(OCI_SUBJECT), left))
    }
}

/// The media type of a header, without parameters; none for types that say nothing of a manifest.
fn essence(value: &str) -> Option<String> {
    let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let says_nothing = matches!(essence.as_str(), "" | "application/json" | "text/plain" | "application/octet-stream");
    (!says_nothing).then_some(essence)
}

#[async_trait]
impl ManifestService for RemoteManifests {
    async fn get(&self, ctx: &Context, reference: &Reference) -> Result<StoredManifest, ManifestError> {
        self.0.manifest(ctx, reference).await
    }

    async fn put(
        &self,
        ctx: &Context,
        manifest: &Manifest,
        named: Option<&Digest>,
        tags: &[Tag],
    ) -> Result<Digest, ManifestError> {
        let digest = named.copied().unwrap_or_else(|| Digest::canonical(manifest.bytes()));
        let actual = Digest::of(digest.algorithm(), manifest.bytes());
        if actual != digest {
            return Err(ManifestError::DigestMismatch { expected: digest, actual });
        }
        let (lists_it, left) = match (named, tags) {
            // By a tag alone, as every registry takes it.
            (None, [tag]) => self.0.put_manifest(ctx, manifest, Reference::Tag(tag.clone()), &[]).await?,
            _ => self.0.put_manifest(ctx, manifest, Reference::Digest(digest), tags).await?,
        };
        for tag in left {
            self.0.put_manifest(ctx, manifest, Reference::Tag(tag), &[]).await?;
        }
        if let Some(subject) = manifest.subject().filter(|_| !lists_it) {
            referrers::add(&self.0, ctx, subject, manifest).await?;
        }
        Ok(digest)
    }

    async fn delete(&self, ctx: &Context, digest: &Digest) -> Result<(), ManifestError> {
        let reference = Reference::Digest(*digest);
        // Its subject is known while it is there; a registry that lists no referrers leaves that to its clients.
        let manifest = self.0.manifest(ctx, &reference).await?;
        let route = Route::Manifest(self.0.name.clone(), reference.clone());
        let request = self.0.request(Method::DELETE, &route, Scopes::delete(&self.0.name));
        let answer = self.0.send(ctx, &request).await.map_err(BackendError::from)?;
        match answer.status.as_u16() {
            200 | 202 | 204 => {}
            404 if answer.is_repeated => {}
            404 => return Err(self.0.unknown(&reference)),
            _ => {
                let failure = answer.into_failure(&format!("the deletion of {digest} from {}", self.0.name)).await;
                return Err(match in_use_by(&failure, "index") {
                    Some(index) => ManifestError::InUse { manifest: *digest, index },
                    None => BackendError::from(failure).into(),
                });
            }
        }
        let parsed = Manifest::parse(Some(&manifest.media_type), manifest.bytes).ok();
        match parsed.as_ref().and_then(Manifest::subject) {
            Some(subject) => referrers::remove(&self.0, ctx, subject, digest).await,
            None => Ok(()),
        }
    }

    async fn referrers(
        &self,
        ctx: &Context,
        subject: &Digest,
        artifact_type: Option<&str>,
        after: Option<&Digest>,
    ) -> Result<ReferrersPage, BackendError> {
        referrers::list(&self.0, ctx, subject, artifact_type, after).await
    }
}
