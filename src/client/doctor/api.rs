//! Whether a registry answers there (OCI distribution specification, "Determining Support").

use http::StatusCode;

use super::{probe::Probe, record::Finding, target::Target};
use crate::client::transport::Failure;

/// What Berth answers to requests that did not come through its CloudFront distribution.
const OTHER_ADDRESS: &str = "not served at this address";

pub(super) async fn check(target: &Target, probe: Option<&Result<Probe, Failure>>) -> Finding {
    let host = &target.host;
    let probe = match probe {
        Some(Ok(probe)) => probe,
        Some(Err(failure)) => return Finding::failed(failure, "is there a registry behind this address? See its log"),
        None => return Finding::Skipped("nothing was asked".to_owned()),
    };
    let Probe { status, reason, .. } = probe;
    let said = if reason.is_empty() { String::new() } else { format!(": {reason}") };
    match *status {
        StatusCode::OK if probe.is_page() => not_a_registry(target, "a web page"),
        StatusCode::OK => Finding::Ok("GET /v2/ is answered 200: no login is required".to_owned()),
        StatusCode::UNAUTHORIZED => Finding::Ok("GET /v2/ is answered 401: a login is required".to_owned()),
        StatusCode::FORBIDDEN if reason.contains(OTHER_ADDRESS) => Finding::failed(
            format!("GET /v2/ is answered {status}{said}"),
            "use the registry's own name, not that of its function URL; the stack's outputs show it. Just after a change \
             of front ends, wait some minutes",
        ),
        StatusCode::FORBIDDEN => Finding::failed(
            format!("GET /v2/ is answered {status}{said}"),
            "a firewall, a web ACL or a missing permission to invoke the function refuses this machine before the \
             registry does",
        ),
        StatusCode::TOO_MANY_REQUESTS => Finding::failed(
            format!("GET /v2/ is answered {status}{said}"),
            format!(
                "wait and try again; on AWS, see the concurrency limits of the account and of the function of {host}"
            ),
        ),
        status if status.is_server_error() => Finding::failed(
            format!("GET /v2/ is answered {status}{said}"),
            format!("see the log of {host}: its configuration or its storage is at fault"),
        ),
        status => not_a_registry(target, &status.to_string()),
    }
}

fn not_a_registry(target: &Target, answer: &str) -> Finding {
    let host = &target.host;
    Finding::failed(
        format!("{host} answers GET /v2/ with {answer}, as no registry does"),
        "check the name and the port; a registry serves /v2/ at the root of its host",
    )
}
