//! Whether something listens there.

use std::{
    io,
    time::{Duration, Instant},
};

use tokio::{net::TcpStream, time::timeout};

use super::{PATIENCE, record::Finding, target::Target};

pub(super) async fn check(target: &Target) -> Finding {
    let Target { name, port, is_tls, .. } = target;
    let began = Instant::now();
    let cause = match timeout(PATIENCE.connect, TcpStream::connect((name.as_str(), *port))).await {
        Ok(Ok(stream)) => {
            let address = stream.peer_addr().map_or_else(|_| format!("{name}:{port}"), |address| address.to_string());
            return Finding::Ok(format!("{address} accepts connections ({})", rounded(began.elapsed())));
        }
        Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no answer within {} s", PATIENCE.connect.as_secs()),
    };
    if let Some(variable) = target.proxy() {
        return Finding::Skipped(format!("no direct connection ({cause}); the proxy of {variable} is used"));
    }
    let other = match is_tls {
        true => "a registry without TLS needs --plain-http",
        false => "a registry with TLS needs no --plain-http",
    };
    Finding::failed(
        format!("{name} cannot be reached on port {port}: {cause}"),
        format!("is the port right (HOST:PORT), does the registry run, and does no firewall block it? {other}"),
    )
}

/// `time` in milliseconds.
pub(super) fn rounded(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}
