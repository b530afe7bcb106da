//! The table, made and dropped without a request of the program's.

use dynoxide::Database;
use serde_json::{Value, json};

use crate::Error;

/// The one table of an emulator, in its database.
pub(super) struct Tables {
    database: Database,
    name: String,
}

impl std::fmt::Debug for Tables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tables").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Tables {
    pub(super) fn new(database: Database, name: String) -> Self {
        Self { database, name }
    }

    /// On demand, keys `pk` and `sk`, strings.
    ///
    /// # Errors
    /// [`Error::Database`] when it exists.
    pub(super) fn create(&self) -> Result<(), Error> {
        let request = json!({
            "TableName": self.name,
            "BillingMode": "PAY_PER_REQUEST",
            "KeySchema": [
                { "AttributeName": "pk", "KeyType": "HASH" },
                { "AttributeName": "sk", "KeyType": "RANGE" },
            ],
            "AttributeDefinitions": [
                { "AttributeName": "pk", "AttributeType": "S" },
                { "AttributeName": "sk", "AttributeType": "S" },
            ],
        });
        let request = serde_json::from_value(request).map_err(|error| Error::Database(error.to_string()))?;
        self.database.create_table(request).map_err(|error| Error::Database(error.to_string()))?;
        Ok(())
    }

    /// # Errors
    /// [`Error::Database`] when it does not exist.
    pub(super) fn drop(&self) -> Result<(), Error> {
        let request = json!({ "TableName": self.name });
        let request = serde_json::from_value(request).map_err(|error| Error::Database(error.to_string()))?;
        self.database.delete_table(request).map_err(|error| Error::Database(error.to_string()))?;
        Ok(())
    }

    /// Every item, in DynamoDB's JSON.
    ///
    /// # Errors
    /// [`Error::Database`] when the table does not exist.
    pub(super) fn items(&self) -> Result<Vec<Value>, Error> {
        let failed = |error: String| Error::Database(error);
        let (mut items, mut start) = (Vec::new(), Value::Null);
        loop {
            let mut request = json!({ "TableName": self.name });
            if !start.is_null() {
                request["ExclusiveStartKey"] = start;
            }
            let request = serde_json::from_value(request).map_err(|error| failed(error.to_string()))?;
            let page = self.database.scan(request).map_err(|error| failed(error.to_string()))?;
            let mut page = serde_json::to_value(page).map_err(|error| failed(error.to_string()))?;
            if let Some(found) = page.get_mut("Items").and_then(Value::as_array_mut) {
                items.append(found);
            }
            start = page.get("LastEvaluatedKey").cloned().unwrap_or_default();
            if start.is_null() {
                return Ok(items);
            }
        }
    }
}
