//! `berth copy`.

use std::process::ExitCode;

use berth::transfer::{ImageName, RegistryDestination, RegistryOrigin};

use super::{Moving, Told};
use crate::{
    registry::{connect, context, image},
    work,
};

#[derive(clap::Args)]
pub(crate) struct Copy {
    /// HOST[:PORT]/NAME[:TAG|@DIGEST]; the tag is `latest` where there is none.
    #[arg(value_parser = image)]
    source: ImageName,
    /// HOST[:PORT]/NAME[:TAG]; the tag is the source's where there is none.
    destination: ImageName,
    #[command(flatten)]
    moving: Moving,
    /// Without TLS at both ends; on this machine that is so by itself.
    #[arg(long)]
    plain_http: bool,
    /// Without TLS to the source.
    #[arg(long)]
    from_plain_http: bool,
    /// Without TLS to the destination.
    #[arg(long)]
    to_plain_http: bool,
}

impl Copy {
    pub(crate) fn run(self) -> ExitCode {
        work::run(self.copy())
    }

    async fn copy(self) -> anyhow::Result<()> {
        let Self { source, mut destination, moving, plain_http, from_plain_http, to_plain_http } = self;
        if destination.tag.is_none() && destination.digest.is_none() {
            destination.tag.clone_from(&source.tag);
        }
        let from = connect(&source.host, plain_http || from_plain_http)?;
        // One registry is asked for its tokens once.
        let is_same = source.host == destination.host && from_plain_http == to_plain_http;
        let to = if is_same { from.clone() } else { connect(&destination.host, plain_http || to_plain_http)? };
        let origin = RegistryOrigin::new(&from, &context(), &source);
        // What people write has a tag or a digest by now.
        let Some(reference) = source.reference() else { anyhow::bail!("{source} has neither tag nor digest") };
        let root = origin.find(&reference).await?;
        let root = moving.narrow(&origin, root).await?;
        if let Some(digest) = destination.digest.filter(|digest| *digest != root.digest) {
            anyhow::bail!("{source} is {}, not {digest}; nothing was copied", root.digest);
        }
        let (called, came) = (destination.to_string(), source.to_string());
        let destination = RegistryDestination::new(&to, &context(), &destination);
        let told = Told { done: "copied to", source: &came, destination: &called, aside: false };
        moving.transfer(&origin, root, &destination, told).await
    }
}
