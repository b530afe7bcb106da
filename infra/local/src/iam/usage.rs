//! How often the entries of a policy were needed.

use serde::{Deserialize, Serialize};

use super::policy::{Allower, Policy};
use super::statement::Effect;

/// The services whose requests are counted: of others, such as logs, nothing can be said here.
const EMULATED: [&str; 2] = ["s3", "dynamodb"];

/// The statements of an identity's policy, with their counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityUse {
    /// [`Identity::name`](crate::Identity::name).
    pub identity: String,
    /// In the order of the policy.
    pub statements: Vec<StatementUse>,
}

/// One statement, with the counts of its action entries and its resource entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatementUse {
    /// Its Sid; without one its place in the policy, `#0`.
    pub statement: String,
    /// Of a `Deny` both counts say how often it denied.
    pub effect: Effect,
    /// Permissions that it gave.
    pub used: u64,
    /// Permissions that no other statement gave.
    pub needed: u64,
    /// Each entry of `Action`.
    pub actions: Vec<EntryUse>,
    /// Each entry of `Resource`.
    pub resources: Vec<EntryUse>,
}

/// One action or resource of a statement.
///
/// A request needs one permission or several (a copy needs two); the counts are of permissions, of requests that were
/// allowed as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryUse {
    /// As the policy has it: `s3:GetObject`, `arn:aws:s3:::bucket/*`.
    pub entry: String,
    /// Permissions that it gave.
    pub used: u64,
    /// Permissions that nothing would have given without it.
    pub needed: u64,
}

impl EntryUse {
    fn of(entry: &str) -> Self {
        Self { entry: entry.to_owned(), used: 0, needed: 0 }
    }

    /// An action of an emulated service, or of any.
    fn is_emulated(&self) -> bool {
        let service = self.entry.split(':').next().unwrap_or_default();
        service.contains('*') || EMULATED.iter().any(|emulated| emulated.eq_ignore_ascii_case(service))
    }
}

impl StatementUse {
    /// All counts at zero.
    pub(super) fn of(policy: &Policy) -> Vec<Self> {
        let entries = |entries: &[String]| entries.iter().map(|entry| EntryUse::of(entry)).collect();
        let statements = policy.statements.iter();
        let statements = statements.map(|statement| Self {
            statement: statement.name.clone(),
            effect: statement.effect,
            used: 0,
            needed: 0,
            actions: entries(&statement.actions),
            resources: entries(&statement.resources),
        });
        statements.collect()
    }

    /// Counts one permission that `allowers` gave: an entry was needed when all of them go through it.
    pub(super) fn count(statements: &mut [Self], allowers: &[Allower]) {
        let tally = |used: &mut u64, needed: &mut u64, through: &dyn Fn(&Allower) -> bool| {
            *used += u64::from(allowers.iter().any(through));
            *needed += u64::from(allowers.iter().all(through));
        };
        for (s, statement) in statements.iter_mut().enumerate() {
            tally(&mut statement.used, &mut statement.needed, &|by| by.statement == s);
            for (a, entry) in statement.actions.iter_mut().enumerate() {
                tally(&mut entry.used, &mut entry.needed, &|by| by.statement == s && by.action == a);
            }
            for (r, entry) in statement.resources.iter_mut().enumerate() {
                tally(&mut entry.used, &mut entry.needed, &|by| by.statement == s && by.resource == r);
            }
        }
    }

    /// What could be taken out of an `Allow` without any request so far being denied. A `Deny` is needed by what does not
    /// happen, so that no request can show it.
    fn unused(&self) -> Vec<String> {
        if self.effect == Effect::Deny || !self.actions.iter().any(EntryUse::is_emulated) {
            return Vec::new();
        }
        let mut unused = Vec::new();
        if self.needed == 0 {
            unused.push(format!("statement {}{}", self.statement, why(self.used)));
        }
        if self.used == 0 {
            return unused;
        }
        let actions = self.actions.iter().filter(|entry| entry.is_emulated()).map(|entry| ("action", entry));
        let entries = actions.chain(self.resources.iter().map(|entry| ("resource", entry)));
        for (kind, entry) in entries.filter(|(_, entry)| entry.needed == 0) {
            unused.push(format!("statement {}: {kind} {}{}", self.statement, entry.entry, why(entry.used)));
        }
        unused
    }
}

fn why(used: u64) -> &'static str {
    if used == 0 { "" } else { " (always given by another entry too)" }
}

impl IdentityUse {
    /// One line for each statement, action and resource that no request needed:
    /// `MaintenanceRole: statement Purge: action s3:AbortMultipartUpload`. Of a statement that was never used only the
    /// statement; nothing of `Deny` statements, nor of other services' actions.
    pub fn unused(&self) -> Vec<String> {
        let lines = self.statements.iter().flat_map(StatementUse::unused);
        lines.map(|line| format!("{}: {line}", self.identity)).collect()
    }
}
