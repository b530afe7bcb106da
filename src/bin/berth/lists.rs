//! `berth ls` and `berth tags`.

use std::process::ExitCode;

use anyhow::Context as _;
use berth::{
    client::Host,
    distribution::{Namespace as _, Paging, Repository as _},
    transfer::ImageName,
};
use serde_json::json;

use crate::{
    registry::{connect, context, print, print_json},
    work,
};

#[derive(clap::Args)]
pub(crate) struct Ls {
    /// The registry: registry.example.com, localhost:5000.
    host: Host,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Args)]
pub(crate) struct Tags {
    /// The repository: HOST[:PORT]/NAME.
    repository: ImageName,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Args)]
struct How {
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Without TLS; on this machine that is so by itself.
    #[arg(long)]
    plain_http: bool,
}

impl Ls {
    pub(crate) fn run(self) -> ExitCode {
        work::run(self.list())
    }

    async fn list(self) -> anyhow::Result<()> {
        let Self { host, how } = self;
        let registry = connect(&host, how.plain_http)?;
        let page = registry.repositories(&context(), &Paging::default()).await?;
        match how.json {
            true => print_json(&json!({ "registry": host.as_str(), "repositories": page.entries })),
            false => print(&page.entries.iter().map(|name| format!("{host}/{name}\n")).collect::<String>()),
        }
    }
}

impl Tags {
    pub(crate) fn run(self) -> ExitCode {
        work::run(self.list())
    }

    async fn list(self) -> anyhow::Result<()> {
        let Self { repository, how } = self;
        let place = repository.place();
        anyhow::ensure!(repository.reference().is_none(), "{repository} names one image; its repository is {place}");
        let registry = connect(&repository.host, how.plain_http)?;
        let remote = registry.remote(&repository.repository);
        let page =
            remote.tags().list(&context(), &Paging::default()).await.with_context(|| repository.host.to_string())?;
        match how.json {
            true => print_json(&json!({ "repository": place, "tags": page.entries })),
            false => print(&page.entries.iter().map(|tag| format!("{tag}\n")).collect::<String>()),
        }
    }
}
