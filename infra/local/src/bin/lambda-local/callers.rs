//! Who has no password: somebody with AWS credentials, and whom an issuer speaks for.

use std::collections::BTreeMap;

use berth_local::{Signer, StsEmulator};

/// For whom the issuer's tokens have to be.
pub(crate) const AUDIENCE: &str = "berth";

/// The variable that names issuers.
const ISSUERS: &str = "REGISTRY_AUTH_BERTH_OIDC";

/// The role whose credentials the caller has.
const ROLE: &str = "deployer";

/// Somebody with temporary credentials of a role of the account. They are good for STS alone, and for nothing that the
/// registry keeps.
#[derive(Debug)]
pub(crate) struct Caller(Signer);

impl Caller {
    /// One with random credentials, whom `sts` knows from now on.
    pub(crate) fn known_to(sts: &StsEmulator, account: &str) -> Self {
        let random = || uuid::Uuid::new_v4().simple().to_string();
        let signer = Signer {
            access_key: format!("ASIA{}", &random().to_uppercase()[..16]),
            secret_key: random(),
            session_token: Some(random()),
            arn: format!("arn:aws:sts::{account}:assumed-role/{ROLE}/lambda-local"),
        };
        sts.add(signer.clone());
        Self(signer)
    }

    /// How to log in to `host`.
    pub(crate) fn login(&self, host: &str) -> String {
        let Signer { access_key, secret_key, session_token, .. } = &self.0;
        let token = session_token.as_deref().unwrap_or_default();
        format!(
            "AWS_ACCESS_KEY_ID={access_key} AWS_SECRET_ACCESS_KEY={secret_key} AWS_SESSION_TOKEN={token} berth login {host}"
        )
    }
}

/// Has a registry that takes issuers believe `issuer` too. The template's parameter takes none without TLS.
pub(crate) fn believe(environment: &mut BTreeMap<String, String>, issuer: &str) {
    if let Some(issuers) = environment.get_mut(ISSUERS) {
        let others = if issuers.trim().is_empty() { String::new() } else { format!("{issuers};") };
        *issuers = format!("{others}{issuer} {AUDIENCE}");
    }
}
