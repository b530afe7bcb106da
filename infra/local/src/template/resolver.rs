//! Intrinsic functions ("Intrinsic function reference").

use std::cell::Cell;

use serde_json::{Map, Value};

use super::error::TemplateError;
use super::names::Names;

/// Deeper than any template: something refers to itself.
const DEEPEST: u32 = 100;

/// One template with one set of names.
#[derive(Debug)]
pub(super) struct Resolver<'t> {
    pub(super) root: &'t Value,
    pub(super) names: &'t Names,
    depth: Cell<u32>,
}

/// The value of a place, if it has one: none stands for `AWS::NoValue`, which takes the place away.
pub(super) type Resolved = Result<Option<Value>, TemplateError>;

impl<'t> Resolver<'t> {
    pub(super) fn new(root: &'t Value, names: &'t Names) -> Self {
        Self { root, names, depth: Cell::new(0) }
    }

    /// What `value`, which stands at `place`, is when it is deployed.
    pub(super) fn value(&self, value: &Value, place: &str) -> Resolved {
        self.nested(place, || match value {
            Value::Object(map) => self.map(map, place),
            Value::Array(items) => self.list(items, place).map(|items| Some(Value::Array(items))),
            scalar => Ok(Some(scalar.clone())),
        })
    }

    /// One step down, unless that has no end.
    pub(super) fn nested<T>(
        &self,
        place: &str,
        step: impl FnOnce() -> Result<T, TemplateError>,
    ) -> Result<T, TemplateError> {
        let depth = self.depth.get();
        if depth > DEEPEST {
            return Err(TemplateError::at(place, "refers to itself"));
        }
        self.depth.set(depth + 1);
        let outcome = step();
        self.depth.set(depth);
        outcome
    }

    fn map(&self, map: &Map<String, Value>, place: &str) -> Resolved {
        if let Some((function, argument)) = intrinsic(map) {
            return self.function(function, argument, &format!("{place}.{function}"));
        }
        let mut resolved = Map::new();
        for (key, value) in map {
            if is_function(key) {
                return Err(TemplateError::at(place, format!("{key} stands beside other keys")));
            }
            if let Some(value) = self.value(value, &format!("{place}.{key}"))? {
                resolved.insert(key.clone(), value);
            }
        }
        Ok(Some(Value::Object(resolved)))
    }

    fn list(&self, items: &[Value], place: &str) -> Result<Vec<Value>, TemplateError> {
        let items = items.iter().enumerate();
        items.filter_map(|(index, item)| self.value(item, &format!("{place}[{index}]")).transpose()).collect()
    }

    fn function(&self, function: &str, argument: &Value, place: &str) -> Resolved {
        match function {
            "Ref" => self.reference(literal(argument, place)?, place),
            "Fn::GetAtt" => self.get_att(argument, place).map(|text| Some(Value::String(text))),
            "Fn::Sub" => self.sub(argument, place).map(|text| Some(Value::String(text))),
            "Fn::If" => {
                let [condition, then, otherwise] = arguments(argument, place)?;
                let holds = self.condition(literal(condition, place)?, place)?;
                self.value(if holds { then } else { otherwise }, place)
            }
            "Fn::Join" => {
                let [separator, parts] = arguments(argument, place)?;
                let parts = self.items(parts, place)?;
                let parts: Vec<_> = parts.iter().map(|part| text(part, place)).collect::<Result<_, _>>()?;
                Ok(Some(Value::String(parts.join(literal(separator, place)?))))
            }
            "Fn::Select" => {
                let [index, items] = arguments(argument, place)?;
                let index = self.text(index, place)?;
                let items = self.items(items, place)?;
                let item = index.parse().ok().and_then(|index: usize| items.get(index).cloned());
                item.map(Some).ok_or_else(|| TemplateError::at(place, format!("there is no item {index}")))
            }
            "Fn::Split" => {
                let [separator, whole] = arguments(argument, place)?;
                let whole = self.text(whole, place)?;
                Ok(Some(whole.split(literal(separator, place)?).collect()))
            }
            _ => Err(TemplateError::at(place, "is not supported")),
        }
    }

    /// The text of a place that must have one.
    pub(super) fn text(&self, value: &Value, place: &str) -> Result<String, TemplateError> {
        let value = self.value(value, place)?.ok_or_else(|| TemplateError::at(place, "has no value"))?;
        text(&value, place)
    }

    fn items(&self, value: &Value, place: &str) -> Result<Vec<Value>, TemplateError> {
        match self.value(value, place)? {
            Some(Value::Array(items)) => Ok(items),
            _ => Err(TemplateError::at(place, "wants a list")),
        }
    }
}

/// A function that is alone in its map. `Condition` is none here: it is a key of policies and resources.
pub(super) fn intrinsic(map: &Map<String, Value>) -> Option<(&str, &Value)> {
    let (name, argument) = map.iter().next()?;
    (map.len() == 1 && is_function(name)).then_some((name, argument))
}

fn is_function(key: &str) -> bool {
    key == "Ref" || key.starts_with("Fn::")
}

/// A scalar as the text that CloudFormation makes of it.
pub(super) fn text(value: &Value, place: &str) -> Result<String, TemplateError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(truth) => Ok(truth.to_string()),
        _ => Err(TemplateError::at(place, "is not a string")),
    }
}

/// An argument in which no function may stand.
pub(super) fn literal<'v>(value: &'v Value, place: &str) -> Result<&'v str, TemplateError> {
    value.as_str().ok_or_else(|| TemplateError::at(place, "wants a string that is written out"))
}

pub(super) fn arguments<'v, const N: usize>(value: &'v Value, place: &str) -> Result<&'v [Value; N], TemplateError> {
    let items = value.as_array().and_then(|items| items.as_slice().try_into().ok());
    items.ok_or_else(|| TemplateError::at(place, format!("wants a list of {N}")))
}
