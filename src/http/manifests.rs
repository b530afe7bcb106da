//! `/v2/<name>/manifests/<reference>`.

use axum::{body::Body, response::Response};
use http::{HeaderName, StatusCode, header};

use super::{
    answer::{Answer, value},
    call::Call,
    conditional, content,
    fault::Fault,
};
use crate::{
    api::{ErrorCode, Route},
    digest::Digest,
    distribution::ManifestError,
    manifest::{MAX_SIZE, Manifest},
    name::{Reference, RepositoryName, Tag},
};

const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");

/// Tags that one manifest PUT may set besides.
const TAGS: usize = 100;

/// `GET` and `HEAD`: the manifest's exact bytes, and what they are. An `Accept` that excludes its type is served all
/// the same, as clients expect.
pub(super) async fn get(call: &Call, name: &RepositoryName, reference: &Reference) -> Result<Response, Fault> {
    let repository = call.repository(name);
    let manifest = repository.manifests().get(&call.ctx, reference).await?;
    if conditional::has_already(&call.parts.headers, &manifest.digest) {
        return Ok(Answer::new(StatusCode::NOT_MODIFIED).entity(&manifest.digest).empty());
    }
    // For HEAD, the sender drops the body and keeps its length.
    Ok(Answer::new(StatusCode::OK).entity(&manifest.digest).content(&manifest.media_type, manifest.bytes))
}

/// `PUT`: takes a manifest whose references the repository has, under its digest and each tag that the client names.
pub(super) async fn put(
    call: &Call,
    name: &RepositoryName,
    reference: Reference,
    body: Body,
) -> Result<Response, Fault> {
    let named = tags_of(call, &reference)?;
    let bytes = content::whole(body, MAX_SIZE).await?;
    let content_type = call.header(header::CONTENT_TYPE);
    let manifest = Manifest::parse(content_type, bytes).map_err(ManifestError::from)?;

    let repository = call.repository(name);
    let (digest, tags) = match &reference {
        Reference::Digest(digest) => (Some(digest), named.as_slice()),
        Reference::Tag(tag) => (None, std::slice::from_ref(tag)),
    };
    let digest = repository.manifests().put(&call.ctx, &manifest, digest, tags).await?;
    Ok(created(call, name, &digest, &manifest, &named))
}

fn created(call: &Call, name: &RepositoryName, digest: &Digest, manifest: &Manifest, tags: &[Tag]) -> Response {
    let route = Route::Manifest(name.clone(), Reference::Digest(*digest));
    let mut answer = Answer::new(StatusCode::CREATED).with(header::LOCATION, call.urls().route(&route)).digest(digest);
    if let Some(subject) = manifest.subject() {
        answer = answer.with(OCI_SUBJECT, value(subject.to_string()));
    }
    for tag in tags {
        answer = answer.and(OCI_TAG, value(tag.to_string()));
    }
    answer.empty()
}

/// The tags that the query names, each once.
fn tags_of(call: &Call, reference: &Reference) -> Result<Vec<Tag>, Fault> {
    let query = call.query();
    let mut tags = Vec::new();
    for text in query.all("tag") {
        if matches!(reference, Reference::Tag(_)) {
            let message = "tag= is for a manifest that is put by its digest";
            return Err(Fault::bad(ErrorCode::TagInvalid, message));
        }
        let tag = text.parse()?;
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        if tags.len() > TAGS {
            let message = format!("at most {TAGS} tags are set at once");
            return Err(Fault::new(StatusCode::URI_TOO_LONG, ErrorCode::TagInvalid, message));
        }
    }
    Ok(tags)
}

/// `DELETE`: by tag, removes the tag alone; by digest, the manifest with its tags.
pub(super) async fn delete(call: &Call, name: &RepositoryName, reference: &Reference) -> Result<Response, Fault> {
    let repository = call.repository(name);
    match reference {
        Reference::Tag(tag) => repository.tags().untag(&call.ctx, tag).await?,
        Reference::Digest(digest) => repository.manifests().delete(&call.ctx, digest).await?,
    }
    Ok(Answer::new(StatusCode::ACCEPTED).empty())
}
