//! `Fn::Sub`: names in a text ("Fn::Sub").

use serde_json::{Map, Value};

use super::error::TemplateError;
use super::resolver::{Resolver, arguments, literal, text};

impl Resolver<'_> {
    /// The text alone, or with a map of names of its own.
    pub(super) fn sub(&self, argument: &Value, place: &str) -> Result<String, TemplateError> {
        let none = Map::new();
        let (mut rest, own) = match argument {
            Value::String(template) => (template.as_str(), &none),
            pair => {
                let [template, own] = arguments(pair, place)?;
                let own = own.as_object().ok_or_else(|| TemplateError::at(place, "wants a map of names"))?;
                (literal(template, place)?, own)
            }
        };
        let mut result = String::new();
        while let Some((before, after)) = rest.split_once("${") {
            let unclosed = || TemplateError::at(place, "has a ${ without its }");
            let (name, after) = after.split_once('}').ok_or_else(unclosed)?;
            result.push_str(before);
            match name.strip_prefix('!') {
                // Written so in order to stay.
                Some(kept) => result.push_str(&format!("${{{kept}}}")),
                None => result.push_str(&self.named(name.trim(), own, place)?),
            }
            rest = after;
        }
        Ok(result + rest)
    }

    fn named(&self, name: &str, own: &Map<String, Value>, place: &str) -> Result<String, TemplateError> {
        if let Some(value) = own.get(name) {
            return self.text(value, &format!("{place}.{name}"));
        }
        match name.split_once('.') {
            Some((id, attribute)) => self.attribute(id, attribute, place),
            None => {
                let value = self.reference(name, place)?;
                text(&value.ok_or_else(|| TemplateError::at(place, format!("{name} has no value")))?, place)
            }
        }
    }
}
