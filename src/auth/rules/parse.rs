//! Reading rules.

use super::{Pattern, Rule, Rules, Who};
use crate::auth::Action;

/// A line that is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct RulesError {
    /// Which line, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub fault: RuleFault,
}

/// What is wrong with a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleFault {
    /// Its words are not where they should be.
    #[error("not of the form: allow WHO to ACTIONS on REPOSITORIES [if CLAIM=PATTERN ..]")]
    Form,
    /// Nobody is meant.
    #[error(
        "{0:?} is nobody; allowed: anonymous, user:NAME, key:NAME, account:ID, role:ID/NAME, iamuser:ID/NAME, oidc:ISSUER"
    )]
    Who(String),
    /// There is no such action.
    #[error("{0:?} is no action; allowed: pull, push, delete, catalog")]
    Action(String),
    /// A pattern holds what is not known of those whom the rule is for.
    #[error("{0:?} is not known of {1}")]
    Claim(String, String),
}

impl std::str::FromStr for Rules {
    type Err = RulesError;

    fn from_str(text: &str) -> Result<Self, RulesError> {
        let mut rules = Vec::new();
        for (index, line) in text.split(['\n', ';']).enumerate() {
            let rule = line.split('#').next().unwrap_or_default().trim();
            if !rule.is_empty() {
                let line = index + 1;
                rules.push(read(line, rule).map_err(|fault| RulesError { line, fault })?);
            }
        }
        Ok(Self(rules))
    }
}

fn read(line: usize, text: &str) -> Result<Rule, RuleFault> {
    let words: Vec<&str> =
        text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()).collect();
    let (words, conditions) = match words.iter().position(|word| *word == "if") {
        Some(at) if at + 1 < words.len() => (&words[..at], &words[at + 1..]),
        Some(_) => return Err(RuleFault::Form),
        None => (&*words, &[][..]),
    };
    let ["allow", who, "to", actions @ .., "on", repositories] = words else { return Err(RuleFault::Form) };
    if actions.is_empty() {
        return Err(RuleFault::Form);
    }
    let unknown = |claim| RuleFault::Claim(claim, (*who).to_owned());
    let (whom, claims) = whom(who)?;
    // What an issuer says is known to it alone.
    let is_known = |claim: &str| claims.contains(&claim) || matches!(whom, Who::Oidc(_));
    let mut rule = Rule {
        line,
        text: text.to_owned(),
        actions: Vec::new(),
        catalog: false,
        repositories: Pattern::parse(repositories, is_known).map_err(unknown)?,
        conditions: Vec::new(),
        who: whom.clone(),
    };
    for word in actions {
        match Action::ALL.into_iter().find(|action| action.as_str() == *word) {
            Some(action) => rule.actions.push(action),
            None if *word == "catalog" => rule.catalog = true,
            None => return Err(RuleFault::Action((*word).to_owned())),
        }
    }
    for condition in conditions {
        let (claim, pattern) = condition.split_once('=').ok_or(RuleFault::Form)?;
        if claim.is_empty() || !is_known(claim) {
            return Err(unknown(claim.to_owned()));
        }
        rule.conditions.push((claim.to_owned(), Pattern::parse(pattern, is_known).map_err(unknown)?));
    }
    Ok(rule)
}

/// Whom a rule is for, and what is known of them.
fn whom(who: &str) -> Result<(Who, &'static [&'static str]), RuleFault> {
    let nobody = || RuleFault::Who(who.to_owned());
    let pattern = |name: &str| match name {
        "" => Err(nobody()),
        name => Pattern::parse(name, |_| false).map_err(|claim| RuleFault::Claim(claim, who.to_owned())),
    };
    let account = |id: &str| {
        let is_id = id.len() == 12 && id.bytes().all(|byte| byte.is_ascii_digit());
        if is_id { Ok(id.to_owned()) } else { Err(nobody()) }
    };
    let of_account = |name: &str| {
        let (id, name) = name.split_once('/').ok_or_else(nobody)?;
        Ok((account(id)?, pattern(name)?))
    };
    match who.split_once(':') {
        None if who == "anonymous" => Ok((Who::Anonymous, &[])),
        Some(("user", name)) => Ok((Who::User(pattern(name)?), &["user"])),
        Some(("key", name)) => Ok((Who::Key(pattern(name)?), &["key"])),
        Some(("account", id)) => Ok((Who::Account(account(id)?), &["account", "role", "iamuser"])),
        Some(("role", name)) => of_account(name).map(|(id, name)| (Who::Role(id, name), &["account", "role"][..])),
        Some(("iamuser", name)) => {
            of_account(name).map(|(id, name)| (Who::IamUser(id, name), &["account", "iamuser"][..]))
        }
        // Whole, since a pattern could let in an issuer that somebody else owns.
        Some(("oidc", issuer)) if issuer.starts_with("https://") || issuer.starts_with("http://") => {
            Ok((Who::Oidc(issuer.to_owned()), &[]))
        }
        _ => Err(nobody()),
    }
}
