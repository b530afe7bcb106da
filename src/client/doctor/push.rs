//! A small push through the registry itself: two blobs, a manifest and a tag.

use std::time::Instant;

use uuid::Uuid;

use super::{
    connect::rounded,
    content,
    record::Finding,
    repository::{Image, TestRepository},
};
use crate::{
    context::Context,
    distribution::{BackendErrorKind, ManifestError, Repository as _, UploadError},
    name::Tag,
};

/// Bytes of the layer: so few that it is not offered a presigned URL for.
const LAYER: usize = 1000;

pub(super) async fn check(place: &TestRepository, ctx: &Context) -> Finding {
    let began = Instant::now();
    let (config, layer) = (content::config(), content::random(LAYER));
    for content in [&config, &layer] {
        let (digest, source) = place.note(content);
        if let Err(error) = place.remote.push_blob(ctx, &digest, &source, None).await {
            let backend = match &error {
                UploadError::Backend(error) => Some(error),
                _ => None,
            };
            if backend.is_some_and(|error| error.kind == BackendErrorKind::Denied) {
                place.forget(&digest);
            }
            return Finding::failed(&error, place.fix(backend, "push"));
        }
    }
    // A new one: the repository may be somebody's, and what was pushed is deleted.
    let tag = format!("berth-doctor-{}", Uuid::new_v4().simple()).parse::<Tag>();
    let (manifest, tag) = match (content::manifest(&config, &layer), tag) {
        (Ok(manifest), Ok(tag)) => (manifest, tag),
        (Err(error), _) => return Finding::failed(error, "report this as a bug of berth"),
        (_, Err(error)) => return Finding::failed(error, "report this as a bug of berth"),
    };
    match place.remote.manifests().put(ctx, &manifest, None, std::slice::from_ref(&tag)).await {
        Ok(digest) => {
            let image = format!("{}/{}:{tag}", place.host, place.name);
            place.made().image = Some(Image { tag, digest, layer });
            Finding::Ok(format!("{image}: two blobs and a manifest ({})", rounded(began.elapsed())))
        }
        Err(error) => {
            let backend = match &error {
                ManifestError::Backend(error) => Some(error),
                _ => None,
            };
            Finding::failed(&error, place.fix(backend, "push"))
        }
    }
}
