//! What an image is made of, for people and for programs.

use std::{collections::BTreeMap, fmt::Write as _};

use berth::{
    digest::Digest,
    transfer::{Child, ImageName, Origin, Plan, Planned, children, configured},
};
use indicatif::DecimalBytes;
use serde::{Deserialize, Serialize};

/// A manifest, and all that it names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Found {
    reference: String,
    digest: Digest,
    media_type: &'static str,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<Digest>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
    /// Of all blobs, each once, and all manifests.
    total: u64,
    images: Vec<Image>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    referrers: Vec<Referring>,
}

/// An image of an index, or the only one.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Image {
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    digest: Digest,
    media_type: &'static str,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    config: Option<Blob>,
    layers: Vec<Blob>,
    /// Of its manifest, its configuration and its layers.
    total: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Referring {
    digest: Digest,
    subject: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    size: u64,
}

/// A descriptor, as far as it is told.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Blob {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<String>,
    digest: Digest,
    size: u64,
}

impl Found {
    pub(super) async fn of(origin: &dyn Origin, name: &ImageName, plan: &Plan) -> anyhow::Result<Self> {
        let Planned { digest, manifest } = plan.root();
        let listed: Vec<Child> = plan.manifests().flat_map(|planned| children(&planned.manifest)).collect();
        let mut images = Vec::new();
        for planned in plan.images() {
            let child = listed.iter().find(|child| child.digest == planned.digest);
            let mut image = Image::of(planned, child);
            if child.is_none() && planned.digest == *digest {
                image.platform = configured(origin, &planned.manifest).await?.map(|platform| platform.to_string());
            }
            images.push(image);
        }
        let referrers = plan.referrers().map(|planned| Referring {
            digest: planned.digest,
            subject: planned.manifest.subject().copied(),
            artifact_type: planned.manifest.artifact_type().map(str::to_owned),
            size: planned.manifest.bytes().len() as u64,
        });
        Ok(Self {
            reference: name.to_string(),
            digest: *digest,
            media_type: manifest.media_type().as_str(),
            size: manifest.bytes().len() as u64,
            artifact_type: manifest.artifact_type().map(str::to_owned),
            subject: manifest.subject().copied(),
            annotations: manifest.annotations().clone(),
            total: plan.total(),
            images,
            referrers: referrers.collect(),
        })
    }

    /// In lines.
    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |name: &str, value: &dyn std::fmt::Display| {
            let _ = writeln!(text, "{name:<12}{value}"); // a string takes everything
        };
        line("image", &self.reference);
        line("digest", &self.digest);
        line("type", &self.media_type);
        if let Some(kind) = &self.artifact_type {
            line("artifact", &shown(kind));
        }
        if let Some(subject) = &self.subject {
            line("refers to", subject);
        }
        line("size", &format!("{} in all", DecimalBytes(self.total)));
        for (key, value) in &self.annotations {
            line("annotation", &format!("{} = {}", shown(key), shown(value)));
        }
        for image in &self.images {
            line("platform", &image.platform.as_deref().map_or("not said".to_owned(), shown));
            line("  manifest", &format!("{} {}", image.digest, DecimalBytes(image.size)));
            if let Some(config) = &image.config {
                line("  config", &format!("{} {}", config.digest, DecimalBytes(config.size)));
            }
            for layer in &image.layers {
                line("  layer", &format!("{} {}", layer.digest, DecimalBytes(layer.size)));
            }
            line("  in all", &DecimalBytes(image.total));
        }
        for referrer in &self.referrers {
            let kind = referrer.artifact_type.as_deref().map(shown).unwrap_or_default();
            line("referrer", &format!("{} {kind}", referrer.digest));
        }
        text
    }
}

impl Image {
    fn of(planned: &Planned, child: Option<&Child>) -> Self {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Parts {
            config: Option<Blob>,
            layers: Vec<Blob>,
        }
        let Planned { digest, manifest } = planned;
        let Parts { config, layers } = serde_json::from_slice(manifest.bytes()).unwrap_or_default();
        let size = manifest.bytes().len() as u64;
        Self {
            platform: child.and_then(|child| child.platform.as_ref()).map(ToString::to_string),
            digest: *digest,
            media_type: manifest.media_type().as_str(),
            size,
            total: size + config.iter().chain(&layers).map(|blob| blob.size).sum::<u64>(),
            config,
            layers,
        }
    }
}

/// What somebody wrote, without what a terminal could be told by it.
fn shown(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
