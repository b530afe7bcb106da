//! Conditions ("Condition functions").

use serde_json::Value;

use super::error::TemplateError;
use super::resolver::{Resolver, arguments, literal};

impl Resolver<'_> {
    /// Whether the condition of this name, which is asked for at `place`, holds.
    pub(super) fn condition(&self, name: &str, place: &str) -> Result<bool, TemplateError> {
        let missing = || TemplateError::at(place, format!("there is no condition {name}"));
        let condition = self.root.get("Conditions").and_then(|conditions| conditions.get(name)).ok_or_else(missing)?;
        self.nested(place, || self.holds(condition, &format!("Conditions.{name}")))
    }

    fn holds(&self, condition: &Value, place: &str) -> Result<bool, TemplateError> {
        let alone = condition.as_object().filter(|map| map.len() == 1).and_then(|map| map.iter().next());
        let (function, argument) = alone.ok_or_else(|| TemplateError::at(place, "is not one condition function"))?;
        let place = format!("{place}.{function}");
        let each = || {
            let terms = argument.as_array().ok_or_else(|| TemplateError::at(&place, "wants a list"))?;
            terms.iter().map(|term| self.holds(term, &place)).collect::<Result<Vec<_>, _>>()
        };
        match function.as_str() {
            "Condition" => self.condition(literal(argument, &place)?, &place),
            "Fn::Equals" => {
                let [one, other] = arguments(argument, &place)?;
                Ok(self.text(one, &place)? == self.text(other, &place)?)
            }
            "Fn::Not" => {
                let [term] = arguments(argument, &place)?;
                self.holds(term, &place).map(|holds| !holds)
            }
            "Fn::And" => each().map(|terms| terms.iter().all(|holds| *holds)),
            "Fn::Or" => each().map(|terms| terms.iter().any(|holds| *holds)),
            _ => Err(TemplateError::at(&place, "is not supported")),
        }
    }
}
