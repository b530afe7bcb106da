//! Platforms, and the images of an index that are for them (OCI image specification, "OCI Image Index Specification").

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Origin, Planned, TransferError};
use crate::{
    digest::Digest,
    manifest::{ContentReference, Manifest, ReferenceKind},
};

/// The largest image configuration that is read, in bytes.
const LARGEST_CONFIG: u64 = 8 << 20;

/// `OS/ARCHITECTURE[/VARIANT]`, as in `linux/arm64`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Platform {
    os: String,
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
}

/// A text that names no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a platform is OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, as in linux/amd64 or linux/arm/v7")]
pub struct PlatformError;

/// An entry of an index.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Child {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// What it is for, if it says so.
    #[serde(default)]
    pub platform: Option<Platform>,
}

impl Platform {
    /// Of containers on this machine.
    pub fn here() -> Self {
        let (architecture, variant) = match std::env::consts::ARCH {
            "x86_64" => ("amd64", None),
            "aarch64" => ("arm64", None),
            "arm" => ("arm", Some("v7")),
            "x86" => ("386", None),
            "powerpc64" => ("ppc64le", None),
            other => (other, None),
        };
        Self { os: "linux".to_owned(), architecture: architecture.to_owned(), variant: variant.map(str::to_owned) }
    }

    /// Whether an image for `self` is what whoever asks for `wanted` means.
    fn suits(&self, wanted: &Self) -> bool {
        // What arm64 is without a variant ("Platform Variants").
        let variant = |platform: &Self| match (&*platform.architecture, platform.variant.as_deref()) {
            ("arm64", None | Some("")) => "v8".to_owned(),
            (_, variant) => variant.unwrap_or_default().to_owned(),
        };
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (wanted.variant.is_none() || variant(self) == variant(wanted))
    }
}

/// What the index `manifest` lists, in its order; nothing for an image.
pub fn children(manifest: &Manifest) -> Vec<Child> {
    #[derive(Deserialize)]
    struct Index {
        #[serde(default)]
        manifests: Vec<Child>,
    }
    // It was parsed before; what has no platform of this form has none.
    let index = serde_json::from_slice::<Index>(manifest.bytes());
    let bare = |reference: &ContentReference| Child { digest: reference.digest, size: reference.size, platform: None };
    let listed = manifest.references().iter().filter(|reference| reference.kind == ReferenceKind::Manifest);
    index.map_or_else(|_| listed.map(bare).collect(), |index| index.manifests)
}

/// The image for `wanted` below `root`.
///
/// # Errors
/// [`TransferError::Choice`] says which platforms there are; those of `origin`.
pub async fn select(origin: &dyn Origin, root: Planned, wanted: &Platform) -> Result<Planned, TransferError> {
    if !root.manifest.media_type().is_index() {
        return check(origin, root, wanted).await;
    }
    let children = children(&root.manifest);
    let suits = |child: &&Child| child.platform.as_ref().is_some_and(|platform| platform.suits(wanted));
    match children.iter().find(suits) {
        Some(child) => {
            let manifest = origin.manifest(&child.digest).await.map_err(|error| error.named(root.digest))?;
            Ok(Planned { digest: child.digest, manifest })
        }
        None => {
            let mut offered: Vec<String> = children
                .iter()
                .filter_map(|child| child.platform.as_ref().map(Platform::to_string))
                .filter(|platform| platform != "unknown/unknown")
                .collect();
            offered.dedup();
            let offered = if offered.is_empty() { "none that is named".to_owned() } else { offered.join(", ") };
            let place = origin.place();
            Err(TransferError::Choice(format!("{place} has no image for {wanted}; it has {offered}")))
        }
    }
}

/// That the image `root` is for `wanted`, as far as its configuration says.
async fn check(origin: &dyn Origin, root: Planned, wanted: &Platform) -> Result<Planned, TransferError> {
    match configured(origin, &root.manifest).await? {
        Some(platform) if !platform.suits(wanted) => {
            let place = origin.place();
            Err(TransferError::Choice(format!("{place} has no image for {wanted}; its only one is for {platform}")))
        }
        _ => Ok(root),
    }
}

/// What the image `manifest` of `origin` is for, as its configuration says, if it says so.
///
/// # Errors
/// Those of `origin`.
pub async fn configured(origin: &dyn Origin, manifest: &Manifest) -> Result<Option<Platform>, TransferError> {
    let config = manifest.references().first().filter(|config| config.size <= LARGEST_CONFIG);
    let Some(config) = config.filter(|config| config.kind == ReferenceKind::Blob) else { return Ok(None) };
    let bytes = super::engine::small(origin, config).await?;
    let said = serde_json::from_slice::<Platform>(&bytes).ok();
    Ok(said.filter(|platform| !platform.os.is_empty() && !platform.architecture.is_empty()))
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let is_word = |word: &&str| {
            !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        let parts: Vec<&str> = text.split('/').collect();
        let (os, architecture, variant) = match parts[..] {
            [os, architecture] => (os, architecture, None),
            [os, architecture, variant] => (os, architecture, Some(variant)),
            _ => return Err(PlatformError),
        };
        if !parts.iter().all(is_word) {
            return Err(PlatformError);
        }
        let [os, architecture] = [os, architecture].map(str::to_ascii_lowercase);
        Ok(Self { os, architecture, variant: variant.map(str::to_ascii_lowercase) })
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.architecture)?;
        match self.variant.as_deref() {
            Some(variant) if !variant.is_empty() => write!(f, "/{variant}"),
            _ => Ok(()),
        }
    }
}

impl Serialize for Platform {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_image_is_for_whom() {
        for (image, wanted, expected) in [
            ("linux/amd64", "linux/amd64", true),
            ("linux/amd64", "linux/arm64", false),
            ("windows/amd64", "linux/amd64", false),
            ("linux/arm64", "linux/arm64/v8", true),
            ("linux/arm64/v8", "linux/arm64", true),
            ("linux/arm/v6", "linux/arm", true),
            ("linux/arm/v6", "linux/arm/v7", false),
            ("linux/arm", "linux/arm/v7", false),
        ] {
            let [image, wanted]: [Platform; 2] = [image, wanted].map(|text| text.parse().unwrap());
            assert_eq!(image.suits(&wanted), expected, "{image} for {wanted}");
        }
        for text in ["linux", "", "linux/", "/amd64", "linux/arm/v7/x", "linux/am d64"] {
            assert_eq!(text.parse::<Platform>(), Err(PlatformError), "{text:?}");
        }
    }
}
