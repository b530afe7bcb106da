//! Checks whether a registry works for the user of this process: one check for each thing that can be wrong, from the
//! registry's name to a push by each path. It is what `berth doctor` runs.
//!
//! Works with any registry. What it pushes is random content in a repository of its own, and is deleted at the end.

mod api;
mod challenge;
mod cleanup;
mod clock;
mod connect;
mod content;
mod direct;
mod dns;
mod edge;
mod helper;
mod login;
mod probe;
mod pull;
mod push;
mod record;
mod repository;
mod target;
mod tls;

use std::{sync::Arc, time::Duration};

pub use self::record::{CheckResult, CheckStatus};
use self::{probe::Probe, record::Record, repository::TestRepository, target::Target};
use super::{ClientOptions, ConnectError, Credential, CredentialError, Credentials, Host, Patience, Registry, Scheme};
use crate::{context::Context, name::RepositoryName};

/// How long the checks wait: a user is watching.
const PATIENCE: Patience = Patience {
    connect: Duration::from_secs(10),
    stall: Duration::from_secs(30),
    answer: Duration::from_secs(120), // CloudFront's longest wait for an origin
};
/// How often one request is repeated.
const RETRIES: u32 = 1;

/// What to check, and as whom.
pub struct DoctorOptions {
    /// The registry.
    pub host: Host,
    /// How it is reached.
    pub scheme: Scheme,
    /// Who logs in. Asked once.
    pub credentials: Arc<dyn Credentials>,
    /// Where to push and pull.
    pub repository: RepositoryName,
    /// Whether to push nothing.
    pub read_only: bool,
}

/// Runs all checks in order. `report` is called with each result as soon as it is known. A check that needs an earlier one
/// which failed is skipped. No result contains a secret.
///
/// # Errors
/// [`ConnectError`]; nothing was checked then.
pub async fn doctor(
    options: DoctorOptions,
    ctx: &Context,
    report: impl FnMut(&CheckResult) + Send,
) -> Result<Vec<CheckResult>, ConnectError> {
    let DoctorOptions { host, scheme, credentials, repository, read_only } = options;
    let login = credentials.credential(&host).await;
    let registry = Registry::connect(client_options(&host, scheme, &login))?;
    let target = Target::of(&registry);
    let mut record = Record::new(report, login.as_ref().ok());

    record.run("dns", &[], dns::check(&target)).await;
    record.run("connect", &["dns"], connect::check(&target)).await;
    let probe = if record.is_met("connect") { Some(Probe::ask(&registry, ctx).await) } else { None };
    let probe = probe.as_ref();
    record.run("tls", &["connect"], tls::check(&registry, &target, ctx, probe)).await;
    let answer = probe.and_then(|probe| probe.as_ref().ok());
    record.run("api", &["tls"], api::check(&target, probe)).await;
    record.run("challenge", &["api"], challenge::check(answer)).await;
    record.run("clock", &["tls"], clock::check(answer)).await;
    record.run("credential-helper", &[], helper::check(&host)).await;
    record.run("login", &["api"], login::check(&registry, ctx, &login, answer)).await;

    let place = TestRepository::new(&registry, &repository);
    if read_only {
        const SKIPPED: &str = "--read-only pushes nothing";
        for name in ["push", "pull", "direct-upload", "edge-upload", "cleanup"] {
            record.skip(name, SKIPPED);
        }
        return Ok(record.results());
    }
    record.run("push", &["login"], push::check(&place, ctx)).await;
    record.run("pull", &["push"], pull::check(&place, ctx)).await;
    record.run("direct-upload", &["push"], direct::check(&place, ctx)).await;
    record.run("edge-upload", &["push"], edge::check(&place, ctx)).await;
    record.run("cleanup", &["login"], cleanup::check(&place, ctx)).await;
    Ok(record.results())
}

/// A client that shows the same credential throughout, so that results can be searched for it.
fn client_options(host: &Host, scheme: Scheme, login: &Result<Credential, CredentialError>) -> ClientOptions {
    let mut options = ClientOptions::new(host.clone());
    options.scheme = scheme;
    options.credentials = Arc::new(login.as_ref().map_or(Credential::Anonymous, Clone::clone));
    options.patience = PATIENCE;
    options.retry.retries = RETRIES;
    options
}
