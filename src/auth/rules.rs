//! Rules: who may do what, where. Nobody may do what no rule allows.
//!
//! One rule a line (in a variable, `;` may stand for a new line); empty lines, and what follows a `#`, say nothing:
//!
//! ```text
//! allow user:alice                 to pull, push, delete on team/**
//! allow user:*                     to pull, push         on home/${user}/**
//! allow account:123456789012       to pull, push, delete, catalog on **
//! allow role:123456789012/ci-*     to pull, push         on builds/${role}/**
//! allow oidc:https://token.actions.githubusercontent.com to pull, push on gh/${repository}/** if repository_owner=acme
//! allow anonymous                  to pull               on public/*
//! ```
//!
//! - **who**: `anonymous`, which is everybody, logged in or not; `user:NAME`, a user with a password; `key:NAME`, an API key; `account:ID`, everybody of an AWS
//!   account; `role:ID/NAME` and `iamuser:ID/NAME`, one of its roles or users; `oidc:ISSUER`, everybody whom that issuer
//!   vouches for. In names, `*` stands for any text without a slash.
//! - **what**: `pull`, `push`, `delete`, `catalog`, with commas between; `catalog` allows to list the repositories, of
//!   which only those are shown that may be pulled from.
//! - **where**: a repository's name, in which `*` stands for any text without a slash, `**` for any text at all, and
//!   `${user}`, `${key}`, `${account}`, `${role}`, `${iamuser}` or `${CLAIM}` for what is known of the one who asks. What is
//!   not known, is empty, or could not be part of a repository's name matches nothing.
//! - **if**: claims of an issuer's token, each with a pattern that its value must fit: `ref=refs/heads/*`. All must.

mod parse;
mod pattern;

use super::{Access, Action, AwsIdentity, Identity, Principal};
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
    conditions: Vec<(String, Pattern)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Anonymous,
    User(Pattern),
    Key(Pattern),
    Account(String),
    Role(String, Pattern),
    IamUser(String, Pattern),
    Oidc(String),
}

impl Rules {
    /// The first rule that lets `identity` do that, if there is one.
    pub fn allow(&self, identity: &Identity, access: &Access) -> Option<&Rule> {
        self.0.iter().find(|rule| rule.is_for(identity) && rule.allows(identity, access))
    }

    /// Whether there is anything that those may do who are not logged in.
    pub fn allow_anonymous(&self) -> bool {
        self.0.iter().any(|rule| rule.who == Who::Anonymous)
    }
}

impl Rule {
    fn is_for(&self, identity: &Identity) -> bool {
        let fits = |(claim, pattern): &(String, Pattern)| {
            identity.claim(claim).is_some_and(|value| pattern.matches(value, identity))
        };
        self.who.is(identity) && self.conditions.iter().all(fits)
    }

    fn allows(&self, identity: &Identity, access: &Access) -> bool {
        match access {
            Access::Catalog => self.catalog,
            Access::AnyBlob => self.actions.contains(&Action::Pull) && self.repositories.is_everything(),
            Access::Repository(name, action) => {
                self.actions.contains(action) && self.repositories.matches(name.as_str(), identity)
            }
        }
    }
}

