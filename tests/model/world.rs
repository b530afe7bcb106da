//! The plain map that a registry is held against.

use std::collections::{BTreeMap, BTreeSet};

use berth::{
    digest::{Algorithm, Digest},
    manifest::{Manifest, MediaType},
};
use bytes::Bytes;

use crate::operation::{BLOBS, Which};

/// A repository of the model.
#[derive(Debug, Default, Clone)]
pub(crate) struct Repository {
    /// Blobs that it links.
    pub layers: BTreeSet<usize>,
    /// Blobs that it links by their sha512 as well.
    pub by_sha512: BTreeSet<usize>,
    /// Manifests that it has.
    pub manifests: BTreeSet<Which>,
    /// What its tags point at.
    pub tags: BTreeMap<usize, Which>,
}

/// The registry of the model.
#[derive(Debug, Default)]
pub(crate) struct World {
    /// By their place in `REPOSITORIES`.
    pub repositories: [Repository; 3],
    /// Blobs that were ever stored.
    pub stored: BTreeSet<usize>,
}

impl Repository {
    /// Whether it holds anything.
    pub(crate) fn exists(&self) -> bool {
        !self.layers.is_empty() || !self.manifests.is_empty()
    }

    /// A manifest that names blob `blob`.
    pub(crate) fn names_blob(&self, blob: usize) -> bool {
        self.manifests.iter().any(|manifest| manifest.blobs().contains(&blob))
    }

    /// An index that names manifest `which`.
    pub(crate) fn names_manifest(&self, which: Which) -> bool {
        self.manifests.iter().any(|manifest| manifest.children().contains(&which))
    }
}

impl Which {
    /// The blobs that it names.
    pub(crate) fn blobs(self) -> BTreeSet<usize> {
        match self {
            Self::Image(layers) => layers_of(layers).chain([1]).collect(),
            Self::Index(..) => BTreeSet::new(),
            Self::Artifact(_) => BTreeSet::from([1]),
        }
    }

    /// The manifests that it names.
    pub(crate) fn children(self) -> BTreeSet<Self> {
        match self {
            Self::Index(one, other) => BTreeSet::from([Self::Image(one), Self::Image(other)]),
            Self::Image(_) | Self::Artifact(_) => BTreeSet::new(),
        }
    }

    /// What it refers to.
    pub(crate) fn subject(self) -> Option<Self> {
        match self {
            Self::Artifact(image) => Some(Self::Image(image)),
            Self::Image(_) | Self::Index(..) => None,
        }
    }

    /// Its bytes.
    pub(crate) fn bytes(self) -> Bytes {
        let blob = |index: usize, kind: &str| {
            let digest = blob_digest(index);
            format!(r#"{{"mediaType":"application/vnd.{kind}","digest":"{digest}","size":{}}}"#, BLOBS[index].len())
        };
        let manifest = |which: Self| {
            let (digest, size) = (which.digest(), which.bytes().len());
            format!(r#"{{"mediaType":"{}","digest":"{digest}","size":{size}}}"#, MediaType::OciImage)
        };
        let text = match self {
            Self::Image(layers) => {
                let layers: Vec<String> = layers_of(layers).map(|index| blob(index, "layer")).collect();
                format!(r#"{{"schemaVersion":2,"config":{},"layers":[{}]}}"#, blob(1, "config"), layers.join(","))
            }
            Self::Index(one, other) => {
                let (one, other) = (manifest(Self::Image(one)), manifest(Self::Image(other)));
                format!(r#"{{"schemaVersion":2,"manifests":[{one},{other}]}}"#)
            }
            Self::Artifact(image) => {
                let (config, subject) = (blob(1, "config"), manifest(Self::Image(image)));
                format!(
                    r#"{{"schemaVersion":2,"artifactType":"test/{image}","config":{config},"layers":[],"subject":{subject}}}"#
                )
            }
        };
        Bytes::from(text)
    }

    /// Its digest.
    pub(crate) fn digest(self) -> Digest {
        Digest::canonical(&self.bytes())
    }

    /// As it is put.
    pub(crate) fn manifest(self) -> Manifest {
        Manifest::parse(None, self.bytes()).expect("the model's manifests are well formed")
    }
}

/// The digest of blob `index`.
pub(crate) fn blob_digest(index: usize) -> Digest {
    Digest::canonical(BLOBS[index])
}

/// Its provisional digest.
pub(crate) fn blob_sha512(index: usize) -> Digest {
    Digest::of(Algorithm::Sha512, BLOBS[index])
}

/// Blobs 0, 2 and 3, as the bits of `layers` say.
fn layers_of(layers: u8) -> impl Iterator<Item = usize> {
    [0, 2, 3].into_iter().enumerate().filter(move |(bit, _)| layers & (1 << bit) != 0).map(|(_, index)| index)
}
