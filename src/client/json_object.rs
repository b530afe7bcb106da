//! A JSON object of which a few members are changed, while the others stay as somebody wrote them.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
    ser::SerializeMap as _,
};
use serde_json::value::RawValue;

/// Members in the order in which they were written. Of several with one name the last counts, as in Docker.
#[derive(Debug, Default)]
pub(super) struct Object(Vec<(String, Member)>);

#[derive(Debug)]
enum Member {
    /// As it was written.
    Raw(Box<RawValue>),
    /// An object that was looked into, so that it is laid out anew.
    Object(Object),
}

impl Object {
    /// The member `name`, if there is one and it is a `T`.
    pub(super) fn get<'a, T: Deserialize<'a>>(&'a self, name: &str) -> Option<T> {
        match &self.0.iter().find(|(known, _)| known == name)?.1 {
            Member::Raw(raw) => serde_json::from_str(raw.get()).ok(),
            Member::Object(_) => None,
        }
    }

    /// The object `name`, if there is one.
    ///
    /// # Errors
    /// It is there, and something else.
    pub(super) fn object(&mut self, name: &str) -> serde_json::Result<Option<&mut Self>> {
        let Some((_, member)) = self.0.iter_mut().find(|(known, _)| known == name) else { return Ok(None) };
        if let Member::Raw(raw) = member {
            // Docker writes null for an empty map now and then.
            *member = Member::Object(serde_json::from_str::<Option<Self>>(raw.get())?.unwrap_or_default());
        }
        match member {
            Member::Object(object) => Ok(Some(object)),
            Member::Raw(_) => Ok(None),
        }
    }

    /// The object `name`, which is made where there is none.
    ///
    /// # Errors
    /// It is there, and something else.
    pub(super) fn object_or_new(&mut self, name: &str) -> serde_json::Result<&mut Self> {
        if self.object(name)?.is_none() {
            self.put(name.to_owned(), Member::Object(Self::default()));
        }
        self.object(name)?.ok_or_else(|| serde::de::Error::custom("no object"))
    }

    /// Sets the member `name`, in its place where it has one.
    ///
    /// # Errors
    /// `value` is not to be had as JSON.
    pub(super) fn set(&mut self, name: &str, value: &impl Serialize) -> serde_json::Result<()> {
        let text = serde_json::to_string(value)?;
        // Objects are laid out as the rest is.
        let member = match serde_json::from_str(&text) {
            Ok(object) => Member::Object(object),
            Err(_) => Member::Raw(RawValue::from_string(text)?),
        };
        self.put(name.to_owned(), member);
        Ok(())
    }

    /// Removes the member `name`; whether there was one.
    pub(super) fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|(known, _)| known != name);
        self.0.len() < before
    }

    /// Removes the member `name` if it is an object that was looked into and holds nothing.
    pub(super) fn remove_empty(&mut self, name: &str) {
        self.0.retain(|(known, member)| {
            known != name || !matches!(member, Member::Object(object) if object.0.is_empty())
        });
    }

    /// The names and values of those members that are a `T`.
    pub(super) fn members<'a, T: Deserialize<'a>>(&'a self) -> impl Iterator<Item = (&'a str, T)> {
        self.0.iter().filter_map(|(name, _)| Some((name.as_str(), self.get(name)?)))
    }

    fn put(&mut self, name: String, member: Member) {
        match self.0.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = member,
            None => self.0.push((name, member)),
        }
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = Object::default();
                while let Some((name, raw)) = map.next_entry()? {
                    object.put(name, Member::Raw(raw));
                }
                Ok(object)
            }
        }
        deserializer.deserialize_map(Members)
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, member) in &self.0 {
            match member {
                Member::Raw(raw) => map.serialize_entry(name, raw)?,
                Member::Object(object) => map.serialize_entry(name, object)?,
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_not_touched_stays_as_it_was_written() {
        let text = r#"{"z": {"b" : 1.50e3}, "a":[ 1,2 ], "m": {"k":"v"}, "n":null}"#;
        let mut object: Object = serde_json::from_str(text).unwrap();
        object.object_or_new("m").unwrap().set("l", &"w").unwrap();
        object.object_or_new("n").unwrap().set("o", &json!({"p": 1})).unwrap();
        let written = serde_json::to_string(&object).unwrap();
        assert_eq!(written, r#"{"z":{"b" : 1.50e3},"a":[ 1,2 ],"m":{"k":"v","l":"w"},"n":{"o":{"p":1}}}"#);
        assert!(object.object("a").is_err());
    }

    proptest! {
        /// Against serde_json's own maps.
        #[test]
        fn it_is_a_map(steps in prop::collection::vec(("[a-c]", prop::option::of("\\PC{0,5}")), 0..20)) {
            let (mut object, mut model) = (Object::default(), serde_json::Map::new());
            for (name, text) in steps {
                match text {
                    Some(text) => {
                        object.set(&name, &text).unwrap();
                        model.insert(name, Value::String(text));
                    }
                    None => prop_assert_eq!(object.remove(&name), model.remove(&name).is_some()),
                }
                object = serde_json::from_str(&serde_json::to_string_pretty(&object).unwrap()).unwrap();
                prop_assert_eq!(serde_json::to_value(&object).unwrap(), Value::Object(model.clone()));
            }
        }
    }
}
