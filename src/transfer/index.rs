//! The `index.json` of an OCI layout, and the image that somebody means by a name (OCI image specification, "Image
//! Layout Specification").

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Planned, TransferError};
use crate::{digest::Digest, manifest::MediaType};

/// The name within a layout.
pub(super) const REF_NAME: &str = "org.opencontainers.image.ref.name";
/// The whole name, as containerd and Docker write it.
pub(super) const IMAGE_NAME: &str = "io.containerd.image.name";

/// The file that says that a folder is a layout, and its content.
pub(super) const MARKER: (&str, &str) = ("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#);

/// The index. What is in it that is not known here stays.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Index {
    schema_version: u8,
    manifests: Vec<Value>,
    #[serde(flatten)]
    more: Map<String, Value>,
}

/// How an image is to be called in an index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// Its name within the layout: the tag.
    pub tag: Option<String>,
    /// Its whole name.
    pub image: Option<String>,
}

impl Index {
    pub(super) fn empty() -> Self {
        let media_type = ("mediaType".to_owned(), Value::from(MediaType::OciIndex.as_str()));
        Self { schema_version: 2, manifests: Vec::new(), more: Map::from_iter([media_type]) }
    }

    /// Reads one, of `place`.
    pub(super) fn read(place: &str, bytes: &[u8]) -> Result<Self, TransferError> {
        serde_json::from_slice(bytes)
            .map_err(|error| TransferError::malformed(place, format!("has an index.json that is none: {error}")))
    }

    pub(super) fn bytes(&self) -> Bytes {
        // Values, numbers and strings always serialize.
        serde_json::to_vec(self).unwrap_or_default().into()
    }

    /// Has it list `planned`, called by `names`; what was called so before is no more.
    pub(super) fn list(&mut self, planned: &Planned, names: &Names) {
        let Names { tag, image } = names;
        let is_same = |entry: &Value| {
            let called = |key| entry.get("annotations").and_then(|annotations| annotations.get(key)?.as_str());
            let is_it = entry.get("digest").and_then(Value::as_str) == Some(&planned.digest.to_string());
            match (called(REF_NAME), called(IMAGE_NAME)) {
                (None, None) => is_it,
                (entry, whole) => entry == tag.as_deref() && (whole.is_none() || whole == image.as_deref()),
            }
        };
        self.manifests.retain(|entry| !is_same(entry));
        let mut entry = json!({
            "mediaType": planned.manifest.media_type().as_str(),
            "digest": planned.digest,
            "size": planned.manifest.bytes().len(),
        });
        let annotations = [(REF_NAME, tag), (IMAGE_NAME, image)];
        let annotations: Map<String, Value> = annotations
            .into_iter()
            .filter_map(|(key, value)| Some((key.to_owned(), value.as_deref()?.into())))
            .collect();
        if !annotations.is_empty() {
            entry["annotations"] = annotations.into();
        }
        self.manifests.push(entry);
    }

    /// The digests of all that it lists, as far as they are digests.
    pub(super) fn digests(&self) -> Vec<Digest> {
        self.entries().map(|(digest, _)| digest).collect()
    }

    fn entries(&self) -> impl Iterator<Item = (Digest, Vec<&str>)> {
        self.manifests.iter().filter_map(|entry| {
            let digest = entry.get("digest")?.as_str()?.parse().ok()?;
            let annotations = entry.get("annotations");
            let name = |key| annotations?.get(key)?.as_str();
            Some((digest, [name(IMAGE_NAME), name(REF_NAME)].into_iter().flatten().collect()))
        })
    }

    /// The image that is meant by `wanted`, or, without that, the only one of `place`.
    pub(super) fn select(&self, place: &str, wanted: Option<&str>) -> Result<Digest, TransferError> {
        let all: Vec<(Digest, Vec<&str>)> = self.entries().collect();
        choose(place, &all, wanted).copied()
    }
}

/// The one of `all` that is meant by `wanted`, or, without that, the only one; each has a key and names.
pub(super) fn choose<'a, T: PartialEq + ToString>(
    place: &str,
    all: &'a [(T, Vec<&str>)],
    wanted: Option<&str>,
) -> Result<&'a T, TransferError> {
    let meant: Vec<&(T, Vec<&str>)> = match wanted {
        Some(wanted) => all
            .iter()
            .filter(|(key, names)| key.to_string() == wanted || names.iter().any(|name| means(wanted, name)))
            .collect(),
        // What has no name beside others that have is what refers to them.
        None => {
            let is_named = all.iter().any(|(_, names)| !names.is_empty());
            all.iter().filter(|(_, names)| !is_named || !names.is_empty()).collect()
        }
    };
    match meant[..] {
        [(first, _), ..] if meant.iter().all(|(key, _)| key == first) => Ok(first),
        _ => {
            let mut offered: Vec<String> = all
                .iter()
                .map(|(key, names)| names.first().map_or(key.to_string(), |name| (*name).to_owned()))
                .collect();
            offered.dedup();
            let offered = offered.iter().take(10).map(|name| name.escape_default().to_string());
            let offered = offered.collect::<Vec<_>>().join(", ");
            Err(TransferError::Choice(match (wanted, all.is_empty()) {
                (_, true) => format!("{place} holds no image"),
                (Some(wanted), _) if meant.is_empty() => format!("{place} holds no image {wanted}; it has {offered}"),
                _ => format!("{place} holds several images; choose one by --image: {offered}"),
            }))
        }
    }
}

/// Whether whoever says `wanted` may mean the image `name`: Docker leaves out what it takes for granted.
fn means(wanted: &str, name: &str) -> bool {
    let has_tag = wanted.rsplit('/').next().is_some_and(|last| last.contains(':'));
    let tagged = if has_tag { wanted.to_owned() } else { format!("{wanted}:latest") };
    name == wanted || ["", "docker.io/", "docker.io/library/"].iter().any(|before| *name == format!("{before}{tagged}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_as_people_call_them() {
        for (wanted, name, expected) in [
            ("app", "app:latest", true),
            ("app:1", "docker.io/library/app:1", true),
            ("team/app", "docker.io/team/app:latest", true),
            ("localhost:5000/app", "localhost:5000/app:latest", true),
            ("1.0", "1.0", true),
            ("app", "docker.io/library/app:1", false),
            ("app:1", "other/app:1", false),
        ] {
            assert_eq!(means(wanted, name), expected, "{wanted} for {name}");
        }
    }
}
