//! `berth credential-helper`: what `docker-credential-berth` does, for where a second program is one too many.

use std::process::ExitCode;

#[derive(clap::Args)]
pub(crate) struct Helper {
    /// What Docker asks for: get, store, erase, list or version.
    verb: String,
}

impl Helper {
    #[tokio::main(flavor = "current_thread")]
    pub(crate) async fn run(self) -> ExitCode {
        berth::client::help(&self.verb, "berth").await
    }
}
