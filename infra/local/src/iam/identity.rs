//! Who may send requests.

use s3s::crypto::{Checksum as _, Sha256};
use serde::Deserialize;

use super::policy::Policy;

/// A key pair, and what its holder may do.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// The role's name, as refusals and counts show it.
    pub name: String,
    /// The access key that tells its requests from others'.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// What it may do; everything when none.
    #[serde(default)]
    pub policy: Option<Policy>,
}

impl Identity {
    /// An identity whose key pair follows from its name.
    pub fn named(name: impl Into<String>, policy: Option<Policy>) -> Self {
        let name = name.into();
        let digest = |of: &str| hex::encode(Sha256::checksum(format!("{of} of {name}").as_bytes()));
        let access_key = format!("AKIA{}", digest("access key").get(..16).unwrap_or_default().to_uppercase());
        Self { access_key, secret_key: digest("secret key"), name, policy }
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, access_key, policy, .. } = self;
        f.debug_struct("Identity")
            .field("name", name)
            .field("access_key", access_key)
            .field("policy", policy)
            .finish_non_exhaustive()
    }
}
