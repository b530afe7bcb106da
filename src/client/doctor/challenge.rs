//! Which header holds the challenge: clients other than Berth's read `WWW-Authenticate` alone.

use http::header::WWW_AUTHENTICATE;

use super::{probe::Probe, record::Finding};
use crate::client::challenge::Challenge;

/// What works without a challenge in `WWW-Authenticate`.
const CONSEQUENCE: &str = "Docker, podman and most other clients cannot log in";

pub(super) async fn check(probe: Option<&Probe>) -> Finding {
    let Some(probe) = probe.filter(|probe| probe.requires_login()) else {
        return Finding::Skipped("no login is required".to_owned());
    };
    let Some((name, challenge)) = Challenge::named(&probe.headers) else {
        let (problem, fix) = match probe.headers.contains_key(WWW_AUTHENTICATE) {
            true => ("WWW-Authenticate asks for neither Basic nor Bearer", "a proxy may ask for a login of its own"),
            false => ("the answer 401 has no WWW-Authenticate", "a proxy or front end removes it: let it pass"),
        };
        return Finding::failed(format!("{problem}; {CONSEQUENCE}"), fix);
    };
    if probe.is_carried() {
        return Finding::failed(
            format!("the 401 arrives as 300, since CloudFront's viewer-response function did not run; {CONSEQUENCE}"),
            "associate the function with viewer-response of every cache behavior: deploy the stack again with \
             Front=cloudfront, and without changes made by hand",
        );
    }
    if name != WWW_AUTHENTICATE {
        return Finding::failed(
            format!("the challenge is in {name} instead of www-authenticate, renamed by the front end; {CONSEQUENCE}"),
            "deploy with Front=cloudfront or Front=http-api, which restore it; berth, crane and cosign work as it is",
        );
    }
    Finding::Ok(match challenge {
        Challenge::Basic => "www-authenticate: Basic".to_owned(),
        Challenge::Bearer { realm, .. } => format!("www-authenticate: Bearer, tokens from {realm}"),
    })
}
