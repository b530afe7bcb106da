//! The credential helper, by the name under which Docker and the others look for it.

use std::{env, process::ExitCode};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let verb = env::args_os().nth(1).unwrap_or_default();
    berth::client::help(&verb.to_string_lossy(), "docker-credential-berth").await
}
