//! What a request wants to do, by its method and route.

use http::{Method, request::Parts};

use crate::{
    api::{BERTH_BLOB_DIGEST, Query, Route},
    auth::{Access, Action, Wanted},
};

/// What a request for `route` wants.
pub(super) fn wanted(parts: &Parts, route: &Route) -> Wanted {
    Wanted { needed: needed(&parts.method, route), wished: wished(parts, route) }
}

/// To read where a blob is to be mounted from, or may be found.
fn wished(parts: &Parts, route: &Route) -> Vec<Access> {
    if parts.method != Method::POST || !matches!(route, Route::Uploads(_)) {
        return Vec::new();
    }
    let query = parts.uri.query().map(Query::parse).unwrap_or_default();
    // Who announces a blob need not send it, if they may read it wherever it is.
    let announces = parts.headers.contains_key(BERTH_BLOB_DIGEST) && query.get("digest").is_none();
    let (from, any) = match (query.get("mount"), query.get("from")) {
        (Some(_), Some(from)) => (from.parse().ok(), announces),
        (Some(_), None) => (None, true),
        (None, _) => (None, announces),
    };
    let from = from.map(|from| Access::Repository(from, Action::Pull));
    from.into_iter().chain(any.then_some(Access::AnyBlob)).collect()
}

/// Everything that the caller must be allowed. Nothing for what touches no repository, such as `/v2/` itself: whoever is
/// known may ask that.
fn needed(method: &Method, route: &Route) -> Vec<Access> {
    let reads = matches!(*method, Method::GET | Method::HEAD);
    let (name, action) = match route {
        Route::Base => return Vec::new(),
        Route::Catalog => return vec![Access::Catalog],
        // Whoever may push may ask how far an upload is, and cancel it.
        Route::Uploads(name) | Route::Upload(name, _) => (name, Action::Push),
        Route::Tags(name) | Route::Referrers(name, _) | Route::Manifest(name, _) | Route::Blob(name, _) if reads => {
            (name, Action::Pull)
        }
        Route::Manifest(name, _) | Route::Blob(name, _) if *method == Method::DELETE => (name, Action::Delete),
        // Other methods end in 405, but only for those who may change something.
        Route::Tags(name) | Route::Referrers(name, _) | Route::Manifest(name, _) | Route::Blob(name, _) => {
            (name, Action::Push)
        }
    };
    vec![Access::Repository(name.clone(), action)]
}
