//! The image of the budgets: four layers and a configuration, 29 MB.
#![allow(dead_code)] // other suites use a part

use berth::digest::Digest;
use bytes::Bytes;

/// An image, as a client holds it.
pub(crate) struct Image {
    /// Layers and, last, the configuration.
    pub blobs: Vec<Bytes>,
    /// The manifest.
    pub manifest: Bytes,
}

impl Image {
    /// The image of `seed`: its bytes differ from those of any other.
    pub(crate) fn new(seed: u64) -> Self {
        let sizes = [8 << 20, 12 << 20, 7 << 20, 2 << 20];
        let mut blobs: Vec<Bytes> =
            sizes.iter().enumerate().map(|(n, size)| noise(seed * 8 + n as u64, *size)).collect();
        blobs.push(Bytes::from(format!(r#"{{"architecture":"amd64","os":"linux","seed":{seed}}}"#)));
        let entry = |blob: &Bytes, kind: &str| {
            let (digest, size) = (Digest::canonical(blob), blob.len());
            format!(r#"{{"mediaType":"application/vnd.oci.image.{kind}","digest":"{digest}","size":{size}}}"#)
        };
        let layers: Vec<String> = blobs[..4].iter().map(|blob| entry(blob, "layer.v1.tar")).collect();
        let manifest = format!(
            r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{},"layers":[{}]}}"#,
            entry(&blobs[4], "config.v1+json"),
            layers.join(",")
        );
        Self { blobs, manifest: Bytes::from(manifest) }
    }
}

/// Bytes that no two seeds share and nothing compresses.
pub(crate) fn noise(seed: u64, size: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut bytes = Vec::with_capacity(size + 8);
    while bytes.len() < size {
        // xorshift64 (Marsaglia, 2003)
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(size);
    Bytes::from(bytes)
}
