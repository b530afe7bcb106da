//! Whether the registry's name has an address.

use tokio::net::lookup_host;

use super::{record::Finding, target::Target};

/// Addresses that are shown.
const SHOWN: usize = 4;

pub(super) async fn check(target: &Target) -> Finding {
    let Target { name, port, .. } = target;
    if target.ip().is_some() {
        return Finding::Ok(format!("{name} is an IP address"));
    }
    let cause = match lookup_host((name.as_str(), *port)).await {
        Ok(found) => {
            let mut found: Vec<String> = found.map(|address| address.ip().to_string()).collect();
            found.dedup();
            if !found.is_empty() {
                return Finding::Ok(format!("{name} is {}", found[..found.len().min(SHOWN)].join(", ")));
            }
            "it has no address".to_owned()
        }
        Err(error) => error.to_string(),
    };
    if let Some(variable) = target.proxy() {
        return Finding::Skipped(format!("{name} is not resolved here ({cause}); the proxy of {variable} resolves it"));
    }
    Finding::failed(
        format!("{name} cannot be resolved: {cause}"),
        "check the name for typing errors and the DNS record of a custom domain; is this machine online?",
    )
}
