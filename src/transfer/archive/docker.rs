//! What `docker save` wrote before Docker 25, and others write still: `manifest.json`, configurations, and layers as
//! they are ("Docker Image Specification v1.2", "Combined Image JSON + Filesystem Changeset Format").

use std::{collections::HashMap, io, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::scan::Tar;
use crate::{
    client::Source,
    digest::{Algorithm, Digest, Hasher},
    manifest::{ContentReference, MAX_SIZE, Manifest, MediaType},
    transfer::{
        Origin, Planned, TransferError, index::choose, members::Members as _, pour::blocking, section::Section,
    },
};

/// The largest configuration that is read, in bytes.
const LARGEST_CONFIG: u64 = 8 << 20;
/// Bytes that are hashed at once.
const READ: u64 = 1 << 20;

/// One image of an archive, by the digests that it has in a registry.
pub(super) struct DockerArchive {
    place: String,
    root: Planned,
    blobs: HashMap<Digest, Section>,
}

/// An entry of `manifest.json`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Config {
    rootfs: RootFs,
}

#[derive(Deserialize)]
struct RootFs {
    #[serde(default)]
    diff_ids: Option<Vec<Digest>>,
}

impl DockerArchive {
    /// The image of `tar` that is meant by `wanted`; without that, the only one. An OCI image manifest is made for it.
    pub(super) async fn read(
        tar: Arc<Tar>,
        place: String,
        wanted: Option<&str>,
    ) -> Result<(Self, Planned), TransferError> {
        let (at, wanted) = (place.clone(), wanted.map(str::to_owned));
        let read = blocking(move || Ok(read(&tar, &at, wanted.as_deref()))).await;
        let (root, blobs) = read.map_err(|cause| TransferError::local(&place, cause))??;
        Ok((Self { place, root: root.clone(), blobs }, root))
    }
}

fn read(tar: &Tar, place: &str, wanted: Option<&str>) -> Result<(Planned, HashMap<Digest, Section>), TransferError> {
    let local = |cause: io::Error| TransferError::local(place, cause);
    let malformed = |what: String| TransferError::malformed(place, what);
    let Some(list) = tar.open("manifest.json").map_err(local)? else {
        return Err(malformed("holds no image: neither oci-layout nor manifest.json is in it".to_owned()));
    };
    let list = list.read(MAX_SIZE as u64).map_err(local)?;
    let entries: Vec<Entry> = serde_json::from_slice(&list)
        .map_err(|error| malformed(format!("has a manifest.json that is none: {error}")))?;
    let named: Vec<(&str, Vec<&str>)> = entries
        .iter()
        .map(|entry| (&*entry.config, entry.repo_tags.iter().flatten().map(String::as_str).collect()))
        .collect();
    let chosen = *choose(place, &named, wanted)?;
    let Some(Entry { config: path, layers, .. }) = entries.iter().find(|entry| entry.config == chosen) else {
        return Err(malformed("holds no image".to_owned()));
    };

    let member = |name: &str| {
        let lacks =
            || malformed(format!("lacks {:?}, which its manifest.json names", name.escape_default().to_string()));
        tar.open(name).map_err(local)?.ok_or_else(lacks)
    };
    let section = member(path)?;
    let config = section.read(LARGEST_CONFIG).map_err(local)?;
    let parsed: Config = serde_json::from_slice(&config)
        .map_err(|error| malformed(format!("has a configuration that is none: {error}")))?;
    let (layers, diff_ids) = (layers.clone().unwrap_or_default(), parsed.rootfs.diff_ids.unwrap_or_default());
    if layers.len() != diff_ids.len() {
        let what = format!("has {} layers, and their configuration names {}", layers.len(), diff_ids.len());
        return Err(malformed(what));
    }
    let config_digest = Digest::canonical(&config);
    let mut blobs = HashMap::from([(config_digest, section)]);
    let mut described = Vec::with_capacity(layers.len());
    for (name, diff_id) in layers.iter().zip(diff_ids) {
        let layer = member(name)?;
        let (kind, digest) = match *layer.head(4).map_err(local)? {
            [0x1f, 0x8b, ..] => ("+gzip", hash(&layer).map_err(local)?),
            [0x28, 0xb5, 0x2f, 0xfd] => ("+zstd", hash(&layer).map_err(local)?),
            // The digest of a layer that is not compressed is the one that the configuration has.
            _ => ("", diff_id),
        };
        described.push(json!({
            "mediaType": format!("application/vnd.oci.image.layer.v1.tar{kind}"),
            "digest": digest,
            "size": layer.size(),
        }));
        blobs.insert(digest, layer);
    }
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MediaType::OciImage.as_str(),
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": config_digest,
            "size": config.len(),
        },
        "layers": described,
    });
    let bytes = Bytes::from(manifest.to_string());
    let digest = Digest::canonical(&bytes);
    let refused = |fault| TransferError::Manifest { place: place.to_owned(), digest, fault };
    let manifest = Manifest::parse(None, bytes).map_err(refused)?;
    Ok((Planned { digest, manifest }, blobs))
}

fn hash(section: &Section) -> io::Result<Digest> {
    let mut hasher = Hasher::new(Algorithm::CANONICAL);
    let mut at = 0;
    while at < section.size() {
        let chunk = section.part(at, READ.min(section.size() - at))?;
        hasher.update(&chunk);
        at += chunk.len() as u64;
    }
    Ok(hasher.finish())
}

#[async_trait]
impl Origin for DockerArchive {
    fn place(&self) -> &str {
        &self.place
    }

    async fn manifest(&self, digest: &Digest) -> Result<Manifest, TransferError> {
        if *digest == self.root.digest {
            return Ok(self.root.manifest.clone());
        }
        Err(TransferError::Missing { place: self.place.clone(), what: "manifest", digest: *digest, by: None })
    }

    async fn blob(&self, blob: &ContentReference) -> Result<Arc<dyn Source>, TransferError> {
        match self.blobs.get(&blob.digest) {
            Some(section) => Ok(Arc::new(section.clone())),
            None => {
                Err(TransferError::Missing { place: self.place.clone(), what: "blob", digest: blob.digest, by: None })
            }
        }
    }

    async fn referrers(&self, _subject: &Digest) -> Result<Vec<Digest>, TransferError> {
        Ok(Vec::new())
    }
}
