//! Images for tests.

use serde_json::{Value, json};

use crate::registry::Registry;

pub(crate) const OCI_IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A descriptor of `content`, of no particular type.
pub(crate) fn descriptor(content: &[u8]) -> Value {
    let digest = berth::digest::Digest::canonical(content);
    json!({ "mediaType": "application/octet-stream", "digest": digest, "size": content.len() })
}

/// An image whose configuration is `{}` and whose only layer is `layer`.
pub(crate) fn image(layer: &[u8]) -> Value {
    let mut config = descriptor(b"{}");
    config["mediaType"] = json!("application/vnd.oci.image.config.v1+json");
    json!({ "schemaVersion": 2, "mediaType": OCI_IMAGE, "config": config, "layers": [descriptor(layer)] })
}

/// An index of `manifests`, each an image's bytes.
pub(crate) fn index(manifests: &[&[u8]]) -> Value {
    let entry = |manifest: &&[u8]| {
        let mut entry = descriptor(manifest);
        entry["mediaType"] = json!(OCI_IMAGE);
        entry
    };
    json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests.iter().map(entry).collect::<Vec<_>>() })
}

/// The digest of a manifest.
pub(crate) fn digest(manifest: &[u8]) -> String {
    berth::digest::Digest::canonical(manifest).to_string()
}

/// Pushes the blobs of [`image`] and then the image to `name` by `reference`; returns its bytes.
pub(crate) async fn push_image(registry: &Registry, name: &str, reference: &str, layer: &[u8]) -> Vec<u8> {
    registry.push_blob(name, b"{}").await;
    registry.push_blob(name, layer).await;
    let manifest = image(layer).to_string().into_bytes();
    registry.push_manifest(name, reference, OCI_IMAGE, &manifest).await;
    manifest
}
