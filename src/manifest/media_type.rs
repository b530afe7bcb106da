//! The media types of manifests.

use std::fmt;

/// A manifest's media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// OCI image manifest.
    OciImage,
    /// OCI image index.
    OciIndex,
    /// Docker image manifest, version 2, schema 2.
    DockerImage,
    /// Docker manifest list.
    DockerList,
}

impl MediaType {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::OciImage, Self::OciIndex, Self::DockerImage, Self::DockerList];

    /// The type as it stands in headers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OciImage => "application/vnd.oci.image.manifest.v1+json",
            Self::OciIndex => "application/vnd.oci.image.index.v1+json",
            Self::DockerImage => "application/vnd.docker.distribution.manifest.v2+json",
            Self::DockerList => "application/vnd.docker.distribution.manifest.list.v2+json",
        }
    }

    /// Whether it lists manifests, rather than layers.
    pub const fn is_index(self) -> bool {
        matches!(self, Self::OciIndex | Self::DockerList)
    }

    /// The type that a header's value names; its parameters are ignored (OCI distribution specification,
    /// "Pushing Manifests": "The registry SHOULD ignore parameters").
    pub fn of_header(value: &str) -> Option<Self> {
        let essence = value.split(';').next().unwrap_or_default().trim();
        Self::ALL.into_iter().find(|known| known.as_str().eq_ignore_ascii_case(essence))
    }
}

impl fmt::Display for MediaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
