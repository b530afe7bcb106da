//! The conditions of a statement ("IAM JSON policy elements: Condition operators").

use serde_json::Value;

use super::need::Need;
use super::pattern::like;

/// One operator on one key. Its values are alternatives; the conditions of a statement must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// `StringEquals` on `s3:prefix`.
    PrefixEquals(Vec<String>),
    /// `StringLike` on `s3:prefix`.
    PrefixLike(Vec<String>),
    /// `Bool` on `aws:SecureTransport`.
    SecureTransport(bool),
}

impl Condition {
    /// A request that has no such key does not meet the condition.
    pub(super) fn holds(&self, need: &Need) -> bool {
        match self {
            Condition::PrefixEquals(values) => need.prefix.as_ref().is_some_and(|prefix| values.contains(prefix)),
            Condition::PrefixLike(patterns) => {
                need.prefix.as_ref().is_some_and(|prefix| patterns.iter().any(|pattern| like(pattern, prefix)))
            }
            // The emulators stand for endpoints that are reached by TLS.
            Condition::SecureTransport(wanted) => *wanted,
        }
    }

    /// # Errors
    /// What is not understood, in words.
    pub(super) fn parse(element: &Value) -> Result<Vec<Self>, String> {
        let operators = element.as_object().ok_or("Condition is not an object")?;
        let mut conditions = Vec::new();
        for (operator, keys) in operators {
            let keys = keys.as_object().ok_or_else(|| format!("Condition {operator} is not an object"))?;
            for (key, values) in keys {
                let values = values_of(values).ok_or_else(|| format!("Condition {operator} {key} has no value"))?;
                conditions.push(Self::of(operator, key, values)?);
            }
        }
        Ok(conditions)
    }

    fn of(operator: &str, key: &str, values: Vec<String>) -> Result<Self, String> {
        match (operator, key.to_ascii_lowercase().as_str(), values.as_slice()) {
            ("StringEquals", "s3:prefix", _) => Ok(Condition::PrefixEquals(values)),
            ("StringLike", "s3:prefix", _) => Ok(Condition::PrefixLike(values)),
            ("Bool", "aws:securetransport", [value]) => match value.as_str() {
                "true" => Ok(Condition::SecureTransport(true)),
                "false" => Ok(Condition::SecureTransport(false)),
                other => Err(format!("Condition {operator} {key}: {other} is neither true nor false")),
            },
            _ => Err(format!("Condition {operator} {key} is not supported")),
        }
    }
}

/// One value or a list of them; booleans may be written without quotes.
fn values_of(value: &Value) -> Option<Vec<String>> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    };
    match value {
        Value::Array(values) if values.is_empty() => None,
        Value::Array(values) => values.iter().map(one).collect(),
        value => one(value).map(|value| vec![value]),
    }
}
