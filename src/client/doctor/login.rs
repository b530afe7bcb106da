//! Whether the registry accepts the credentials: a token, where it requires one.

use http::{Method, StatusCode};

use super::{probe::Probe, record::Finding};
use crate::{
    api::{Query, Route},
    client::{
        Credential, CredentialError, Host, Registry, USERNAME,
        door::Scopes,
        transport::{Failure, Request},
    },
    context::Context,
};

pub(super) async fn check(
    registry: &Registry,
    ctx: &Context,
    login: &Result<Credential, CredentialError>,
    probe: Option<&Probe>,
) -> Finding {
    let host = registry.host();
    let credential = match login {
        Ok(credential) => credential,
        Err(error) => return Finding::failed(error, fix_missing(host, error)),
    };
    if !probe.is_some_and(Probe::requires_login) {
        return Finding::Ok("the registry asks nobody to log in".to_owned());
    }
    let transport = &registry.0.transport;
    let url = transport.url(&Route::Base, &Query::default());
    let failure = match transport.send(ctx, &Request::new(Method::GET, url, Scopes::none())).await {
        // A token for anonymous clients; whether it is enough depends on the rules.
        Ok(answer) if answer.status == StatusCode::OK && *credential == Credential::Anonymous => {
            return Finding::failed(
                format!("nobody is logged in to {host}: only what its rules allow anonymous clients is possible"),
                fix_refused(host, credential),
            );
        }
        Ok(answer) if answer.status == StatusCode::OK => return Finding::Ok(format!("accepted: {}", who(credential))),
        Ok(answer) => answer.into_failure("GET /v2/ with this login").await,
        Err(failure) => failure,
    };
    let is_refused = matches!(failure, Failure::Refused { .. })
        || failure.answer().is_some_and(|(status, _)| matches!(status.as_u16(), 401 | 403));
    let problem = match credential {
        Credential::Anonymous if is_refused => format!("nobody is logged in to {host}, which requires it"),
        _ => failure.to_string(),
    };
    let fix = if is_refused { fix_refused(host, credential) } else { format!("see the log of {host}; try again") };
    Finding::failed(problem, fix)
}

fn who(credential: &Credential) -> String {
    match credential {
        Credential::Anonymous => "an anonymous client".to_owned(),
        Credential::Password { name, .. } if name == USERNAME => "AWS credentials, as user aws".to_owned(),
        Credential::Password { name, .. } => format!("user {name}"),
        Credential::IdentityToken(_) => "an identity token of Docker's configuration".to_owned(),
        Credential::RegistryToken(_) => "a registry token of Docker's configuration".to_owned(),
    }
}

/// How to have credentials at all.
fn fix_missing(host: &Host, error: &CredentialError) -> String {
    match error {
        CredentialError::Aws(_) => format!(
            "make AWS credentials available (`aws sts get-caller-identity` shows them), or use a password: `berth login \
             {host} --username NAME --password-stdin`"
        ),
        CredentialError::Config(_) | CredentialError::Keychain(_) => {
            format!("repair Docker's configuration, or pass --username NAME --password-stdin to log in to {host}")
        }
    }
}

/// How to have credentials that are accepted.
fn fix_refused(host: &Host, credential: &Credential) -> String {
    let password = format!("`berth login {host} --username NAME --password-stdin`");
    match credential {
        Credential::Anonymous => format!("`berth login {host}` (AWS credentials), or {password}"),
        Credential::Password { name, .. } if name == USERNAME => format!(
            "check the account and role with `aws sts get-caller-identity`, and renew the session; the rules of {host} \
             must allow that identity"
        ),
        _ => format!("the password or token is wrong or has expired; log in again: {password}"),
    }
}
