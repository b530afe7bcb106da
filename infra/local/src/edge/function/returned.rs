//! What a handler returned, read field by field.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::Value;

use super::fields::{Field, FieldValue, Fields};

/// An object that a handler returned, as `result.js` writes it: `headers`, `cookies` and `querystring` as lists of pairs.
#[derive(Debug)]
pub(super) struct Returned(Value);

/// What is wrong with it, in words.
pub(super) type Fault = String;

impl Returned {
    /// None when it is not an object.
    pub(super) fn parse(json: &str) -> Option<Self> {
        serde_json::from_str::<Value>(json).ok().filter(Value::is_object).map(Self)
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some()
    }

    pub(super) fn text(&self, name: &str) -> Result<&str, Fault> {
        self.0.get(name).and_then(Value::as_str).ok_or_else(|| format!("{name} is not a string"))
    }

    pub(super) fn status(&self) -> Result<u16, Fault> {
        let status = self.0.get("statusCode").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        let valid = status.filter(|status| (100..600).contains(status));
        valid.ok_or_else(|| "statusCode is not a number from 100 to 599".to_owned())
    }

    pub(super) fn description(&self) -> Result<Option<String>, Fault> {
        match self.0.get("statusDescription") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err("statusDescription is not a string".to_owned()),
        }
    }

    /// None when there is no body.
    pub(super) fn body(&self) -> Result<Option<Bytes>, Fault> {
        let Some(body) = self.0.get("body") else { return Ok(None) };
        let data = match body {
            Value::String(text) => return Ok(Some(text.clone().into())),
            Value::Object(body) => body.get("data").and_then(Value::as_str).ok_or("body.data is not a string")?,
            _ => return Err("body is neither a string nor an object".to_owned()),
        };
        match body.get("encoding").and_then(Value::as_str) {
            Some("text") => Ok(Some(data.to_owned().into())),
            Some("base64") => match STANDARD.decode(data) {
                Ok(bytes) => Ok(Some(bytes.into())),
                Err(_) => Err("body.data is not base64".to_owned()),
            },
            _ => Err("body.encoding is neither text nor base64".to_owned()),
        }
    }

    /// The fields of an object over those that it was given with: a `multiValue` that was changed wins over `value`, an unchanged
    /// one is changed in its first place ("Duplicate query strings, headers, and cookies").
    pub(super) fn fields(&self, name: &str, given: &Fields) -> Result<Fields, Fault> {
        let Some(listed) = self.0.get(name) else { return Ok(Fields::default()) };
        let wrong = || format!("{name} is not an object");
        let listed = listed.get("fields").and_then(Value::as_array).ok_or_else(wrong)?;
        let mut fields = Vec::new();
        for pair in listed {
            let (Some(field), Some(entry)) = (pair.get(0).and_then(Value::as_str), pair.get(1)) else {
                return Err(wrong());
            };
            let place = format!("{name}['{field}']");
            let values = values(entry, given.get(field), &place)?;
            fields.push(Field { name: field.to_owned(), values });
        }
        Ok(Fields(fields))
    }
}

fn values(entry: &Value, given: Option<&[FieldValue]>, place: &str) -> Result<Vec<FieldValue>, Fault> {
    let first = || value(entry, place);
    let many = match entry.get("multiValue") {
        None => return Ok(vec![first()?]),
        Some(Value::Array(many)) => many.iter().map(|one| value(one, &format!("{place}.multiValue"))),
        Some(_) => return Err(format!("{place}.multiValue is not an array")),
    };
    let many = many.collect::<Result<Vec<_>, _>>()?;
    if many.is_empty() || given.is_some_and(|given| given == many) {
        let rest = many.into_iter().skip(1);
        return Ok(std::iter::once(first()?).chain(rest).collect());
    }
    Ok(many)
}

fn value(entry: &Value, place: &str) -> Result<FieldValue, Fault> {
    let text = entry.get("value").and_then(Value::as_str);
    let value = text.ok_or_else(|| format!("{place}.value is not a string"))?.to_owned();
    match entry.get("attributes") {
        None => Ok(FieldValue { value, attributes: None }),
        Some(Value::String(attributes)) => Ok(FieldValue { value, attributes: Some(attributes.clone()) }),
        Some(_) => Err(format!("{place}.attributes is not a string")),
    }
}
