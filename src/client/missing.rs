//! What a registry says of content that a manifest names, or that is named by one.

use http::StatusCode;
use serde_json::Value;

use super::transport::Failure;
use crate::{
    digest::Digest,
    distribution::Missing,
    manifest::{Manifest, ReferenceKind},
};

/// The references of `manifest` that `failure` says the repository does not have; `None` when it is of another kind.
pub(super) fn missing(failure: &Failure, manifest: &Manifest) -> Option<Vec<Missing>> {
    let (_, said) = failure.answer()?;
    let unknown = ["MANIFEST_BLOB_UNKNOWN", "BLOB_UNKNOWN", "MANIFEST_UNKNOWN"];
    let is_of_it = |code: &str| unknown.contains(&code);
    let named =
        said.entries().iter().filter(|entry| is_of_it(&entry.code)).filter_map(|entry| digest(&entry.detail, "digest"));
    let mut missing: Vec<Missing> = Vec::new();
    for digest in named {
        let kind = manifest.references().iter().find(|reference| reference.digest == digest).map(|found| found.kind);
        if !missing.iter().any(|known| known.digest == digest) {
            missing.push(Missing { digest, manifest: kind == Some(ReferenceKind::Manifest) });
        }
    }
    // One that names none of them is no less of that kind.
    (!missing.is_empty() || said.has("MANIFEST_BLOB_UNKNOWN")).then_some(missing)
}

/// What `failure`, a refused deletion, says that still needs what was to be deleted: under `key` of an error's detail.
pub(super) fn in_use_by(failure: &Failure, key: &str) -> Option<Digest> {
    let (status, said) = failure.answer()?;
    let refused = matches!(status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::CONFLICT);
    said.entries().iter().filter(|_| refused).find_map(|entry| digest(&entry.detail, key))
}

/// The digest in `detail`: itself, or its member `key`. Registries differ in that.
fn digest(detail: &Value, key: &str) -> Option<Digest> {
    detail.get(key).or(Some(detail)).and_then(Value::as_str)?.parse().ok()
}
