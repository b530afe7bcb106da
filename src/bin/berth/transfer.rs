//! `berth push`, `berth pull` and `berth copy`: what they have in common.

mod copy;
mod pull;
mod push;
mod told;

use std::{sync::Arc, time::Instant};

use berth::transfer::{Destination, Options, Origin, Plan, Planned, Platform, Progress, run, select};

use self::told::Told;
pub(crate) use self::{copy::Copy, pull::Pull, push::Push};
use crate::progress::progress;

/// How something moves.
#[derive(clap::Args)]
struct Moving {
    /// Only the image for this platform, as in linux/arm64; without it, all of them.
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    platform: Option<Platform>,
    /// With it, what refers to it: signatures, SBOMs, attestations.
    #[arg(long)]
    referrers: bool,
    /// How many blobs move at once.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    jobs: u16,
    /// Look for each blob, also where the destination has the manifest that names it.
    #[arg(long)]
    recheck: bool,
    /// Say nothing but errors.
    #[arg(long, short)]
    quiet: bool,
    /// Print what was done as one JSON document.
    #[arg(long)]
    json: bool,
}

impl Moving {
    /// The image of `root` that is wanted.
    async fn narrow(&self, origin: &dyn Origin, root: Planned) -> anyhow::Result<Planned> {
        match &self.platform {
            Some(platform) => Ok(select(origin, root, platform).await?),
            None => Ok(root),
        }
    }

    /// Moves `root` of `origin` to `destination`.
    async fn transfer(
        &self,
        origin: &dyn Origin,
        root: Planned,
        destination: &dyn Destination,
        told: Told<'_>,
    ) -> anyhow::Result<()> {
        let (begun, jobs) = (Instant::now(), usize::from(self.jobs));
        let plan = Plan::of(origin, root, self.referrers, jobs).await?;
        let watching = Watching(progress(self.quiet));
        let options = Options { jobs, recheck: self.recheck };
        let report = run(origin, destination, &plan, options, &watching.0).await?;
        drop(watching);
        told.tell(self, plan.root(), &report, begun.elapsed())
    }
}

/// Bars go before anything else is said, also where somebody interrupts.
struct Watching(Arc<dyn Progress>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.ended();
    }
}
