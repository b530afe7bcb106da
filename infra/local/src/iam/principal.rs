//! An identity at work: its policy, and the counts of what of it was needed.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::identity::Identity;
use super::need::Need;
use super::policy::{Decision, Policy};
use super::usage::{IdentityUse, StatementUse};

/// An identity that is known, with its counts.
#[derive(Debug)]
pub(crate) struct Principal {
    pub(crate) identity: Identity,
    statements: Mutex<Vec<StatementUse>>,
}

/// The first of a request's needs that is not met.
#[derive(Debug)]
pub(super) struct Unmet<'n> {
    pub(super) need: &'n Need,
    pub(super) denied_by: Option<String>,
}

impl Principal {
    pub(super) fn new(identity: Identity) -> Self {
        let statements = identity.policy.as_ref().map(StatementUse::of).unwrap_or_default();
        Self { identity, statements: Mutex::new(statements) }
    }

    fn statements(&self) -> MutexGuard<'_, Vec<StatementUse>> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The names of the statements that allow `needs`, which are counted when all are met.
    pub(super) fn decide<'n>(&self, policy: &Policy, needs: &'n [Need]) -> Result<Vec<String>, Unmet<'n>> {
        let mut allowed = Vec::new();
        for need in needs {
            match policy.decide(need) {
                Decision::Allowed(allowers) => allowed.push(allowers),
                Decision::Denied(by) => {
                    let mut statements = self.statements();
                    let denier = by.and_then(|place| statements.get_mut(place));
                    let denied_by = denier.map(|statement| {
                        statement.used += 1;
                        statement.needed += 1;
                        statement.statement.clone()
                    });
                    return Err(Unmet { need, denied_by });
                }
            }
        }
        let mut statements = self.statements();
        allowed.iter().for_each(|allowers| StatementUse::count(&mut statements, allowers));
        let places: BTreeSet<_> = allowed.iter().flatten().map(|by| by.statement).collect();
        Ok(places.iter().filter_map(|place| Some(statements.get(*place)?.statement.clone())).collect())
    }

    /// Its counts; none when it has no policy.
    pub(super) fn usage(&self) -> Option<IdentityUse> {
        self.identity.policy.as_ref()?;
        Some(IdentityUse { identity: self.identity.name.clone(), statements: self.statements().clone() })
    }

    pub(super) fn forget(&self) {
        let fresh = self.identity.policy.as_ref().map(StatementUse::of).unwrap_or_default();
        *self.statements() = fresh;
    }
}
