//! Referrers over HTTP: by the API, or by a tag where a registry has none (OCI distribution specification, "Referrers
//! Tag Schema").

use std::collections::{BTreeMap, HashSet};

use bytes::Bytes;
use http::{HeaderName, Method, StatusCode};
use serde::{Deserialize, Serialize};

use super::{
    door::Scopes,
    lists::{PAGES, next_page},
    repository::Remote,
    transport::{Failure, Request},
};
use crate::{
    api::{Query, Route},
    context::Context,
    digest::Digest,
    distribution::{BackendError, ManifestError, Referrer, ReferrersPage},
    manifest::{MAX_SIZE, Manifest, MediaType},
    name::{Reference, Tag},
};

const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
/// Referrers of one subject.
const MOST: usize = 100_000;

/// An image index, as far as it is about referrers.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index {
    schema_version: u8,
    media_type: Option<String>,
    manifests: Option<Vec<Referrer>>,
}

/// The referrers of `subject`: all that come after `after`, however the registry parts them.
pub(super) async fn list(
    remote: &Remote,
    ctx: &Context,
    subject: &Digest,
    artifact_type: Option<&str>,
    after: Option<&Digest>,
) -> Result<ReferrersPage, BackendError> {
    let found = match by_api(remote, ctx, subject, artifact_type).await? {
        Some(found) => found,
        None => by_tag(remote, ctx, subject).await?,
    };
    let is_wanted = |referrer: &Referrer| {
        artifact_type.is_none_or(|wanted| referrer.artifact_type.as_deref() == Some(wanted))
            && after.is_none_or(|after| referrer.digest > *after)
    };
    let mut referrers: Vec<Referrer> = found.into_iter().filter(is_wanted).collect();
    referrers.sort_by_key(|referrer| referrer.digest);
    referrers.dedup_by_key(|referrer| referrer.digest);
    Ok(ReferrersPage { referrers, next: None })
}

/// What the API says; `None` where there is none.
async fn by_api(
    remote: &Remote,
    ctx: &Context,
    subject: &Digest,
    artifact_type: Option<&str>,
) -> Result<Option<Vec<Referrer>>, Failure> {
    let transport = &remote.shared.transport;
    let route = Route::Referrers(remote.name.clone(), *subject);
    let query = artifact_type.map(|kind| Query::default().with("artifactType", kind)).unwrap_or_default();
    let mut next = Some(transport.url(&route, &query));
    let (mut found, mut seen, mut pages) = (Vec::new(), HashSet::new(), 0);
    while let Some(url) = next {
        let answer = remote.send(ctx, &Request::new(Method::GET, url, Scopes::pull(&remote.name))).await?;
        let host = answer.host();
        match answer.status {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND if pages == 0 => return Ok(None),
            // Older ones have no such path, and say so in their ways.
            StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED if pages == 0 => return Ok(None),
            _ => return Err(answer.into_failure(&format!("GET of the referrers of {subject}")).await),
        }
        next = next_page(transport, &answer)?;
        let filtered = answer.headers.contains_key(OCI_FILTERS_APPLIED);
        let page = read(&host, subject, &answer.read(MAX_SIZE).await?)?;
        let before = seen.len();
        found.extend(page.into_iter().filter(|referrer| seen.insert(referrer.digest)));
        pages += 1;
        // A page may be empty of what is wanted, but not of everything.
        let is_longer = seen.len() > before || filtered;
        if next.is_some() && (!is_longer || pages >= PAGES || found.len() > MOST) {
            let what =
                format!("lists the referrers of {subject} without an end; given up after {} of them", found.len());
            return Err(Failure::wrong(&host, what));
        }
    }
    Ok(Some(found))
}

/// What the tag of `subject` says.
async fn by_tag(remote: &Remote, ctx: &Context, subject: &Digest) -> Result<Vec<Referrer>, BackendError> {
    let Some(tag) = tag(subject) else { return Ok(Vec::new()) };
    match remote.manifest(ctx, &Reference::Tag(tag)).await {
        Ok(index) => Ok(read(remote.host(), subject, &index.bytes)?),
        Err(ManifestError::Backend(error)) => Err(error),
        Err(_) => Ok(Vec::new()),
    }
}

fn read(host: &str, subject: &Digest, body: &[u8]) -> Result<Vec<Referrer>, Failure> {
    let index: Index = serde_json::from_slice(body).map_err(|_| {
        Failure::wrong(
            host,
            format!("answers with something else than an index when asked for the referrers of {subject}"),
        )
    })?;
    Ok(index.manifests.unwrap_or_default())
}

/// The tag of the schema: algorithm and hash value, each cut to what fits into a tag.
fn tag(subject: &Digest) -> Option<Tag> {
    let encoded = subject.encoded();
    format!("{}-{}", subject.algorithm().as_str(), &encoded[..encoded.len().min(64)]).parse().ok()
}

/// Adds `manifest` to the tag of its subject, for a registry that did not say that it lists it.
///
/// Two clients that do so at once may lose one's entry, as the specification warns.
pub(super) async fn add(
    remote: &Remote,
    ctx: &Context,
    subject: &Digest,
    manifest: &Manifest,
) -> Result<(), ManifestError> {
    let referrer = Referrer {
        media_type: manifest.media_type().as_str().to_owned(),
        digest: Digest::canonical(manifest.bytes()),
        size: manifest.bytes().len() as u64,
        artifact_type: manifest.artifact_type().map(str::to_owned),
        annotations: BTreeMap::clone(manifest.annotations()),
    };
    let mut referrers = by_tag(remote, ctx, subject).await?;
    if referrers.iter().any(|known| known.digest == referrer.digest) {
        return Ok(());
    }
    referrers.push(referrer);
    replace(remote, ctx, subject, referrers).await
}

/// Takes `digest`, which is no more, out of the tag of `subject`, if it has one.
pub(super) async fn remove(
    remote: &Remote,
    ctx: &Context,
    subject: &Digest,
    digest: &Digest,
) -> Result<(), ManifestError> {
    let mut referrers = by_tag(remote, ctx, subject).await?;
    let before = referrers.len();
    referrers.retain(|referrer| referrer.digest != *digest);
    if referrers.len() == before { Ok(()) } else { replace(remote, ctx, subject, referrers).await }
}

async fn replace(
    remote: &Remote,
    ctx: &Context,
    subject: &Digest,
    referrers: Vec<Referrer>,
) -> Result<(), ManifestError> {
    let Some(tag) = tag(subject) else { return Ok(()) };
    let media_type = MediaType::OciIndex.as_str();
    let index = Index { schema_version: 2, media_type: Some(media_type.to_owned()), manifests: Some(referrers) };
    // Strings, numbers and maps of strings always serialize.
    let bytes = Bytes::from(serde_json::to_vec(&index).unwrap_or_default());
    let index = Manifest::parse(Some(media_type), bytes)?;
    remote.put_manifest(ctx, &index, Reference::Tag(tag), &[]).await.map(drop)
}
