//! SAM's `Globals` ("Globals section of the AWS SAM template").

use serde_json::Value;

use super::resolver::intrinsic;

/// A function's properties over the global ones: maps are merged, lists follow each other, anything else is replaced.
pub(super) fn merged(global: &Value, own: &Value) -> Value {
    match (global, own) {
        (Value::Object(global), Value::Object(own)) if intrinsic(global).is_none() && intrinsic(own).is_none() => {
            let mut all = global.clone();
            for (key, value) in own {
                let value = global.get(key).map_or_else(|| value.clone(), |global| merged(global, value));
                all.insert(key.clone(), value);
            }
            Value::Object(all)
        }
        (Value::Array(global), Value::Array(own)) => [global.as_slice(), own].concat().into(),
        (_, own) => own.clone(),
    }
}
