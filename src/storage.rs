//! The interfaces over a storage driver and a descriptor cache.
//!
//! Two layers of blobs: [`blob_store`] is global and knows no access control; `linked_blob_store` is the view of one
//! repository, whose links are the access check.

mod api_keys;
mod blob_service;
pub mod blob_store;
mod cached_statter;
mod catalog;
mod digest_map;
mod edge_secrets;
mod layers;
mod linked_blob_store;
mod links;
mod look_ahead;
mod manifests;
mod path_spec;
mod purge_uploads;
mod registry;
mod signature_store;
mod stored_keys;
mod tag_store;
mod upload;

pub use api_keys::ApiKeys;
pub use edge_secrets::{EdgeSecrets, EdgeSecretsError, Issued, Location};
pub use path_spec::PathSpec;
pub use purge_uploads::{Purged, purge_uploads};
pub use registry::{Options, StorageRegistry, Validation};
pub use stored_keys::StoredKeys;
pub use upload::{DirectOptions, UploadSecret, UploadSecrets};

use crate::driver::{DriverError, DriverErrorKind, Path, PathError};

/// The path of `place`. Only an upload id from outside could be no path component, and the router refuses those.
fn path(place: PathSpec<'_>) -> Result<Path, DriverError> {
    place.path().map_err(no_path)
}

/// What is no path names nothing that could be there.
fn no_path(fault: PathError) -> DriverError {
    DriverError { kind: DriverErrorKind::NotFound, path: Path::root(), message: fault.to_string() }
}
