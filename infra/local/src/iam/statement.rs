//! One statement of a policy.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::condition::Condition;
use super::need::Need;
use super::pattern::{ARN_SEGMENTS, action_like, resource_like};

/// What a statement does to the requests that it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Effect {
    /// Allows them, unless another statement denies them.
    Allow,
    /// Denies them, whatever allows them.
    Deny,
}

/// Actions on resources, and whether they are allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    /// Its Sid; without one its place in the policy, `#0`.
    pub(super) name: String,
    pub(super) effect: Effect,
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
    conditions: Vec<Condition>,
}

impl Statement {
    /// The pairs of an action entry and a resource entry that match, by their places; none when a condition fails.
    pub(super) fn matches<'s>(&'s self, need: &'s Need) -> impl Iterator<Item = (usize, usize)> + 's {
        let applies = self.conditions.iter().all(|condition| condition.holds(need));
        let actions = self.actions.iter().enumerate().filter(move |_| applies);
        actions.filter(|(_, pattern)| action_like(pattern, &need.action)).flat_map(|(action, _)| {
            let resources = self.resources.iter().enumerate();
            let matching = resources.filter(|(_, pattern)| resource_like(pattern, &need.resource));
            matching.map(move |(resource, _)| (action, resource))
        })
    }

    /// # Errors
    /// What is not understood, in words. Nothing is passed over: an element that would widen or narrow the statement must
    /// not be lost.
    pub(super) fn parse(element: &Value, index: usize) -> Result<Self, (String, String)> {
        let mut statement = Self {
            name: format!("#{index}"),
            effect: Effect::Allow,
            actions: Vec::new(),
            resources: Vec::new(),
            conditions: Vec::new(),
        };
        match statement.read(element) {
            Ok(()) => Ok(statement),
            Err(fault) => Err((format!("statement {}", statement.name), fault)),
        }
    }

    fn read(&mut self, element: &Value) -> Result<(), String> {
        let elements = element.as_object().ok_or("is not an object")?;
        if let Some(sid) = elements.get("Sid") {
            let sid = sid.as_str().ok_or("Sid is not a string")?;
            self.name = sid.to_owned();
            // "IAM JSON policy elements: Sid": IAM refuses others in policies of its own.
            if sid.is_empty() || !sid.chars().all(|c| c.is_ascii_alphanumeric()) {
                return Err("a Sid has letters and digits only".to_owned());
            }
        }
        self.effect = match elements.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Effect::Allow,
            Some("Deny") => Effect::Deny,
            _ => return Err("Effect is neither Allow nor Deny".to_owned()),
        };
        self.actions = list(elements.get("Action"), "Action")?;
        self.resources = list(elements.get("Resource"), "Resource")?;
        if let Some(condition) = elements.get("Condition") {
            self.conditions = Condition::parse(condition)?;
        }
        let known = ["Sid", "Effect", "Action", "Resource", "Condition"];
        if let Some(unknown) = elements.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(format!("{unknown} is not supported"));
        }
        if element.to_string().contains("${") {
            return Err("policy variables are not supported".to_owned());
        }
        let wrong = self.actions.iter().find(|action| *action != "*" && action.split(':').count() != 2);
        if let Some(action) = wrong {
            return Err(format!("Action {action} is not of the form service:action"));
        }
        let is_arn = |resource: &str| resource.starts_with("arn:") && resource.split(':').count() >= ARN_SEGMENTS;
        match self.resources.iter().find(|resource| *resource != "*" && !is_arn(resource)) {
            Some(resource) => Err(format!("Resource {resource} is not an ARN")),
            None => Ok(()),
        }
    }
}

/// One string or a list of them.
fn list(value: Option<&Value>, name: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("{name} is neither a string nor a list of strings");
    match value {
        None => Err(format!("{name} is missing")),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(many)) if many.is_empty() => Err(format!("{name} is empty")),
        Some(Value::Array(many)) => {
            many.iter().map(|one| one.as_str().map(ToOwned::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}
