//! `berth completions` and `berth man`: made of the definitions of the command line themselves.

use std::{
    path::{Path, PathBuf},
    process::ExitCode,
};

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::{Cli, complain, registry::print};

#[derive(clap::Args)]
pub(crate) struct Completions {
    /// The shell, as in `source <(berth completions bash)`.
    shell: Shell,
}

#[derive(clap::Args)]
pub(crate) struct Man {
    /// A folder that gets a page for each command, instead of standard output, which gets one for all.
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

impl Completions {
    pub(crate) fn run(self) -> ExitCode {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "berth", &mut script);
        conclude(print(&String::from_utf8_lossy(&script)))
    }
}

impl Man {
    pub(crate) fn run(self) -> ExitCode {
        conclude(match &self.to {
            Some(folder) => pages(folder),
            None => page(),
        })
    }
}

fn pages(folder: &Path) -> anyhow::Result<()> {
    use anyhow::Context as _;
    let at = || folder.display().to_string();
    std::fs::create_dir_all(folder).with_context(at)?;
    clap_mangen::generate_to(Cli::command(), folder).with_context(at)
}

/// The page of berth itself, then those of its commands.
fn page() -> anyhow::Result<()> {
    let mut command = Cli::command();
    command.build();
    let mut text = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut text)?;
    for below in command.get_subcommands().filter(|below| !below.is_hide_set() && below.get_name() != "help") {
        let man = clap_mangen::Man::new(below.clone());
        man.render_name_section(&mut text)?;
        man.render_synopsis_section(&mut text)?;
        man.render_description_section(&mut text)?;
        man.render_options_section(&mut text)?;
    }
    print(&String::from_utf8_lossy(&text))
}

fn conclude(done: anyhow::Result<()>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => complain(1, &format!("{error:#}")),
    }
}
