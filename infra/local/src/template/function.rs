//! A function as it is deployed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value};

use super::error::TemplateError;
use super::globals::merged;
use super::resolver::{Resolver, text};
use super::resource::{FUNCTION, SAM_FUNCTION};
use crate::iam::{Identity, Policy};

/// What Lambda runs, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its physical name.
    pub name: String,
    /// `Handler`.
    pub handler: String,
    /// The variables of `Environment`.
    pub environment: BTreeMap<String, String>,
    /// How long an invocation may take; Lambda's default is three seconds.
    pub timeout: Duration,
    /// Memory in MiB; Lambda's default is 128.
    pub memory_mb: u32,
    /// The logical id of its role.
    pub role: String,
    /// All inline policies of the role as one.
    pub policy: Policy,
    /// The ARNs of the role's managed policies, which are not read.
    pub managed_policies: Vec<String>,
}

/// Resources that give a role more than is read here.
const POLICIES: [&str; 3] = ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"];

impl Function {
    /// Its role as somebody to be held to the role's policy, with keys that follow from the role's name.
    pub fn identity(&self) -> Identity {
        Identity::named(&self.role, Some(self.policy.clone()))
    }

    pub(super) fn of(resolver: &Resolver<'_>, id: &str) -> Result<Self, TemplateError> {
        let place = format!("Resources.{id}");
        let resource = resolver.resource(id, &place)?;
        let kind = resource.get("Type").and_then(Value::as_str).unwrap_or_default();
        let own = resource.get("Properties").unwrap_or(&Value::Null);
        let properties = match (kind, resolver.root.pointer("/Globals/Function")) {
            (SAM_FUNCTION, Some(global)) => merged(global, own),
            (SAM_FUNCTION | FUNCTION, _) => own.clone(),
            _ => return Err(TemplateError::at(&place, "is not a function")),
        };
        let place = format!("{place}.Properties");
        let get = |name: &str| {
            let value = properties.get(name).map(|value| resolver.value(value, &format!("{place}.{name}")));
            value.transpose().map(Option::flatten)
        };
        let required = |name: &str| {
            let value = get(name)?.ok_or_else(|| TemplateError::at(&place, format!("has no {name}")))?;
            text(&value, &format!("{place}.{name}"))
        };
        let number = |name: &str, default: u32| {
            let Some(value) = get(name)? else { return Ok(default) };
            let place = format!("{place}.{name}");
            text(&value, &place)?.parse().map_err(|_| TemplateError::at(&place, "is not a whole number"))
        };
        let environment = get("Environment")?.unwrap_or_default();
        let (role, properties_of_role) = role(resolver, &required("Role")?, &place)?;
        Ok(Self {
            name: resolver.physical(id, kind)?,
            handler: required("Handler")?,
            environment: variables(&environment, &format!("{place}.Environment.Variables"))?,
            timeout: Duration::from_secs(number("Timeout", 3)?.into()),
            memory_mb: number("MemorySize", 128)?,
            policy: inline(&properties_of_role, &role)?,
            managed_policies: managed(&properties_of_role, &role)?,
            role,
        })
    }
}

fn variables(environment: &Value, place: &str) -> Result<BTreeMap<String, String>, TemplateError> {
    let variables = environment.get("Variables").and_then(Value::as_object).into_iter().flatten();
    variables.map(|(name, value)| Ok((name.clone(), text(value, &format!("{place}.{name}"))?))).collect()
}

/// The role of this ARN: its logical id and its properties.
fn role(resolver: &Resolver<'_>, arn: &str, place: &str) -> Result<(String, Map<String, Value>), TemplateError> {
    let resources = resolver.root.get("Resources").and_then(Value::as_object).into_iter().flatten();
    let mut found = None;
    for (id, resource) in resources {
        let kind = resource.get("Type").and_then(Value::as_str).unwrap_or_default();
        if POLICIES.contains(&kind) && resolver.is_deployed(id, resource)? {
            return Err(TemplateError::at(&format!("Resources.{id}"), format!("{kind} is not read")));
        }
        let place = format!("Resources.{id}.Properties");
        if kind == "AWS::IAM::Role"
            && resolver.is_deployed(id, resource)?
            && resolver.attribute(id, "Arn", &place)? == arn
        {
            let properties = resource.get("Properties").map(|properties| resolver.value(properties, &place));
            let properties = properties.transpose()?.flatten();
            found = Some((id.clone(), properties.and_then(|value| value.as_object().cloned()).unwrap_or_default()));
        }
    }
    found.ok_or_else(|| TemplateError::at(&format!("{place}.Role"), format!("{arn} is not a role of the template")))
}

fn inline(role: &Map<String, Value>, id: &str) -> Result<Policy, TemplateError> {
    let place = format!("Resources.{id}.Properties");
    if role.contains_key("PermissionsBoundary") {
        return Err(TemplateError::at(&place, "PermissionsBoundary is not evaluated"));
    }
    let policies = role.get("Policies").and_then(Value::as_array).into_iter().flatten().enumerate();
    let policies = policies.map(|(index, policy)| {
        let document = policy.get("PolicyDocument").unwrap_or(&Value::Null);
        Policy::parse(document)
            .map_err(|error| TemplateError::at(&format!("{place}.Policies[{index}]"), error.to_string()))
    });
    let policies = policies.collect::<Result<Vec<_>, _>>()?;
    Policy::union(policies).map_err(|error| TemplateError::at(&format!("{place}.Policies"), error.to_string()))
}

fn managed(role: &Map<String, Value>, id: &str) -> Result<Vec<String>, TemplateError> {
    let arns = role.get("ManagedPolicyArns").and_then(Value::as_array).into_iter().flatten();
    arns.map(|arn| text(arn, &format!("Resources.{id}.Properties.ManagedPolicyArns"))).collect()
}
