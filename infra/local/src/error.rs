//! Why emulators and functions do not start.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// What the operating system, or the database, refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// No thread to run on.
    #[error("the emulators' threads cannot be started")]
    Thread(#[source] io::Error),
    /// No socket there.
    #[error("cannot listen on {0}")]
    Address(SocketAddr, #[source] io::Error),
    /// No folder for object bodies.
    #[error("the folder for object bodies cannot be made")]
    Folder(#[source] io::Error),
    /// The DynamoDB engine does not start, or refuses the table.
    #[error("the DynamoDB emulator fails: {0}")]
    Database(String),
    /// No keys for the OpenID Connect issuer.
    #[error("the system has no randomness for keys")]
    Randomness,
    /// A function's program is not there, or is not one.
    #[error("{} cannot be run", .0.display())]
    Program(PathBuf, #[source] io::Error),
}
