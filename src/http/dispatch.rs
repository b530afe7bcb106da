//! From a path and a method to the handler.

use axum::{body::Body, response::Response};
use http::Method;
use percent_encoding::percent_decode_str;

use super::{base, blobs, call::Call, catalog, fault::Fault, manifests, referrers, tags, uploads};
use crate::api::{Route, RouteFault};

/// What a request wants done. HEAD is a GET whose content is not wanted (RFC 9110, section 9.3.2).
enum Verb {
    Read,
    Post,
    Put,
    Patch,
    Delete,
    Other,
}

impl Verb {
    fn of(method: &Method) -> Self {
        match *method {
            Method::GET | Method::HEAD => Self::Read,
            Method::POST => Self::Post,
            Method::PUT => Self::Put,
            Method::PATCH => Self::Patch,
            Method::DELETE => Self::Delete,
            _ => Self::Other,
        }
    }
}

/// The answer to `call`, whose path leads to `route`.
pub(super) async fn dispatch(call: Call, route: Route, body: Body) -> Result<Response, Fault> {
    let deletes = call.options().deletes;
    match (Verb::of(&call.parts.method), route) {
        (Verb::Read, Route::Base) => Ok(base::get()),
        (Verb::Read, Route::Catalog) => catalog::list(&call).await,
        (Verb::Read, Route::Tags(name)) => tags::list(&call, &name).await,
        (Verb::Read, Route::Referrers(name, subject)) => referrers::list(&call, &name, &subject).await,
        (Verb::Read, Route::Manifest(name, reference)) => manifests::get(&call, &name, &reference).await,
        (Verb::Put, Route::Manifest(name, reference)) => manifests::put(&call, &name, reference, body).await,
        (Verb::Delete, Route::Manifest(name, reference)) if deletes => {
            manifests::delete(&call, &name, &reference).await
        }
        (Verb::Read, Route::Blob(name, digest)) => blobs::get(&call, &name, &digest).await,
        (Verb::Delete, Route::Blob(name, digest)) if deletes => blobs::delete(&call, &name, &digest).await,
        (Verb::Post, Route::Uploads(name)) => uploads::open(&call, &name, body).await,
        (Verb::Read, Route::Upload(name, id)) => uploads::status(&call, &name, &id).await,
        (Verb::Patch, Route::Upload(name, id)) => uploads::append(&call, &name, &id, body).await,
        (Verb::Put, Route::Upload(name, id)) => uploads::close(&call, &name, &id, body).await,
        (Verb::Delete, Route::Upload(name, id)) => uploads::cancel(&call, &name, &id).await,
        (_, route) => Err(Fault::method(&call.parts.method, allowed(&route, deletes))),
    }
}

/// The methods that a route has, as `Allow` lists them.
fn allowed(route: &Route, deletes: bool) -> &'static str {
    match route {
        Route::Base | Route::Catalog | Route::Tags(_) | Route::Referrers(..) => "GET, HEAD",
        Route::Manifest(..) if deletes => "GET, HEAD, PUT, DELETE",
        Route::Manifest(..) => "GET, HEAD, PUT",
        Route::Blob(..) if deletes => "GET, HEAD, DELETE",
        Route::Blob(..) => "GET, HEAD",
        Route::Uploads(_) => "POST",
        Route::Upload(..) => "GET, HEAD, PATCH, PUT, DELETE",
    }
}

/// The route of a path as it came. What is not UTF-8 becomes a character that no grammar takes.
pub(super) fn route(path: &str, prefix: &str) -> Result<Route, RouteFault> {
    let path = path.strip_prefix(prefix).ok_or(RouteFault::Unknown)?;
    Route::parse(&percent_decode_str(path).decode_utf8_lossy())
}
