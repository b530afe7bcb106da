//! The registry that a command is about.

use std::sync::Arc;

use berth::{
    client::{ClientOptions, DockerCredentials, Host, KeptUploads, Registry, Scheme},
    context::Context,
    transfer::ImageName,
};
use serde::Serialize;

/// A client of `host`, with the logins that Docker knows; without TLS on this machine, or where `plain_http`.
pub(crate) fn connect(host: &Host, plain_http: bool) -> anyhow::Result<Registry> {
    let mut options = ClientOptions::new(host.clone());
    options.credentials = Arc::new(DockerCredentials);
    options.kept = KeptUploads::of_user();
    if plain_http {
        options.scheme = Scheme::Http;
    }
    Ok(Registry::connect(options)?)
}

/// The context of what this process does.
pub(crate) fn context() -> Context {
    Context::background("command line")
}

/// Reads a name on the command line; the tag is `latest` where it has neither tag nor digest.
pub(crate) fn image(text: &str) -> Result<ImageName, String> {
    let name: ImageName = text.parse().map_err(|error: berth::transfer::ImageNameError| error.to_string())?;
    name.or_latest().map_err(|error| error.to_string())
}

/// Prints `document`, and nothing else, for programs.
pub(crate) fn print_json(document: &impl Serialize) -> anyhow::Result<()> {
    print(&format!("{}\n", serde_json::to_string_pretty(document)?))
}

/// Prints `text`; who reads it may stop doing so.
pub(crate) fn print(text: &str) -> anyhow::Result<()> {
    use std::io::{ErrorKind, Write as _, stdout};
    let mut output = stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
