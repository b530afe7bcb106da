//! `/v2/<name>/referrers/<digest>`: the manifests whose subject is that digest.

use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

use super::{answer::Answer, call::Call, fault::Fault, paging};
use crate::{
    api::{Query, Route},
    digest::Digest,
    distribution::Referrer,
    manifest::MediaType,
    name::RepositoryName,
};

const OCI_FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");

/// An image index (OCI image specification, "Image Index").
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u8,
    media_type: &'a str,
    manifests: &'a [Referrer],
}

/// `GET /v2/<name>/referrers/<digest>`: an image index of the referrers, of one `artifactType` alone if the client asks
/// for it. Nobody need have pushed the subject, nor anything else to the repository.
pub(super) async fn list(call: &Call, name: &RepositoryName, subject: &Digest) -> Result<Response, Fault> {
    let query = call.query();
    let artifact_type = query.get("artifactType").filter(|kind| !kind.is_empty());
    let after = query.get("last").filter(|last| !last.is_empty()).map(str::parse::<Digest>).transpose()?;
    let repository = call.repository(name);
    let page = repository.manifests().referrers(&call.ctx, subject, artifact_type, after.as_ref()).await?;

    let mut answer = Answer::new(StatusCode::OK);
    if artifact_type.is_some() {
        answer = answer.with(OCI_FILTERS_APPLIED, HeaderValue::from_static("artifactType"));
    }
    if let Some(next) = page.next {
        let kind = artifact_type.map(|kind| Query::default().with("artifactType", kind)).unwrap_or_default();
        let route = Route::Referrers(name.clone(), *subject);
        let link = paging::next(&call.options().prefix, &route, &kind.with("last", next.to_string()));
        answer = answer.with(header::LINK, link);
    }
    let media_type = MediaType::OciIndex.as_str();
    let index = Index { schema_version: 2, media_type, manifests: &page.referrers };
    // Strings, numbers and maps of strings always serialize.
    Ok(answer.content(media_type, serde_json::to_vec(&index).unwrap_or_default().into()))
}
