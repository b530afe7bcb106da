//! Starts the emulators of S3, DynamoDB, STS and an OpenID Connect issuer for other processes, and prints the environment in which they are found.
//!
//! `emulators [--s3 HOST:PORT] [--dynamodb HOST:PORT] [--sts HOST:PORT] [--oidc HOST:PORT] [--admin HOST:PORT] [--bucket NAME]
//! [--table NAME] [--region NAME] [--folder DIR]`; stops on SIGTERM or SIGINT.

#![forbid(unsafe_code)]

use std::error::Error;
use std::io::Write as _;
use std::net::SocketAddr;

use berth_local::{Admin, Emulators, Options};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "usage: emulators [--s3 HOST:PORT] [--dynamodb HOST:PORT] [--sts HOST:PORT] [--oidc HOST:PORT] \
                     [--admin HOST:PORT] [--bucket NAME] [--table NAME] [--region NAME] [--folder DIR]";

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (options, admin) = match arguments(std::env::args().skip(1)) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            println!("{USAGE}");
            return Ok(());
        }
        Err(message) => {
            eprintln!("emulators: {message}\n{USAGE}");
            std::process::exit(2);
        }
    };
    // Before the first line is out: whoever reads it may send the signal at once.
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let admin = Admin::start(Emulators::start_with(options).await?, admin).await?;
    let mut lines = admin.emulators().env();
    lines.push(("EMULATORS_BUCKET", admin.emulators().options().bucket.clone()));
    lines.push(("EMULATORS_TABLE", admin.emulators().options().table.clone()));
    lines.push(("EMULATORS_OIDC_ISSUER", admin.emulators().oidc().issuer()));
    lines.push(("EMULATORS_ADMIN_URL", admin.endpoint()));
    let mut out = std::io::stdout().lock();
    for (name, value) in lines {
        writeln!(out, "{name}={value}")?;
    }
    out.flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// None when help is asked for.
fn arguments(mut given: impl Iterator<Item = String>) -> Result<Option<(Options, SocketAddr)>, String> {
    let mut options = Options::default();
    let mut admin = options.s3_address;
    while let Some(name) = given.next() {
        if name == "--help" || name == "-h" {
            return Ok(None);
        }
        let mut value = || given.next().ok_or_else(|| format!("{name} needs a value"));
        match name.as_str() {
            "--s3" => options.s3_address = address(&name, &value()?)?,
            "--dynamodb" => options.dynamodb_address = address(&name, &value()?)?,
            "--sts" => options.sts_address = address(&name, &value()?)?,
            "--oidc" => options.oidc_address = address(&name, &value()?)?,
            "--admin" => admin = address(&name, &value()?)?,
            "--bucket" => options.bucket = value()?,
            "--table" => options.table = value()?,
            "--region" => options.region = value()?,
            "--folder" => options.folder = Some(value()?.into()),
            _ => return Err(format!("{name} is not an option")),
        }
    }
    Ok(Some((options, admin)))
}

fn address(name: &str, value: &str) -> Result<SocketAddr, String> {
    value.parse().map_err(|_| format!("{name}: {value} is not an IP address and port, like 127.0.0.1:9000"))
}
