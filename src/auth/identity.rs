//! Who asks, as rules see it.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use crate::context::Caller;

/// Who a controller found a request to come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Identity {
    /// Nobody who said a name.
    Anonymous,
    /// A user with a password.
    User(String),
    /// Who holds an API key of this name.
    Key(String),
    /// Who holds credentials of an AWS account.
    Aws(AwsIdentity),
    /// Who holds a token of an OpenID Connect issuer.
    Oidc(OidcIdentity),
}

/// A principal of an AWS account ("IAM identifiers", IAM User Guide), without path and session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwsIdentity {
    /// The account's id: 12 digits.
    pub account: String,
    /// Which of its principals.
    pub principal: Principal,
}

/// Which principal of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Principal {
    /// A role, by its name.
    Role(String),
    /// A user, by its name.
    User(String),
    /// The account itself.
    Root,
}

/// What an issuer says of somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OidcIdentity {
    /// The issuer's URL, as its tokens have it.
    pub issuer: String,
    /// Whom it means: unique with this issuer.
    pub subject: String,
    /// What else it says, by name; values that are no text are written as JSON.
    pub claims: BTreeMap<String, String>,
}

impl Identity {
    /// What is known of it, by the name that rules use: `${user}`, `${role}`, `${account}`, or a claim of its issuer.
    pub fn claim(&self, name: &str) -> Option<&str> {
        match (self, name) {
            (Self::User(user), "user") => Some(user),
            (Self::Key(key), "key") => Some(key),
            (Self::Aws(AwsIdentity { account, .. }), "account") => Some(account),
            (Self::Aws(AwsIdentity { principal: Principal::Role(role), .. }), "role") => Some(role),
            (Self::Aws(AwsIdentity { principal: Principal::User(user), .. }), "iamuser") => Some(user),
            (Self::Oidc(OidcIdentity { subject, .. }), "sub") => Some(subject),
            (Self::Oidc(OidcIdentity { claims, .. }), claim) => claims.get(claim).map(String::as_str),
            _ => None,
        }
    }

    /// As logs and contexts have it.
    pub fn caller(&self) -> Caller {
        match self {
            Self::Anonymous => Caller::Anonymous,
            Self::User(name) => Caller::Named(name.clone()),
            other => Caller::Named(other.to_string()),
        }
    }
}

/// As rules write it.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::User(name) => write!(f, "user:{name}"),
            Self::Key(name) => write!(f, "key:{name}"),
            Self::Aws(AwsIdentity { account, principal }) => match principal {
                Principal::Role(role) => write!(f, "role:{account}/{role}"),
                Principal::User(user) => write!(f, "iamuser:{account}/{user}"),
                Principal::Root => write!(f, "account:{account}"),
            },
            Self::Oidc(OidcIdentity { issuer, subject, .. }) => write!(f, "oidc:{issuer} {subject}"),
        }
    }
}
