//! The command line.

mod doctor;
mod gateway;
mod helper;
mod inspect;
mod keys;
mod lists;
mod login;
mod manual;
mod policy;
mod progress;
mod registry;
mod remove;
mod serve;
mod transfer;
mod work;

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
    /// Push an image of this machine to a registry.
    Push(transfer::Push),
    /// Pull an image from a registry to this machine.
    Pull(transfer::Pull),
    /// Copy an image from one registry to another, or within one.
    Copy(transfer::Copy),
    /// List the repositories of a registry.
    Ls(lists::Ls),
    /// List the tags of a repository.
    Tags(lists::Tags),
    /// Say what an image is made of.
    Inspect(inspect::Inspect),
    /// Remove tags, or manifests by their digests.
    Rm(remove::Rm),
    /// Check whether a registry works from here, and say what to do if it does not.
    Doctor(doctor::Doctor),
    /// Serve another registry on this machine, for clients that can send it large layers in no other way.
    Gateway(gateway::Gateway),
    /// Answer as docker-credential-berth does.
    CredentialHelper(helper::Helper),
    /// Make, list and revoke API keys, and rotate the key that signs tokens, in the storage of a registry.
    Keys(keys::Keys),
    /// Look into the rules that say who may do what.
    #[command(subcommand)]
    Policy(policy::Policy),
    /// Print what a shell needs to complete berth's command lines.
    Completions(manual::Completions),
    /// Print the manual page.
    Man(manual::Man),
}

/// What is wrong with the command line or the configuration, as clap exits too.
const MISCONFIGURED: u8 = 2;

fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Serve(arguments) => arguments.run(),
        Command::Login(arguments) => arguments.run(),
        Command::Logout(arguments) => arguments.run(),
        Command::Push(arguments) => arguments.run(),
        Command::Pull(arguments) => arguments.run(),
        Command::Copy(arguments) => arguments.run(),
        Command::Ls(arguments) => arguments.run(),
        Command::Tags(arguments) => arguments.run(),
        Command::Inspect(arguments) => arguments.run(),
        Command::Rm(arguments) => arguments.run(),
        Command::Doctor(arguments) => arguments.run(),
        Command::Gateway(arguments) => arguments.run(),
        Command::CredentialHelper(arguments) => arguments.run(),
        Command::Keys(arguments) => arguments.run(),
        Command::Policy(command) => command.run(),
        Command::Completions(arguments) => arguments.run(),
        Command::Man(arguments) => arguments.run(),
    }
}

/// Characters of the longest complaint: others' words may stand in it.
const LONGEST: usize = 2000;

/// One line that says what is wrong, and tells a terminal nothing else.
fn complain(code: u8, error: &dyn std::fmt::Display) -> ExitCode {
    let line = error.to_string().replace(char::is_control, " ");
    eprintln!("berth: {}", line.chars().take(LONGEST).collect::<String>());
    ExitCode::from(code)
}
