//! `berth inspect`.

mod found;

use std::process::ExitCode;

use berth::transfer::{ImageName, Plan, Platform, RegistryOrigin, select};

use self::found::Found;
use crate::{
    registry::{connect, context, image, print, print_json},
    work,
};

#[derive(clap::Args)]
pub(crate) struct Inspect {
    /// HOST[:PORT]/NAME[:TAG|@DIGEST]; the tag is `latest` where there is none.
    #[arg(value_name = "IMAGE", value_parser = image)]
    name: ImageName,
    /// Only the image for this platform, as in linux/arm64.
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    platform: Option<Platform>,
    /// Say what refers to it, too.
    #[arg(long)]
    referrers: bool,
    /// Print the manifest as it is, byte for byte.
    #[arg(long, conflicts_with_all = ["json", "referrers"])]
    raw: bool,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Without TLS; on this machine that is so by itself.
    #[arg(long)]
    plain_http: bool,
}

/// Manifests that are asked for at once.
const JOBS: usize = 4;

impl Inspect {
    pub(crate) fn run(self) -> ExitCode {
        work::run(self.inspect())
    }

    async fn inspect(self) -> anyhow::Result<()> {
        let registry = connect(&self.name.host, self.plain_http)?;
        let origin = RegistryOrigin::new(&registry, &context(), &self.name);
        // What people write has a tag or a digest by now.
        let Some(reference) = self.name.reference() else { anyhow::bail!("{} has neither tag nor digest", self.name) };
        let mut root = origin.find(&reference).await?;
        if let Some(platform) = &self.platform {
            root = select(&origin, root, platform).await?;
        }
        if self.raw {
            return print(std::str::from_utf8(root.manifest.bytes())?);
        }
        let plan = Plan::of(&origin, root, self.referrers, JOBS).await?;
        let found = Found::of(&origin, &self.name, &plan).await?;
        if self.json { print_json(&found) } else { print(&found.text()) }
    }
}
