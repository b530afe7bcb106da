//! The results, as they come in.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde::Serialize;

use crate::client::Credential;

/// The longest text of a result, in characters.
const LONGEST: usize = 1000;

/// What one check found. Its texts are one line each, and hold no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// The name of the check, as documented for `berth doctor`.
    pub name: &'static str,
    /// Whether it passed.
    pub status: CheckStatus,
    /// What was found: the problem where the check failed, the reason where it was skipped.
    pub detail: String,
    /// What to do about a problem.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CheckStatus {
    /// It passed.
    Ok,
    /// It found a problem.
    Failed,
    /// It does not apply, or could not run.
    Skipped,
}

/// What a check returns.
#[derive(Debug)]
pub(super) enum Finding {
    /// It passed: what was seen.
    Ok(String),
    /// What is wrong, and what to do about it.
    Failed { problem: String, fix: String },
    /// Why it does not apply.
    Skipped(String),
}

impl Finding {
    pub(super) fn failed(problem: impl ToString, fix: impl Into<String>) -> Self {
        Self::Failed { problem: problem.to_string(), fix: fix.into() }
    }
}

/// Collects results and reports each.
pub(super) struct Record<R> {
    report: R,
    secrets: Vec<String>,
    results: Vec<CheckResult>,
    /// Checks that others must not rely on: failed, or not run because of a failure.
    unmet: BTreeSet<&'static str>,
}

impl<R: FnMut(&CheckResult)> Record<R> {
    /// `credential` never appears in a result, whatever a server repeats of it.
    pub(super) fn new(report: R, credential: Option<&Credential>) -> Self {
        let secrets = match credential {
            Some(Credential::Password { name, password }) => {
                vec![STANDARD.encode(format!("{name}:{}", password.expose())), password.expose().to_owned()]
            }
            Some(Credential::IdentityToken(token) | Credential::RegistryToken(token)) => {
                vec![token.expose().to_owned()]
            }
            Some(Credential::Anonymous) | None => Vec::new(),
        };
        Self { report, secrets, results: Vec::new(), unmet: BTreeSet::new() }
    }

    /// Runs `check`, unless one of the checks that it `needs` failed or could not run.
    pub(super) async fn run(
        &mut self,
        name: &'static str,
        needs: &[&'static str],
        check: impl Future<Output = Finding>,
    ) {
        let finding = match needs.iter().find(|need| self.unmet.contains(*need)) {
            Some(need) => {
                self.unmet.insert(name);
                Finding::Skipped(format!("needs {need}"))
            }
            None => check.await,
        };
        self.add(name, finding);
    }

    /// Records a check that was not requested.
    pub(super) fn skip(&mut self, name: &'static str, reason: &str) {
        self.add(name, Finding::Skipped(reason.to_owned()));
    }

    /// Whether other checks may rely on `name`.
    pub(super) fn is_met(&self, name: &str) -> bool {
        !self.unmet.contains(name)
    }

    fn add(&mut self, name: &'static str, finding: Finding) {
        let (status, detail, fix) = match finding {
            Finding::Ok(detail) => (CheckStatus::Ok, detail, None),
            Finding::Failed { problem, fix } => (CheckStatus::Failed, problem, Some(fix)),
            Finding::Skipped(reason) => (CheckStatus::Skipped, reason, None),
        };
        if status == CheckStatus::Failed {
            self.unmet.insert(name);
        }
        let result = CheckResult { name, status, detail: self.clean(&detail), fix: fix.map(|fix| self.clean(&fix)) };
        (self.report)(&result);
        self.results.push(result);
    }

    /// `text` on one line, without secrets and without anything that controls a terminal.
    fn clean(&self, text: &str) -> String {
        let secrets = self.secrets.iter().filter(|secret| !secret.is_empty());
        let text = secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "***"));
        text.replace(char::is_control, " ").chars().take(LONGEST).collect()
    }

    pub(super) fn results(self) -> Vec<CheckResult> {
        self.results
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    #[tokio::test]
    async fn secrets_and_control_characters_are_removed() {
        let password = Secret::new("wonderland");
        let alice = Credential::Password { name: "alice".to_owned(), password };
        let mut seen = Vec::new();
        let mut record = Record::new(|result: &CheckResult| seen.push(result.clone()), Some(&alice));
        let problem = "Basic YWxpY2U6d29uZGVybGFuZA==\u{1b}[2J wonderland\nx";
        record.run("one", &[], async { Finding::failed(problem, "not wonderland") }).await;
        record.run("two", &["one"], async { unreachable!("its need is not met") }).await;
        record.run("three", &["two"], async { unreachable!("nor that of what needs it") }).await;
        record.run("four", &[], async { Finding::Ok("fine".to_owned()) }).await;
        assert!(!record.is_met("three") && record.is_met("four"));
        let results = record.results();
        assert_eq!(seen, results);
        assert_eq!(results[0].detail, "Basic *** [2J *** x");
        assert_eq!(results[0].fix.as_deref(), Some("not ***"));
        let statuses: Vec<_> = results.iter().map(|result| (result.status, result.detail.as_str())).collect();
        assert_eq!(statuses[1..3], [(CheckStatus::Skipped, "needs one"), (CheckStatus::Skipped, "needs two")]);
    }
}