impl Who {
    fn is(&self, identity: &Identity) -> bool {
        let fits = |names: &Pattern, name: &str| names.matches(name, identity);
        match (self, identity) {
            // What a stranger may do, nobody may do less than by logging in.
            (Self::Anonymous, _) => true,
            (Self::User(names), Identity::User(name)) | (Self::Key(names), Identity::Key(name)) => fits(names, name),
            (Self::Account(id), Identity::Aws(aws)) => *id == aws.account,
            (Self::Role(id, names), Identity::Aws(AwsIdentity { account, principal: Principal::Role(name) }))
            | (Self::IamUser(id, names), Identity::Aws(AwsIdentity { account, principal: Principal::User(name) })) => {
                id == account && fits(names, name)
            }
            (Self::Oidc(issuer), Identity::Oidc(oidc)) => *issuer == oidc.issuer,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::OidcIdentity;

    fn aws(account: &str, principal: Principal) -> Identity {
        Identity::Aws(AwsIdentity { account: account.to_owned(), principal })
    }

    fn github(repository: &str, owner: &str, branch: &str) -> Identity {
        let claims = [("repository", repository), ("repository_owner", owner), ("ref", branch)];
        Identity::Oidc(OidcIdentity {
            issuer: "https://token.example.com".to_owned(),
            subject: format!("repo:{repository}"),
            claims: claims.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        })
    }

    #[test]
    fn each_kind_of_caller_has_rules_of_its_own() {
        let rules: Rules = "
            allow account:111122223333 to pull on shared/**
            allow role:111122223333/ci-* to push on builds/${role}/*
            allow iamuser:111122223333/anna to delete on home/${iamuser}/*
            allow key:deploy to pull on deployed/*
            allow oidc:https://token.example.com to push on gh/${repository}/** if repository_owner=acme ref=refs/heads/**
        "
        .parse()
        .unwrap();
        let role = |account, name: &str| aws(account, Principal::Role(name.to_owned()));
        let user = |name: &str| aws("111122223333", Principal::User(name.to_owned()));
        let main = "refs/heads/main";
        for (identity, action, name, line) in [
            (role("111122223333", "ci-app"), Action::Pull, "shared/a", Some(2)),
            (aws("111122223333", Principal::Root), Action::Pull, "shared/a", Some(2)),
            (role("999922223333", "ci-app"), Action::Pull, "shared/a", None),
            (role("111122223333", "ci-app"), Action::Push, "builds/ci-app/x", Some(3)),
            (role("111122223333", "ci-app"), Action::Push, "builds/ci-other/x", None),
            (role("111122223333", "dev"), Action::Push, "builds/dev/x", None),
            (role("999922223333", "ci-app"), Action::Push, "builds/ci-app/x", None),
            // A user that is named like a role, and a password's user that is named like either, are neither.
            (user("ci-app"), Action::Push, "builds/ci-app/x", None),
            (Identity::User("111122223333/ci-app".to_owned()), Action::Push, "builds/ci-app/x", None),
            (user("anna"), Action::Delete, "home/anna/x", Some(4)),
            (user("bert"), Action::Delete, "home/bert/x", None),
            (Identity::Key("deploy".to_owned()), Action::Pull, "deployed/app", Some(5)),
            (Identity::User("deploy".to_owned()), Action::Pull, "deployed/app", None),
            (github("acme/app", "acme", main), Action::Push, "gh/acme/app/image", Some(6)),
            (github("acme/app", "acme", main), Action::Push, "gh/acme/other/image", None),
            (github("evil/app", "evil", main), Action::Push, "gh/evil/app/image", None),
            (github("acme/app", "acme", "refs/pull/1/merge"), Action::Push, "gh/acme/app/image", None),
            (Identity::Anonymous, Action::Pull, "shared/a", None),
        ] {
            let access = Access::Repository(name.parse().unwrap(), action);
            assert_eq!(rules.allow(&identity, &access).map(|rule| rule.line), line, "{identity} {access}");
        }
    }

    #[test]
    fn what_anonymous_may_do_is_found_wherever_it_is() {
        for (text, any) in [
            ("", false),
            ("# allow anonymous to pull on **", false),
            ("allow user:* to pull on public/**; allow key:anonymous to pull on **", false),
            ("allow user:anonymous to pull on **", false),
            ("allow user:a to pull on **; allow anonymous to pull on public/*", true),
            ("allow anonymous to catalog on x", true),
            ("allow\tanonymous to push on open/**", true),
        ] {
            assert_eq!(text.parse::<Rules>().unwrap().allow_anonymous(), any, "{text}");
        }
    }

    #[test]
    fn whom_nobody_is_and_what_nobody_knows_is_refused() {
        for text in [
            "allow account:1111 to pull on x",
            "allow account:* to pull on x",
            "allow role:ci to pull on x",
            "allow role:*/ci to pull on x",
            "allow oidc:token.example.com to pull on x",
            "allow oidc:* to pull on x",
            "allow key: to pull on x",
            "allow user:a to pull on ${role}",
            "allow user:a to pull on x if",
            "allow user:a to pull on x if ref=a",
            "allow oidc:https://a to pull on x if ref",
        ] {
            assert!(text.parse::<Rules>().is_err(), "{text}");
        }
    }
}
