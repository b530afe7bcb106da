//! What STS answers, and whom it means ("GetCallerIdentity", STS API Reference).

use http::StatusCode;
use serde::Deserialize;

use super::Partition;
use crate::{
    auth::{
        AwsIdentity, Identity, Principal,
        fetch::{Fetched, unanswered},
        proof::ProofError,
    },
    distribution::BackendError,
};

/// An answer, in JSON as it was asked for.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    get_caller_identity_response: Answer,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    get_caller_identity_result: Found,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    account: String,
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Refused {
    error: RefusedError,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RefusedError {
    code: String,
}

/// Who asked, as STS in `partition` answers.
pub(super) fn identity(fetched: &Fetched, partition: Partition) -> Result<Identity, ProofError> {
    match fetched.status {
        StatusCode::OK => {
            let body: Body = serde_json::from_slice(&fetched.body).map_err(|_| puzzled("with something else"))?;
            let Found { account, arn } = body.get_caller_identity_response.get_caller_identity_result;
            principal(&arn, &account, partition).map(Identity::Aws)
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => Err(puzzled("that it is busy").into()),
        status if status.is_redirection() => {
            Err(ProofError::wrong("AWS STS answers with a redirect, which is not followed"))
        }
        status if status.is_client_error() => {
            let code = serde_json::from_slice::<Refused>(&fetched.body).ok().map(|refused| refused.error.code);
            let code = code.filter(|code| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
            match code.as_deref() {
                // "Common Errors": these say nothing of the credentials.
                Some("Throttling" | "ThrottlingException" | "RequestLimitExceeded") => {
                    Err(puzzled("that it is busy").into())
                }
                Some(code) => Err(ProofError::Wrong(format!("AWS does not accept these credentials: {code}"))),
                None => Err(ProofError::Wrong(format!("AWS does not accept these credentials: status {status}"))),
            }
        }
        status => Err(puzzled(&format!("with status {status}")).into()),
    }
}

fn puzzled(how: &str) -> BackendError {
    unanswered(format!("AWS STS answers {how}"))
}

/// The principal of `arn` ("IAM identifiers", IAM User Guide), without path and session.
fn principal(arn: &str, account: &str, partition: Partition) -> Result<AwsIdentity, ProofError> {
    let other = || ProofError::wrong("AWS says that this is neither a role nor a user nor an account itself");
    let ["arn", part, service, "", of_account, resource] = arn.splitn(6, ':').collect::<Vec<_>>()[..] else {
        return Err(other());
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    if part != partition.name() || of_account != account || !is_account {
        return Err(other());
    }
    let parts: Vec<&str> = resource.split('/').collect();
    let principal = match (service, parts.as_slice()) {
        ("iam", ["root"]) => Principal::Root,
        ("iam", ["user", .., name]) if is_name(name) => Principal::User((*name).to_owned()),
        ("sts", ["assumed-role", name, session]) if is_name(name) && !session.is_empty() => {
            Principal::Role((*name).to_owned())
        }
        ("sts", ["federated-user", ..]) => {
            return Err(ProofError::wrong(
                "federated users of AWS (GetFederationToken) are not let in: their name is whatever who made them \
                 chose; use a role",
            ));
        }
        _ => return Err(other()),
    };
    Ok(AwsIdentity { account: account.to_owned(), principal })
}

/// What names of roles and users are made of ("IAM and AWS STS quotas", IAM User Guide).
fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(is_part)
}
