//! All identities of one pair of emulators.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::denial::Denial;
use super::identity::Identity;
use super::need::Need;
use super::principal::Principal;
use super::usage::IdentityUse;

/// Who is known, and what they were refused.
#[derive(Debug)]
pub(crate) struct Identities {
    account: String,
    principals: Mutex<Vec<Arc<Principal>>>,
    denials: Mutex<Vec<Denial>>,
}

impl Identities {
    /// With the one that is there from the start.
    pub(crate) fn new(account: &str, first: Identity) -> Self {
        let principals = Mutex::new(vec![Arc::new(Principal::new(first))]);
        Self { account: account.to_owned(), principals, denials: Mutex::default() }
    }

    fn principals(&self) -> MutexGuard<'_, Vec<Arc<Principal>>> {
        self.principals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn denied(&self) -> MutexGuard<'_, Vec<Denial>> {
        self.denials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one, in place of the one that had its access key.
    pub(crate) fn add(&self, identity: Identity) {
        let mut principals = self.principals();
        let principal = Arc::new(Principal::new(identity));
        let same = principals.iter_mut().find(|old| old.identity.access_key == principal.identity.access_key);
        match same {
            Some(old) => *old = principal,
            None => principals.push(principal),
        }
    }

    pub(crate) fn find(&self, access_key: &str) -> Option<Arc<Principal>> {
        self.principals().iter().find(|principal| principal.identity.access_key == access_key).cloned()
    }

    /// Whether a request by this key, if any, is somebody's. As long as nobody was added every key is good, where
    /// signatures are not verified.
    pub(crate) fn recognise(&self, access_key: Option<&str>) -> bool {
        let principals = self.principals();
        let known = |key| principals.iter().any(|principal| principal.identity.access_key == key);
        principals.len() < 2 || access_key.is_none_or(known)
    }

    /// Decides a request of `principal`; the names of the statements that allow it. `needs` is none for an operation that
    /// has no mapping to permissions, which is refused.
    pub(crate) fn decide(
        &self,
        principal: &Principal,
        operation: &str,
        needs: Option<&[Need]>,
    ) -> Result<Vec<String>, Denial> {
        let identity = &principal.identity;
        let Some(policy) = &identity.policy else { return Ok(Vec::new()) };
        let (action, resource, denied_by, because) = match needs.map(|needs| principal.decide(policy, needs)) {
            Some(Ok(names)) => return Ok(names),
            Some(Err(unmet)) => {
                let because = match unmet.denied_by {
                    Some(_) => "with an explicit deny in an identity-based policy".to_owned(),
                    None => format!("because no identity-based policy allows the {} action", unmet.need.action),
                };
                (unmet.need.action.as_str(), unmet.need.resource.as_str(), unmet.denied_by, because)
            }
            None => (operation, "*", None, "because the emulator does not know which permissions it needs".to_owned()),
        };
        let user = format!("arn:aws:sts::{}:assumed-role/{1}/{1}", self.account, identity.name);
        // S3 puts the resource into quotes, DynamoDB does not.
        let quote = if action.starts_with("s3:") { "\"" } else { "" };
        let message = format!(
            "User: {user} is not authorized to perform: {action} on resource: {quote}{resource}{quote} {because}"
        );
        let denial = Denial {
            identity: identity.name.clone(),
            operation: operation.to_owned(),
            action: action.to_owned(),
            resource: resource.to_owned(),
            denied_by,
            message,
        };
        self.denied().push(denial.clone());
        Err(denial)
    }

    pub(crate) fn denials(&self) -> Vec<Denial> {
        self.denied().clone()
    }

    /// The counts of those that have a policy, in the order in which they were added.
    pub(crate) fn usage(&self) -> Vec<IdentityUse> {
        self.principals().iter().filter_map(|principal| principal.usage()).collect()
    }

    /// Forgets counts and denials.
    pub(crate) fn forget(&self) {
        self.principals().iter().for_each(|principal| principal.forget());
        self.denied().clear();
    }
}
