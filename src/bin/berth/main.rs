//! The command line.

mod gateway;
mod helper;
mod keys;
mod login;
mod policy;
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
    /// Log in to a registry, by AWS credentials or with a user's password.
    Login(login::LogIn),
    /// Undo what `berth login` did.
    Logout(login::LogOut),
    /// Serve another registry on this machine, for clients that can send it large layers in no other way.
    Gateway(gateway::Gateway),
    /// Answer as docker-credential-berth does.
    CredentialHelper(helper::Helper),
    /// Make, list and revoke API keys, and rotate the key that signs tokens, in the storage of a registry.
    Keys(keys::Keys),
    /// Look into the rules that say who may do what.
    #[command(subcommand)]
    Policy(policy::Policy),
}

/// What is wrong with the command line or the configuration, as clap exits too.
const MISCONFIGURED: u8 = 2;

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(arguments) => arguments.run(),
        Command::Login(arguments) => arguments.run(),
        Command::Logout(arguments) => arguments.run(),
        Command::Gateway(arguments) => arguments.run(),
        Command::CredentialHelper(arguments) => arguments.run(),
        Command::Keys(arguments) => arguments.run(),
        Command::Policy(command) => command.run(),
    }
}

/// One line that says what is wrong.
fn complain(code: u8, error: &dyn std::fmt::Display) -> ExitCode {
    eprintln!("berth: {error}");
    ExitCode::from(code)
}
