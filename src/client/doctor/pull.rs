//! A pull of what was pushed: the manifest by its tag, and the layer, from wherever the registry redirects to.

use std::time::Instant;

use super::{
    connect::rounded,
    record::Finding,
    repository::{Image, TestRepository},
};
use crate::{
    context::Context,
    digest::Digest,
    distribution::{BlobError, ManifestError, Repository as _},
    name::Reference,
};

pub(super) async fn check(place: &TestRepository, ctx: &Context) -> Finding {
    let Some(Image { tag, digest, layer }) = place.made().image.clone() else {
        return Finding::Skipped("nothing was pushed".to_owned());
    };
    let began = Instant::now();
    let wrong = |what: String| Finding::failed(what, format!("see the log of {}; is its cache current?", place.host));
    match place.remote.manifests().get(ctx, &Reference::Tag(tag.clone())).await {
        Ok(manifest) if manifest.digest == digest => {}
        Ok(manifest) => return wrong(format!("tag {tag} leads to {}, where {digest} was pushed", manifest.digest)),
        Err(ManifestError::Backend(error)) => return Finding::failed(&error, place.fix(Some(&error), "pull")),
        Err(error) => return wrong(error.to_string()),
    }
    let blob = Digest::canonical(&layer);
    match place.remote.blobs().get(ctx, &blob, layer.len() as u64).await {
        Ok(content) if content == layer => {
            Finding::Ok(format!("the manifest by its tag, and the layer ({})", rounded(began.elapsed())))
        }
        Ok(_) => wrong(format!("blob {blob} has other content than was pushed")),
        Err(BlobError::Backend(error)) => Finding::failed(
            &error,
            "blobs come from where the registry redirects to: that host must be reachable, and the registry's role must \
             be allowed s3:GetObject (and kms:Decrypt with SSE-KMS)",
        ),
        Err(error) => wrong(error.to_string()),
    }
}
