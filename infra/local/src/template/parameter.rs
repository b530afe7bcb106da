//! `Ref` of parameters and pseudo parameters.

use serde_json::Value;

use super::error::TemplateError;
use super::resolver::{Resolved, Resolver, text};

impl Resolver<'_> {
    /// What `Ref` answers for a name.
    pub(super) fn reference(&self, name: &str, place: &str) -> Resolved {
        if let Some(parameter) = self.root.get("Parameters").and_then(|parameters| parameters.get(name)) {
            return self.parameter(name, parameter).map(Some);
        }
        let names = self.names;
        let pseudo = match name {
            "AWS::NoValue" => return Ok(None),
            "AWS::Region" => &names.region,
            "AWS::AccountId" => &names.account,
            "AWS::Partition" => &names.partition,
            "AWS::StackId" => return Ok(Some(Value::String(names.stack_id()))),
            "AWS::StackName" => &names.stack,
            "AWS::URLSuffix" => &names.url_suffix,
            _ => return self.resource_reference(name, place).map(|text| Some(Value::String(text))),
        };
        Ok(Some(Value::String(pseudo.clone())))
    }

    /// That every parameter that is given is declared, and every declared one has a value, as a deployment checks first.
    pub(super) fn check_parameters(&self) -> Result<(), TemplateError> {
        let declared = self.root.get("Parameters").and_then(Value::as_object);
        let is_declared = |name: &String| declared.is_some_and(|parameters| parameters.contains_key(name));
        if let Some(unknown) = self.names.parameters.keys().find(|name| !is_declared(name)) {
            return Err(TemplateError::at("Parameters", format!("there is no parameter {unknown}")));
        }
        declared.into_iter().flatten().try_for_each(|(name, parameter)| self.parameter(name, parameter).map(drop))
    }

    /// The given value or the default; a list where its type is one.
    fn parameter(&self, name: &str, parameter: &Value) -> Result<Value, TemplateError> {
        let place = format!("Parameters.{name}");
        let default = parameter.get("Default").filter(|default| !default.is_null());
        let value = match (self.names.parameters.get(name), default) {
            (Some(given), _) => given.clone(),
            (None, Some(default)) => text(default, &place)?,
            (None, None) => return Err(TemplateError::at(&place, "has no default and is not given")),
        };
        if let Some(allowed) = parameter.get("AllowedValues").and_then(Value::as_array) {
            let allowed: Vec<_> = allowed.iter().map(|one| text(one, &place)).collect::<Result<_, _>>()?;
            if !allowed.contains(&value) {
                return Err(TemplateError::at(&place, format!("{value} is none of {}", allowed.join(", "))));
            }
        }
        match parameter.get("Type").and_then(Value::as_str) {
            Some("Number") if value.parse::<f64>().is_err() => {
                Err(TemplateError::at(&place, format!("{value} is not a number")))
            }
            Some("String" | "Number") => Ok(Value::String(value)),
            Some("CommaDelimitedList" | "List<Number>" | "List<String>") => {
                Ok(value.split(',').map(str::trim).collect())
            }
            _ => Err(TemplateError::at(&place, "its type is not supported")),
        }
    }
}
