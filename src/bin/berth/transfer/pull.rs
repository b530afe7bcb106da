//! `berth pull`.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use berth::transfer::{
    ArchiveDestination, ArchiveForm, Destination, ImageName, LayoutDestination, Names, Platform, RegistryOrigin,
};
use clap::ValueEnum;

use super::{Moving, Told};
use crate::{
    registry::{connect, context, image},
    work,
};

#[derive(clap::Args)]
pub(crate) struct Pull {
    /// HOST[:PORT]/NAME[:TAG|@DIGEST]; the tag is `latest` where there is none.
    #[arg(value_name = "IMAGE", value_parser = image)]
    name: ImageName,
    /// Where it goes: a folder, which becomes an OCI layout or is one already; NAME.tar, an archive for `docker load`;
    /// NAME.oci.tar or NAME.oci, an OCI layout as an archive; or `-`, an archive on standard output, as in
    /// `berth pull registry.example.com/app:1 - | docker load`.
    destination: PathBuf,
    /// What it becomes, whatever the name of the destination.
    #[arg(long)]
    format: Option<Format>,
    #[command(flatten)]
    moving: Moving,
    /// Without TLS; on this machine that is so by itself.
    #[arg(long)]
    plain_http: bool,
}

/// What a destination becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A folder with a file for each blob.
    OciLayout,
    /// The same in one file.
    OciArchive,
    /// One image in one file, for `docker load`.
    DockerArchive,
}

impl Format {
    /// The one that a destination's name means.
    fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        if path.as_os_str() == "-" {
            Self::DockerArchive
        } else if path.is_dir() {
            Self::OciLayout
        } else if name.ends_with(".oci.tar") || name.ends_with(".oci") {
            Self::OciArchive
        } else if name.ends_with(".tar") {
            Self::DockerArchive
        } else {
            Self::OciLayout
        }
    }
}

impl Pull {
    pub(crate) fn run(self) -> ExitCode {
        work::run(self.pull())
    }

    async fn pull(mut self) -> anyhow::Result<()> {
        let format = self.format.unwrap_or_else(|| Format::of(&self.destination));
        let is_output = self.destination.as_os_str() == "-";
        anyhow::ensure!(!is_output || format != Format::OciLayout, "a folder cannot go to standard output");
        anyhow::ensure!(!is_output || !self.moving.json, "standard output has the archive; --json needs a file");
        let registry = connect(&self.name.host, self.plain_http)?;
        let origin = RegistryOrigin::new(&registry, &context(), &self.name);
        // What people write has a tag or a digest by now.
        let Some(reference) = self.name.reference() else { anyhow::bail!("{} has neither tag nor digest", self.name) };
        let root = origin.find(&reference).await?;
        if format == Format::DockerArchive && root.manifest.media_type().is_index() {
            self.moving.platform.get_or_insert_with(Platform::here);
        }
        let root = self.moving.narrow(&origin, root).await?;
        let destination = self.destination(format, is_output);
        let (source, called) = (self.name.to_string(), self.destination.display().to_string());
        let told = Told { done: "pulled to", source: &source, destination: &called, aside: is_output };
        self.moving.transfer(&origin, root, &*destination, told).await
    }

    fn destination(&self, format: Format, is_output: bool) -> Box<dyn Destination> {
        let Self { name, destination: path, .. } = self;
        let names = match &name.tag {
            Some(tag) => Names { tag: Some(tag.to_string()), image: Some(format!("{}:{tag}", name.place())) },
            None => Names::default(),
        };
        let form = match format {
            Format::OciLayout => return Box::new(LayoutDestination::new(path, names)),
            Format::OciArchive => ArchiveForm::Oci,
            Format::DockerArchive => ArchiveForm::Docker,
        };
        match is_output {
            true => Box::new(ArchiveDestination::output(form, names)),
            false => Box::new(ArchiveDestination::new(path, form, names)),
        }
    }
}
