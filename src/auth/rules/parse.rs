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
    #[error("not of the form: allow WHO to ACTIONS on REPOSITORIES")]
    Form,
    /// Nobody is meant.
    #[error("{0:?} is nobody; allowed: anonymous, user:NAME")]
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
    let ["allow", who, "to", actions @ .., "on", repositories] = words.as_slice() else { return Err(RuleFault::Form) };
    if actions.is_empty() {
        return Err(RuleFault::Form);
    }
    let (whom, claims): (Who, &[&str]) = match who.split_once(':') {
        None if *who == "anonymous" => (Who::Anonymous, &[]),
        Some(("user", name)) if !name.is_empty() => {
            let name = Pattern::parse(name, &[]).map_err(|claim| RuleFault::Claim(claim, (*who).to_owned()))?;
            (Who::User(name), &["user"])
        }
        _ => return Err(RuleFault::Who((*who).to_owned())),
    };
    let mut rule = Rule {
        line,
        text: text.to_owned(),
        who: whom,
        actions: Vec::new(),
        catalog: false,
        repositories: Pattern::parse(repositories, claims)
            .map_err(|claim| RuleFault::Claim(claim, (*who).to_owned()))?,
    };
    for word in actions {
        match Action::ALL.into_iter().find(|action| action.as_str() == *word) {
            Some(action) => rule.actions.push(action),
            None if *word == "catalog" => rule.catalog = true,
            None => return Err(RuleFault::Action((*word).to_owned())),
        }
    }
    Ok(rule)
}
