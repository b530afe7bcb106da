//! Whether TLS works: the certificate is trusted, in date, and for this name.

use rustls::{CertificateError, Error};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{probe::Probe, record::Finding, target::Target};
use crate::{
    api::{Query, Route},
    client::{Registry, transport::Failure},
    context::Context,
};

/// Names of a certificate that are shown.
const SHOWN: usize = 5;

pub(super) async fn check(
    registry: &Registry,
    target: &Target,
    ctx: &Context,
    probe: Option<&Result<Probe, Failure>>,
) -> Finding {
    let host = &target.host;
    if !target.is_tls {
        return Finding::Skipped(format!("{host} is reached by plain HTTP"));
    }
    let Some(Err(Failure::Unreachable { cause, tls, .. })) = probe else {
        return Finding::Ok(format!("the certificate is trusted, in date, and for {}", target.name));
    };
    if let Some(Error::InvalidCertificate(error)) = tls.as_deref() {
        let (problem, fix) = certificate(target, error, cause);
        return Finding::failed(problem, fix);
    }
    if speaks_http(registry, ctx).await {
        return Finding::failed(
            format!("{host} speaks HTTP without TLS on port {}", target.port),
            format!(
                "add --plain-http here and to berth's other commands, and {host} to \"insecure-registries\" in Docker's \
                 daemon.json; better, serve it with TLS"
            ),
        );
    }
    let fix = "is this the port that serves HTTPS? A proxy or firewall may end TLS connections";
    Finding::failed(format!("no TLS connection to {host}: {cause}"), fix)
}

/// What is wrong with a certificate, and what to do.
fn certificate(target: &Target, error: &CertificateError, cause: &str) -> (String, String) {
    let name = &target.name;
    let renew = "renew the certificate; if it is not that old, set this machine's clock";
    match error {
        CertificateError::ExpiredContext { not_after, .. } => {
            (format!("the certificate of {name} expired on {}", date(not_after.as_secs())), renew.to_owned())
        }
        CertificateError::Expired => (format!("the certificate of {name} has expired"), renew.to_owned()),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            format!("the certificate of {name} is not valid yet"),
            "set this machine's clock, or wait until the certificate is valid".to_owned(),
        ),
        CertificateError::NotValidForNameContext { presented, .. } => {
            let names: Vec<String> = presented.iter().take(SHOWN).map(|name| plain_name(name)).collect();
            let names = if names.is_empty() { "no name".to_owned() } else { names.join(", ") };
            (format!("the certificate is for {names}, not for {name}"), wrong_name(name))
        }
        CertificateError::NotValidForName => (format!("the certificate is not for {name}"), wrong_name(name)),
        CertificateError::UnknownIssuer => (
            format!("this machine does not trust the issuer of the certificate of {name}"),
            "set SSL_CERT_FILE to a PEM file with the issuer's certificate, or add that to the system's trusted ones; \
             Docker reads /etc/docker/certs.d/HOST/ca.crt"
                .to_owned(),
        ),
        _ => (
            format!("the certificate of {name} is not accepted: {cause}"),
            "replace the certificate by one that a public authority issued for this name".to_owned(),
        ),
    }
}

fn wrong_name(name: &str) -> String {
    format!("use a name that the certificate is for, or have it issued for {name} as well")
}

/// `DnsName("a.example")` as `a.example`.
fn plain_name(presented: &str) -> String {
    let quoted = presented.split_once('"').and_then(|(_, rest)| rest.split_once('"'));
    quoted.map_or(presented, |(name, _)| name).to_owned()
}

fn date(seconds: u64) -> String {
    let time = i64::try_from(seconds).ok().and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

/// Whether the same port answers plain HTTP. No credentials are sent.
async fn speaks_http(registry: &Registry, ctx: &Context) -> bool {
    let mut url = registry.0.transport.url(&Route::Base, &Query::default());
    let port = url.port_or_known_default();
    // Both succeed for a URL with a host.
    url.set_scheme("http").is_ok()
        && url.set_port(port).is_ok()
        && registry.0.transport.get_without_login(ctx, &url).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_certificates_as_people_write_them() {
        assert_eq!(plain_name("DnsName(\"a.example\")"), "a.example");
        assert_eq!(plain_name("a.example"), "a.example");
        assert_eq!(date(1_800_000_000), "2027-01-15T08:00:00Z");
    }
}
