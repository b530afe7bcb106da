//! `berth rm`.

use std::process::ExitCode;

use berth::{
    client::Registry,
    distribution::{ManifestError, Repository as _, TagError},
    name::Reference,
    transfer::ImageName,
};
use serde_json::json;

use crate::{
    registry::{connect, context, print, print_json},
    work,
};

#[derive(clap::Args)]
pub(crate) struct Rm {
    /// HOST[:PORT]/NAME:TAG removes a tag, and keeps the manifest; HOST[:PORT]/NAME@DIGEST removes the manifest and every
    /// tag of it.
    #[arg(required = true, value_name = "IMAGE", value_parser = named)]
    images: Vec<ImageName>,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Without TLS; on this machine that is so by itself.
    #[arg(long)]
    plain_http: bool,
}

/// Reads a name that says clearly what is to go.
fn named(text: &str) -> Result<ImageName, String> {
    let name: ImageName = text.parse().map_err(|error: berth::transfer::ImageNameError| error.to_string())?;
    match (&name.tag, &name.digest) {
        (Some(_), None) | (None, Some(_)) => Ok(name),
        (None, None) => Err("it names neither a tag nor a digest; what is to be removed?".to_owned()),
        (Some(_), Some(_)) => Err("it names a tag and a digest; which of them is to be removed?".to_owned()),
    }
}

impl Rm {
    pub(crate) fn run(self) -> ExitCode {
        work::run(self.remove())
    }

    async fn remove(self) -> anyhow::Result<()> {
        let mut removed = Vec::new();
        for image in &self.images {
            let registry = connect(&image.host, self.plain_http)?;
            remove(&registry, image).await?;
            removed.push(image.to_string());
            if !self.json {
                print(&format!("removed {image}\n"))?;
            }
        }
        if self.json { print_json(&json!({ "removed": removed })) } else { Ok(()) }
    }
}

async fn remove(registry: &Registry, image: &ImageName) -> anyhow::Result<()> {
    let (ctx, remote, host) = (context(), registry.remote(&image.repository), &image.host);
    match image.reference() {
        Some(Reference::Tag(tag)) => match remote.tags().untag(&ctx, &tag).await {
            Ok(()) => Ok(()),
            Err(TagError::Backend(error)) if error.message.contains(" 405 ") || error.message.contains(" 400 ") => {
                let advice = "a registry that removes no single tags may remove the manifest, with all its tags, by its \
                              digest, which berth inspect says";
                anyhow::bail!("{error}; {advice}")
            }
            Err(error @ TagError::Backend(_)) => Err(error.into()),
            Err(error) => anyhow::bail!("{host}: {error}"),
        },
        Some(Reference::Digest(digest)) => match remote.manifests().delete(&ctx, &digest).await {
            Ok(()) => Ok(()),
            Err(error @ ManifestError::Backend(_)) => Err(error.into()),
            Err(error) => anyhow::bail!("{host}: {error}"),
        },
        None => anyhow::bail!("{image} names neither a tag nor a digest"),
    }
}
