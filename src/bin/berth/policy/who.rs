//! Callers, as rules and logs write them.

use berth::auth::{AwsIdentity, Identity, OidcIdentity, Principal};

const FORMS: &str = "anonymous, user:NAME, key:NAME, account:ID, role:ID/NAME, iamuser:ID/NAME, oidc:ISSUER";

/// Reads what `Identity` is displayed as. Claims of an issuer are not in it.
pub(super) fn parse(text: &str) -> Result<Identity, String> {
    let nobody = || format!("allowed: {FORMS}, where ID is 12 digits");
    let is_id = |id: &str| id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
    let aws = |id: &str, principal| match is_id(id) {
        true => Ok(Identity::Aws(AwsIdentity { account: id.to_owned(), principal })),
        false => Err(nobody()),
    };
    let (kind, name) = text.split_once(':').unwrap_or((text, ""));
    match (kind, name.split_once('/')) {
        ("anonymous", _) if name.is_empty() => Ok(Identity::Anonymous),
        (_, _) if name.is_empty() => Err(nobody()),
        ("user", _) => Ok(Identity::User(name.to_owned())),
        ("key", _) => Ok(Identity::Key(name.to_owned())),
        ("account", _) => aws(name, Principal::Root),
        ("role", Some((id, role))) if !role.is_empty() => aws(id, Principal::Role(role.to_owned())),
        ("iamuser", Some((id, user))) if !user.is_empty() => aws(id, Principal::User(user.to_owned())),
        ("oidc", _) => {
            let (issuer, subject) = name.split_once(' ').unwrap_or((name, ""));
            let (issuer, subject) = (issuer.to_owned(), subject.to_owned());
            Ok(Identity::Oidc(OidcIdentity { issuer, subject, claims: Default::default() }))
        }
        _ => Err(nobody()),
    }
}

/// Reads `NAME=VALUE`.
pub(super) fn claim(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').filter(|(name, _)| !name.is_empty()).ok_or("allowed: NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// `identity`, of whom its issuer says `claims`; `sub` is its subject.
pub(super) fn with_claims(identity: Identity, claims: Vec<(String, String)>) -> anyhow::Result<Identity> {
    match identity {
        Identity::Oidc(mut oidc) => {
            for (name, value) in claims {
                if name == "sub" {
                    oidc.subject = value;
                } else {
                    oidc.claims.insert(name, value);
                }
            }
            Ok(Identity::Oidc(oidc))
        }
        other if claims.is_empty() => Ok(other),
        other => anyhow::bail!("--claim is for oidc:ISSUER; nobody says claims of {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_read_as_it_is_written() {
        for text in [
            "anonymous",
            "user:alice",
            "user:a:b",
            "key:ci",
            "account:123456789012",
            "role:123456789012/Deployer",
            "iamuser:123456789012/anna",
            "oidc:https://issuer.example.com repo:acme/app",
        ] {
            assert_eq!(parse(text).unwrap().to_string(), text);
        }
        for text in
            ["", "alice", "user:", "anonymous:x", "account:1", "role:123456789012", "role:123456789012/", "oidc:"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
