//! Who is known to STS, and what it was asked.

use std::sync::{Mutex, MutexGuard, PoisonError};

use http::request::Parts;
use serde::{Deserialize, Serialize};

use super::signature::Query;
use crate::front::Front;

/// Who is known to STS, besides the identities of [`Emulators`](crate::Emulators).
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// The access key.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// The token that has to come with it: of temporary credentials.
    #[serde(default)]
    pub session_token: Option<String>,
    /// Whom STS says that it is.
    pub arn: String,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Signer").field("access_key", &self.access_key).field("arn", &self.arn).finish_non_exhaustive()
    }
}

/// One request, as far as tests ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Asked {
    /// The header `Host`.
    pub host: Option<String>,
    /// The header `X-Berth-Registry`.
    pub registry: Option<String>,
    /// The names of all headers, in lexical order.
    pub headers: Vec<String>,
    /// Path and query.
    pub target: String,
}

#[derive(Debug)]
pub(super) struct State {
    pub(super) front: Front,
    pub(super) account: String,
    pub(super) known: Mutex<Known>,
}

#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) signers: Vec<Signer>,
    pub(super) asked: Vec<Asked>,
    pub(super) redirect: Option<String>,
}

impl State {
    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn signer(&self, access_key: &str) -> Option<Signer> {
        let added = self.known().signers.iter().find(|signer| signer.access_key == access_key).cloned();
        added.or_else(|| {
            let identity = &self.front.identities.find(access_key)?.identity;
            let (name, account) = (&identity.name, &self.account);
            Some(Signer {
                access_key: access_key.to_owned(),
                secret_key: identity.secret_key.clone(),
                session_token: None,
                arn: format!("arn:aws:sts::{account}:assumed-role/{name}/{name}"),
            })
        })
    }

    /// The caller's ARN; or status, code and message.
    pub(super) fn judge(&self, parts: &Parts, query: &Query) -> Result<String, (u16, &'static str, &'static str)> {
        const INVALID: (u16, &str, &str) =
            (403, "InvalidClientTokenId", "The security token included in the request is invalid.");
        const INCOMPLETE: (u16, &str, &str) = (400, "IncompleteSignature", "The request signature is not complete.");
        if query.get("Action") != Some("GetCallerIdentity") || query.get("Version") != Some("2011-06-15") {
            return Err((400, "InvalidAction", "Could not find operation for this version."));
        }
        let signer = query.access_key().and_then(|key| self.signer(key)).ok_or(INVALID)?;
        if query.get("X-Amz-Security-Token") != signer.session_token.as_deref() {
            return Err(INVALID);
        }
        let signed = query.signature(parts, &signer.secret_key).ok_or(INCOMPLETE)?;
        if Some(signed.as_str()) != query.get("X-Amz-Signature") {
            let message = "The request signature we calculated does not match the signature you provided.";
            return Err((403, "SignatureDoesNotMatch", message));
        }
        if !query.is_in_time() {
            return Err((403, "SignatureDoesNotMatch", "Signature expired."));
        }
        Ok(signer.arn)
    }
}
