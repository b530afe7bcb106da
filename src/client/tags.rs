//! Tags over HTTP.

use async_trait::async_trait;
use http::{Method, StatusCode};

use super::{
    door::Scopes,
    lists::{Listing, entries},
    manifests::{ACCEPT, MANIFESTS},
    repository::Remote,
};
use crate::{
    api::Route,
    context::Context,
    digest::Digest,
    distribution::{BackendError, ManifestError, Page, Paging, TagError, TagService},
    name::{Reference, Tag},
};

/// The tags of one repository.
pub(super) struct RemoteTags(pub(super) Remote);

impl RemoteTags {
    fn unknown(&self, tag: &Tag) -> TagError {
        TagError::Unknown { name: self.0.name.clone(), tag: tag.clone() }
    }

    fn route(&self, tag: &Tag) -> Route {
        Route::Manifest(self.0.name.clone(), Reference::Tag(tag.clone()))
    }
}

#[async_trait]
impl TagService for RemoteTags {
    async fn resolve(&self, ctx: &Context, tag: &Tag) -> Result<Digest, TagError> {
        let request = self.0.read(Method::HEAD, &self.route(tag)).with(ACCEPT, MANIFESTS);
        let answer = self.0.send(ctx, &request).await.map_err(BackendError::from)?;
        match (answer.status, answer.digest()) {
            (StatusCode::OK, Some(digest)) => Ok(digest),
            // Some say the digest of what they send alone.
            (StatusCode::OK, None) => match self.0.manifest(ctx, &Reference::Tag(tag.clone())).await {
                Ok(manifest) => Ok(manifest.digest),
                Err(ManifestError::Backend(error)) => Err(error.into()),
                Err(_) => Err(self.unknown(tag)),
            },
            (StatusCode::NOT_FOUND, _) => Err(self.unknown(tag)),
            _ => {
                let failure = answer.into_failure(&format!("HEAD of {}:{tag}", self.0.name)).await;
                Err(BackendError::from(failure).into())
            }
        }
    }

    async fn list(&self, ctx: &Context, paging: &Paging) -> Result<Page<Tag>, TagError> {
        let Remote { shared, name } = &self.0;
        let listing =
            Listing { transport: &shared.transport, route: Route::Tags(name.clone()), scopes: Scopes::pull(name) };
        let page = listing.read(ctx, paging).await.map_err(|failure| match failure.answer() {
            Some((StatusCode::NOT_FOUND, _)) => TagError::RepositoryUnknown(name.clone()),
            _ => BackendError::from(failure).into(),
        })?;
        Ok(entries(shared.transport.host(), page).map_err(BackendError::from)?)
    }

    async fn untag(&self, ctx: &Context, tag: &Tag) -> Result<(), TagError> {
        let request = self.0.request(Method::DELETE, &self.route(tag), Scopes::delete(&self.0.name));
        let answer = self.0.send(ctx, &request).await.map_err(BackendError::from)?;
        match answer.status.as_u16() {
            200 | 202 | 204 => Ok(()),
            // Done by a try whose answer was lost.
            404 if answer.is_repeated => Ok(()),
            404 => Err(self.unknown(tag)),
            _ => {
                let failure = answer.into_failure(&format!("the deletion of {}:{tag}", self.0.name)).await;
                Err(BackendError::from(failure).into())
            }
        }
    }
}
