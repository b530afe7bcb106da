//! From bytes to a manifest.

use std::collections::{BTreeMap, HashMap, hash_map};

use bytes::Bytes;
use serde::Deserialize;

use super::{ContentReference, Manifest, MediaType, ReferenceKind};
use crate::digest::Digest;

/// Why bytes are no manifest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestFault {
    /// Not JSON, nested too deeply, or of another form than its type has.
    #[error("not a manifest: {0}")]
    Form(String),
    /// The Content-Type header names a type that is no manifest.
    #[error(
        "media type '{0}' is not supported; use an OCI image manifest or index, or a Docker schema 2 manifest or manifest list"
    )]
    MediaType(String),
    /// The Content-Type header and the body's `mediaType` differ.
    #[error("the body's mediaType is '{body}', but its Content-Type is '{header}'")]
    Clash {
        /// As the header says.
        header: String,
        /// As the body says.
        body: String,
    },
}

/// The union of the four forms. Fields that Berth does not use are left unread.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    schema_version: u64,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Entry>,
    layers: Option<Vec<Entry>>,
    manifests: Option<Vec<Entry>>,
    subject: Option<Entry>,
    annotations: Option<BTreeMap<String, String>>,
    /// Only schema 1 has it: refused, since its references would go unseen.
    fs_layers: Option<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    media_type: Option<String>,
    digest: Digest,
    size: u64,
    #[serde(default)]
    urls: Option<Vec<String>>,
}

/// How deep lists and objects may lie in one another. Common readers stop at a hundred or more; real manifests have 5.
const DEEPEST: usize = 64;

pub(super) fn parse(content_type: Option<&str>, bytes: Bytes) -> Result<Manifest, ManifestFault> {
    let form = |error: &dyn std::fmt::Display| ManifestFault::Form(error.to_string());
    // serde_json checks neither encoding nor depth of what it skips; a reader that skips less would stumble.
    let text = std::str::from_utf8(&bytes).map_err(|error| form(&error))?;
    if is_too_deep(text) {
        return Err(form(&format!("lists and objects lie more than {DEEPEST} deep in one another")));
    }
    // A byte-order mark or trailing bytes are errors to serde_json.
    let body: Body = serde_json::from_str(text).map_err(|error| form(&error))?;
    let media_type = media_type(content_type, &body)?;
    check_form(media_type, &body)?;

    let mut references: Vec<ContentReference> = Vec::new();
    let mut places = HashMap::new();
    let mut add = |entry: &Entry, kind| match places.entry(entry.digest) {
        hash_map::Entry::Vacant(place) => {
            place.insert(references.len());
            references.push(ContentReference { digest: entry.digest, size: entry.size, kind });
        }
        // That it may be fetched elsewhere in one place does not excuse it in another.
        hash_map::Entry::Occupied(place) => {
            if let Some(known) = references.get_mut(*place.get())
                && known.kind == ReferenceKind::ForeignBlob
            {
                known.kind = kind;
            }
        }
    };
    if let Some(config) = &body.config {
        add(config, ReferenceKind::Blob);
    }
    for layer in body.layers.iter().flatten() {
        let foreign = layer.urls.as_ref().is_some_and(|urls| !urls.is_empty());
        add(layer, if foreign { ReferenceKind::ForeignBlob } else { ReferenceKind::Blob });
    }
    for manifest in body.manifests.iter().flatten() {
        add(manifest, ReferenceKind::Manifest);
    }
    Ok(Manifest {
        media_type,
        references,
        subject: body.subject.map(|subject| subject.digest),
        artifact_type: body
            .artifact_type
            .filter(|kind| !kind.is_empty())
            .or_else(|| body.config.and_then(|config| config.media_type)),
        annotations: body.annotations.unwrap_or_default(),
        bytes,
    })
}

/// Whether lists and objects lie too deep in one another. Of what is no JSON it may say anything.
fn is_too_deep(text: &str) -> bool {
    let (mut depth, mut in_string, mut escaped) = (0usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEEPEST {
            return true;
        }
    }
    false
}

/// From the header, else the body's own word, else its form.
fn media_type(header: Option<&str>, body: &Body) -> Result<MediaType, ManifestFault> {
    let of_body = match body.media_type.as_deref().filter(|text| !text.is_empty()) {
        Some(text) => Some(MediaType::of_header(text).ok_or_else(|| ManifestFault::MediaType(text.to_owned()))?),
        None => None,
    };
    let of_header = match header.map(str::trim).filter(|text| !text.is_empty()) {
        Some(text) => Some(MediaType::of_header(text).ok_or_else(|| ManifestFault::MediaType(text.to_owned()))?),
        None => None,
    };
    match (of_header, of_body) {
        (Some(header), Some(body)) if header != body => {
            Err(ManifestFault::Clash { header: header.to_string(), body: body.to_string() })
        }
        (Some(known), _) | (None, Some(known)) => Ok(known),
        (None, None) if body.manifests.is_some() => Ok(MediaType::OciIndex),
        (None, None) => Ok(MediaType::OciImage),
    }
}

/// Refuses what two readers could take for two things: an image with `manifests`, an index with `layers`
/// (CVE-2021-41190, "ambiguous content type").
fn check_form(media_type: MediaType, body: &Body) -> Result<(), ManifestFault> {
    let fault = |text: &str| Err(ManifestFault::Form(format!("{text} ({media_type})")));
    if body.schema_version != 2 {
        return fault("schemaVersion must be 2");
    }
    if body.fs_layers.is_some() {
        return fault("fsLayers belong to schema 1, which is not supported");
    }
    if media_type.is_index() {
        if body.layers.is_some() || body.config.is_some() {
            return fault("an index has neither config nor layers");
        }
        if body.manifests.is_none() {
            return fault("an index has a list of manifests");
        }
    } else {
        if body.manifests.is_some() {
            return fault("an image has no manifests");
        }
        if body.config.is_none() {
            return fault("an image has a config");
        }
        if body.layers.is_none() {
            return fault("an image has a list of layers");
        }
    }
    if media_type == MediaType::DockerImage || media_type == MediaType::DockerList {
        return Ok(());
    }
    for entry in body.manifests.iter().flatten().chain(body.layers.iter().flatten()).chain(&body.config) {
        if entry.media_type.as_deref().is_none_or(str::is_empty) {
            return fault("each descriptor has a mediaType");
        }
    }
    Ok(())
}

/// See [`super::stored_media_type`].
pub(super) fn stored_media_type(bytes: &[u8]) -> String {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Outline {
        media_type: Option<String>,
        schema_version: Option<u64>,
        signatures: Option<serde::de::IgnoredAny>,
    }
    let text = match serde_json::from_slice::<Outline>(bytes) {
        Ok(Outline { media_type: Some(said), .. }) if !said.is_empty() => return said,
        Ok(Outline { schema_version: Some(1), signatures: Some(_), .. }) => {
            "application/vnd.docker.distribution.manifest.v1+prettyjws"
        }
        Ok(Outline { schema_version: Some(1), .. }) => "application/vnd.docker.distribution.manifest.v1+json",
        _ => crate::descriptor::OCTET_STREAM,
    };
    text.to_owned()
}
