//! Policy documents and how they are evaluated.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::need::Need;
use super::statement::{Effect, Statement};

/// An identity's IAM policy ("IAM JSON policy reference"), of the subset that the emulators evaluate.
///
/// ```
/// let policy = berth_local::Policy::parse(&serde_json::json!({
///     "Version": "2012-10-17",
///     "Statement": {"Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::berth/*"},
/// }));
/// assert!(policy.is_ok());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Value")]
pub struct Policy {
    pub(super) statements: Vec<Statement>,
}

/// A policy document that is wrong, or that says more than the emulators evaluate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct PolicyError {
    place: String,
    fault: String,
}

/// A statement's entries that allow: places of the statement, of its action and of its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allower {
    pub(super) statement: usize,
    pub(super) action: usize,
    pub(super) resource: usize,
}

/// What a policy says of a need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Allowed(Vec<Allower>),
    /// By the statement at this place; none when nothing allows.
    Denied(Option<usize>),
}

impl Policy {
    /// Reads a document.
    ///
    /// # Errors
    /// [`PolicyError`] for whatever is not understood: nothing is passed over. Supported are the version 2012-10-17;
    /// `Sid`, `Effect`, `Action`, `Resource`; `StringEquals` and `StringLike` on `s3:prefix`; `Bool` on
    /// `aws:SecureTransport`. Not supported are the `Not...` elements, principals and policy variables.
    pub fn parse(document: &Value) -> Result<Self, PolicyError> {
        let of_document = |fault: &str| PolicyError { place: "policy".to_owned(), fault: fault.to_owned() };
        let elements = document.as_object().ok_or_else(|| of_document("is not an object"))?;
        if let Some(unknown) = elements.keys().find(|name| !["Version", "Id", "Statement"].contains(&name.as_str())) {
            return Err(of_document(&format!("{unknown} is not supported")));
        }
        if elements.get("Version").and_then(Value::as_str) != Some("2012-10-17") {
            return Err(of_document("Version is not 2012-10-17"));
        }
        let statements = match elements.get("Statement") {
            Some(Value::Array(statements)) if !statements.is_empty() => statements.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => return Err(of_document("Statement is missing or empty")),
        };
        let statements = statements.iter().enumerate().map(|(index, statement)| {
            Statement::parse(statement, index).map_err(|(place, fault)| PolicyError { place, fault })
        });
        Self::of(statements.collect::<Result<_, _>>()?)
    }

    /// One policy that says what all of `policies` say, as IAM evaluates all policies of an identity together.
    ///
    /// # Errors
    /// [`PolicyError`] when two have statements of one name: then no count would tell them apart.
    pub fn union(policies: impl IntoIterator<Item = Policy>) -> Result<Self, PolicyError> {
        Self::of(policies.into_iter().flat_map(|policy| policy.statements).collect())
    }

    fn of(statements: Vec<Statement>) -> Result<Self, PolicyError> {
        let mut names = BTreeSet::new();
        match statements.iter().find(|statement| !names.insert(&statement.name)) {
            Some(twice) => Err(PolicyError {
                place: format!("statement {}", twice.name),
                fault: "another statement has the same Sid".to_owned(),
            }),
            None => Ok(Self { statements }),
        }
    }

    /// Explicit deny before allow before the implicit deny ("Policy evaluation logic").
    pub(super) fn decide(&self, need: &Need) -> Decision {
        let matching = |effect| {
            let statements = self.statements.iter().enumerate().filter(move |(_, one)| one.effect == effect);
            statements.flat_map(|(statement, one)| {
                one.matches(need).map(move |(action, resource)| Allower { statement, action, resource })
            })
        };
        if let Some(denier) = matching(Effect::Deny).next() {
            return Decision::Denied(Some(denier.statement));
        }
        let allowers: Vec<_> = matching(Effect::Allow).collect();
        if allowers.is_empty() { Decision::Denied(None) } else { Decision::Allowed(allowers) }
    }
}

impl TryFrom<Value> for Policy {
    type Error = PolicyError;

    fn try_from(document: Value) -> Result<Self, PolicyError> {
        Self::parse(&document)
    }
}
