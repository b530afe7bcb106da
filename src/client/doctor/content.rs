//! Content that no registry has, and that nobody else will ever push.

use bytes::Bytes;

use crate::{
    digest::Digest,
    manifest::{Manifest, ManifestFault},
};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// `size` random bytes.
pub(super) fn random(size: usize) -> Bytes {
    let mut bytes = vec![0; size];
    fastrand::fill(&mut bytes);
    bytes.into()
}

/// The configuration of an image, which is for no platform.
pub(super) fn config() -> Bytes {
    let id = uuid::Uuid::new_v4();
    let text = format!(
        r#"{{"architecture":"unknown","os":"unknown","created_by":"berth doctor {id}","rootfs":{{"type":"layers","diff_ids":[]}}}}"#
    );
    text.into()
}

/// The manifest of an image with one layer.
pub(super) fn manifest(config: &Bytes, layer: &Bytes) -> Result<Manifest, ManifestFault> {
    let descriptor = |kind: &str, content: &Bytes| {
        let (digest, size) = (Digest::canonical(content), content.len());
        format!(r#"{{"mediaType":"{kind}","digest":"{digest}","size":{size}}}"#)
    };
    let (config, layer) = (descriptor(CONFIG, config), descriptor(LAYER, layer));
    let text = format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[{layer}]}}"#);
    Manifest::parse(Some(MANIFEST), text.into())
}
