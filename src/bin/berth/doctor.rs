//! `berth doctor`.

use std::{process::ExitCode, sync::Arc};

use berth::{
    client::{
        CheckResult, CheckStatus, Credential, Credentials, DockerCredentials, DoctorOptions, Host, Scheme, doctor,
    },
    name::RepositoryName,
};
use serde_json::json;

use crate::{
    complain,
    login::password,
    registry::{context, print, print_json},
    work,
};

#[derive(clap::Args)]
#[command(after_help = "\
Each check prints one line: ok, FAIL or skip, the name of the check, and what was found. The line after FAIL tells how to
fix it. Pushes go to a new repository, berth-doctor/<random>, and are deleted at the end.

Exit code: 0 no check failed, 1 a check failed, 2 the command line is wrong.")]
pub(crate) struct Doctor {
    /// The registry: registry.example.com, localhost:5000.
    host: Host,
    /// Log in as this user instead of with the login that Docker's configuration has for the registry.
    #[arg(long, value_name = "NAME", requires = "password_stdin")]
    username: Option<String>,
    /// Read the password from standard input.
    #[arg(long, requires = "username")]
    password_stdin: bool,
    /// Push to this repository instead of a new one.
    #[arg(long, value_name = "NAME")]
    repository: Option<RepositoryName>,
    /// Push nothing.
    #[arg(long)]
    read_only: bool,
    /// Print one JSON document.
    #[arg(long)]
    json: bool,
    /// Use HTTP without TLS. The default for registries on this machine.
    #[arg(long)]
    plain_http: bool,
}

impl Doctor {
    pub(crate) fn run(self) -> ExitCode {
        let fresh = || format!("berth-doctor/{}", uuid::Uuid::new_v4().simple()).parse();
        let repository: RepositoryName = match self.repository.clone().map_or_else(fresh, Ok) {
            Ok(repository) => repository,
            Err(error) => return complain(1, &error),
        };
        let interrupted = match self.read_only {
            true => "stopped".to_owned(),
            false => format!("stopped; if anything was pushed, it is left in {}/{repository}", self.host),
        };
        work::run_with_code(self.check(repository), &interrupted)
    }

    async fn check(self, repository: RepositoryName) -> anyhow::Result<ExitCode> {
        let Self { host, username, read_only, json, plain_http, .. } = self;
        let credentials: Arc<dyn Credentials> = match username {
            Some(name) => Arc::new(Credential::Password { name, password: password()? }),
            None => Arc::new(DockerCredentials),
        };
        let scheme = if plain_http { Scheme::Http } else { host.scheme() };
        let document = json.then(|| (host.to_string(), repository.to_string()));
        let options = DoctorOptions { host, scheme, credentials, repository, read_only };
        let mut printed = Ok(());
        let report = |result: &CheckResult| {
            if !json && printed.is_ok() {
                printed = print(&lines(result));
            }
        };
        let results = doctor(options, &context(), report).await?;
        printed?;
        let is_well = results.iter().all(|result| result.status != CheckStatus::Failed);
        if let Some((registry, repository)) = document {
            let repository = (!read_only).then_some(repository);
            print_json(&json!({ "registry": registry, "repository": repository, "ok": is_well, "checks": results }))?;
        }
        Ok(if is_well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

/// A result as people read it.
fn lines(result: &CheckResult) -> String {
    let CheckResult { name, status, detail, fix } = result;
    let status = match status {
        CheckStatus::Ok => "ok",
        CheckStatus::Failed => "FAIL",
        CheckStatus::Skipped => "skip",
    };
    let fix = fix.iter().map(|fix| format!("     fix: {fix}\n")).collect::<String>();
    format!("{status:<4} {name}: {detail}\n{fix}")
}
