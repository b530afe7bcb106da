//! What a request wants to do, by its method and route.

use http::Method;

use crate::{
    api::Route,
    auth::{Access, Action},
};

/// Everything that the caller must be allowed. Nothing for what touches no repository, such as `/v2/` itself: whoever is
/// known may ask that.
pub(super) fn wanted(method: &Method, route: &Route) -> Vec<Access> {
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
