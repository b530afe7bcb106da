//! `berth push`.

use std::{path::PathBuf, process::ExitCode, sync::Arc};

use berth::transfer::{Archive, ImageName, LayoutOrigin, Origin, Planned, RegistryDestination};

use super::{Moving, Told};
use crate::{
    registry::{connect, context, image},
    work,
};

#[derive(clap::Args)]
pub(crate) struct Push {
    /// An OCI layout (a folder), an archive of `docker save` or of an OCI layout (a tar file), or `-` for such an archive
    /// on standard input, as in `docker save app:1 | berth push - registry.example.com/app:1`.
    source: PathBuf,
    /// What it is to be called: HOST[:PORT]/NAME[:TAG]; the tag is `latest` where there is none.
    #[arg(value_name = "IMAGE", value_parser = image)]
    name: ImageName,
    /// Which image, where the source holds several: its name or digest there.
    #[arg(long, value_name = "NAME")]
    image: Option<String>,
    #[command(flatten)]
    moving: Moving,
    /// Without TLS; on this machine that is so by itself.
    #[arg(long)]
    plain_http: bool,
}

impl Push {
    pub(crate) fn run(self) -> ExitCode {
        work::run(self.push())
    }

    async fn push(self) -> anyhow::Result<()> {
        let Self { name, moving, plain_http, .. } = &self;
        let registry = connect(&name.host, *plain_http)?;
        let (origin, root) = self.open().await?;
        let root = moving.narrow(&*origin, root).await?;
        if let Some(digest) = name.digest.filter(|digest| *digest != root.digest) {
            anyhow::bail!("{} is {}, not {digest}; nothing was pushed", origin.place(), root.digest);
        }
        let destination = RegistryDestination::new(&registry, &context(), name);
        let (source, called) = (origin.place().to_owned(), name.to_string());
        let told = Told { done: "pushed", source: &source, destination: &called, aside: false };
        moving.transfer(&*origin, root, &destination, told).await
    }

    async fn open(&self) -> anyhow::Result<(Arc<dyn Origin>, Planned)> {
        let Self { source, image, .. } = self;
        let image = image.as_deref();
        if source.as_os_str() == "-" {
            return Ok(Archive::of_input(image).await?);
        }
        if source.is_dir() {
            let layout = LayoutOrigin::open(source).await?;
            let root = layout.find(image).await?;
            return Ok((Arc::new(layout), root));
        }
        Ok(Archive::open(source, image).await?)
    }
}
