//! The command line.

mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A container registry with no server to run: OCI Distribution from a folder, or from S3 and DynamoDB.
#[derive(Parser)]
#[command(name = "berth", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the registry. Needs no configuration: 127.0.0.1:5000, data in ./data.
    Serve(serve::Serve),
}

/// What is wrong with the command line or the configuration, as clap exits too.
const MISCONFIGURED: u8 = 2;

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(arguments) => arguments.run(),
    }
}

/// One line that says what is wrong.
fn complain(code: u8, error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("berth: {error}");
    ExitCode::from(code)
}
