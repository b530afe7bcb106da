//! A registry on this machine that is another one, for clients that send content without saying what it is: Docker's
//! classic store, podman, buildah, skopeo, crane and kaniko.
//!
//! What they read is passed on, and where the registry redirects them, they are redirected. What they send is kept in a
//! file and hashed while it comes; when they say its digest, [`crate::client`] sends it on, past the registry's function
//! where there is that way. Who asks the registry is whoever runs the gateway, so that it serves its own machine alone,
//! unless told otherwise.

mod blobs;
mod door;
mod known;
mod registry;
mod repository;
mod sessions;
mod spool;
mod spooled;
mod writer;

use std::sync::Arc;

use axum::{Router, extract::Request};
use tower::ServiceExt as _;

use crate::{
    auth::Anyone,
    http::{App, Options},
};

pub use door::{Names, NamesError};
pub use registry::Gateway;
pub use spool::{Spool, SpoolError};

/// The gateway's API, for clients that call it by one of `names`.
pub fn router(gateway: Gateway, names: Names) -> Router {
    let options = Options { access_log: false, explains: true, ..Options::default() };
    let app = App { access: Arc::new(Anyone), tokens: None, namespace: Arc::new(gateway), options };
    let (inner, names) = (crate::http::router(app), Arc::new(names));
    Router::new().fallback(move |request: Request| {
        let (inner, names) = (inner.clone(), names.clone());
        async move {
            match names.refusal(request.headers()) {
                Some(refusal) => refusal,
                None => inner.oneshot(request).await.unwrap_or_else(|never| match never {}),
            }
        }
    })
}
