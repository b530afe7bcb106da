//! Request units: what DynamoDB charges for ("DynamoDB on-demand capacity mode", read and write request units).
//!
//! The engine counts them as DynamoDB does: by item size, consistency and transaction. It says so in its answer when asked to.

use bytes::Bytes;
use serde_json::Value;

const ASKED: &str = "ReturnConsumedCapacity";

/// Operations that read or write items, all of which take [`ASKED`].
const CHARGED: [&str; 10] = [
    "BatchGetItem",
    "BatchWriteItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "TransactGetItems",
    "TransactWriteItems",
    "UpdateItem",
];

/// The request that also asks for its units. A value that the client gave stays, unless it is `NONE`, which is the default.
pub(super) fn ask(operation: &str, body: Bytes) -> Bytes {
    if !CHARGED.contains(&operation) {
        return body;
    }
    let Ok(Value::Object(mut request)) = serde_json::from_slice(&body) else { return body };
    if request.get(ASKED).is_none_or(|value| value == "NONE") {
        request.insert(ASKED.to_owned(), Value::from("TOTAL"));
        return Value::Object(request).to_string().into();
    }
    body
}

/// The units of an answer; none where it names none, as an error does.
pub(super) fn consumed(answer: &[u8]) -> Option<f64> {
    let answer: Value = serde_json::from_slice(answer).ok()?;
    match answer.get("ConsumedCapacity")? {
        // One for each table, of operations that may name several.
        Value::Array(tables) => tables.iter().map(total).sum(),
        table => total(table),
    }
}

fn total(table: &Value) -> Option<f64> {
    table.get("CapacityUnits")?.as_f64()
}
