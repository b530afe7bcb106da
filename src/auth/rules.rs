//! Rules: who may do what, where. Nobody may do what no rule allows.
//!
//! One rule a line (in a variable, `;` may stand for a new line); empty lines, and what follows a `#`, say nothing:
//!
//! ```text
//! allow user:alice to pull, push, delete on team/**
//! allow user:*     to pull, push         on home/${user}/**
//! allow user:*     to pull, catalog      on **
//! allow anonymous  to pull               on public/*
//! ```
//!
//! - **who**: `anonymous`, or `user:NAME`, where `*` in the name stands for any text.
//! - **what**: `pull`, `push`, `delete`, `catalog`, with commas between; `catalog` allows to list the repositories, of
//!   which only those are shown that may be pulled from.
//! - **where**: a repository's name, in which `*` stands for any text without a slash, `**` for any text at all, and
//!   `${user}` for the name of the user who asks. A name that could not be part of a repository's matches nothing.

mod parse;
mod pattern;

use super::{Access, Action, Identity};
pub use parse::{RuleFault, RulesError};
use pattern::Pattern;

/// Rules, in the order in which they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules(Vec<Rule>);

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// Which line, from 1.
    pub line: usize,
    /// As it was written.
    pub text: String,
    who: Who,
    actions: Vec<Action>,
    catalog: bool,
    repositories: Pattern,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Anonymous,
    User(Pattern),
}

impl Rules {
    /// The first rule that lets `identity` do that, if there is one.
    pub fn allow(&self, identity: &Identity, access: &Access) -> Option<&Rule> {
        self.0.iter().find(|rule| rule.who.is(identity) && rule.allows(identity, access))
    }

    /// Whether a rule lets `identity` do `action` in every repository.
    pub fn allow_everywhere(&self, identity: &Identity, action: Action) -> bool {
        let everywhere = |rule: &Rule| rule.actions.contains(&action) && rule.repositories.is_everything();
        self.0.iter().any(|rule| rule.who.is(identity) && everywhere(rule))
    }
}

impl Rule {
    fn allows(&self, identity: &Identity, access: &Access) -> bool {
        match access {
            Access::Catalog => self.catalog,
            Access::Repository(name, action) => {
                self.actions.contains(action) && self.repositories.matches(name.as_str(), identity)
            }
        }
    }
}

impl Who {
    fn is(&self, identity: &Identity) -> bool {
        match (self, identity) {
            (Self::Anonymous, Identity::Anonymous) => true,
            (Self::User(names), Identity::User(name)) => names.matches(name, identity),
            _ => false,
        }
    }
}
