//! Query strings, headers and cookies as an event has them ("Structure for a query string, header, or cookie").

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Fields in their order, each once, with all its values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(pub Vec<Field>);

/// One name with its values, of which there is at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// As it came; of headers in lower case.
    pub name: String,
    /// More than one where the name was there more than once: `multiValue`.
    pub values: Vec<FieldValue>,
}

/// One value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldValue {
    /// As it came.
    pub value: String,
    /// Of a cookie that is set, what follows its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<String>,
}

impl FieldValue {
    /// One without attributes.
    pub fn new(value: impl Into<String>) -> Self {
        Self { value: value.into(), attributes: None }
    }
}

impl Fields {
    /// Adds a value to the field of this name.
    pub fn add(&mut self, name: &str, value: FieldValue) {
        match self.0.iter_mut().find(|field| field.name == name) {
            Some(field) => field.values.push(value),
            None => self.0.push(Field { name: name.to_owned(), values: vec![value] }),
        }
    }

    /// The values of a name; none when it is not there.
    pub fn get(&self, name: &str) -> Option<&[FieldValue]> {
        self.0.iter().find(|field| field.name == name).map(|field| field.values.as_slice())
    }

    /// The first value of a name.
    pub fn first(&self, name: &str) -> Option<&str> {
        self.get(name)?.first().map(|value| value.value.as_str())
    }

    /// Each pair of a name and a value.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &FieldValue)> {
        self.0.iter().flat_map(|field| field.values.iter().map(|value| (field.name.as_str(), value)))
    }

    /// A query string's parameters, still percent-encoded.
    pub fn of_query(query: &str) -> Self {
        let mut fields = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.add(name, FieldValue::new(value));
        }
        fields
    }

    /// The query string of these parameters.
    pub fn to_query(&self) -> String {
        let pairs = self.pairs().map(|(name, value)| format!("{name}={}", value.value));
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// A field in JSON.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    #[serde(flatten)]
    first: FieldValue,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    multi_value: Vec<FieldValue>,
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for Field { name, values } in &self.0 {
            let first = values.first().cloned().unwrap_or_default();
            let multi_value = if values.len() > 1 { values.clone() } else { Vec::new() };
            map.serialize_entry(name, &Entry { first, multi_value })?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of fields")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, Entry { first, multi_value })) = map.next_entry()? {
                    let values = if multi_value.is_empty() { vec![first] } else { multi_value };
                    fields.push(Field { name, values });
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}
