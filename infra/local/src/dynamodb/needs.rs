//! Which permissions a DynamoDB request needs ("Actions, resources, and condition keys for Amazon DynamoDB", Service
//! Authorization Reference; "Using IAM with transactions").

use serde_json::Value;

use crate::iam::Need;

/// None for an operation, or a step of a transaction, that has no mapping here, and for a body that names no table.
/// `tables` is what the ARN of every table begins with.
pub(super) fn of(operation: &str, body: &[u8], tables: &str) -> Option<Vec<Need>> {
    let body: Value = serde_json::from_slice(body).ok()?;
    match operation {
        "GetItem" | "PutItem" | "UpdateItem" | "DeleteItem" | "DescribeTable" | "DescribeTimeToLive" => {
            Some(vec![on(&body, operation, tables)?])
        }
        "Query" | "Scan" => {
            let mut need = on(&body, operation, tables)?;
            if let Some(index) = body.get("IndexName").and_then(Value::as_str) {
                need.resource += &format!("/index/{index}");
            }
            Some(vec![need])
        }
        "BatchGetItem" | "BatchWriteItem" => {
            let named = body.get("RequestItems")?.as_object()?.keys();
            Some(named.map(|table| need(operation, table, tables)).collect())
        }
        "TransactGetItems" | "TransactWriteItems" => {
            let steps = body.get("TransactItems")?.as_array()?;
            steps.iter().map(|step| inner(step, tables)).collect()
        }
        _ => None,
    }
}

/// A transaction needs no permission of its own, only those of its steps.
fn inner(step: &Value, tables: &str) -> Option<Need> {
    let (kind, step) = step.as_object()?.iter().next()?;
    let operation = match kind.as_str() {
        "Get" => "GetItem",
        "Put" => "PutItem",
        "Update" => "UpdateItem",
        "Delete" => "DeleteItem",
        "ConditionCheck" => "ConditionCheckItem",
        _ => return None,
    };
    on(step, operation, tables)
}

fn on(body: &Value, operation: &str, tables: &str) -> Option<Need> {
    Some(need(operation, body.get("TableName")?.as_str()?, tables))
}

/// A table may be named by its ARN.
fn need(operation: &str, table: &str, tables: &str) -> Need {
    let resource = if table.starts_with("arn:") { table.to_owned() } else { format!("{tables}{table}") };
    Need::new(format!("dynamodb:{operation}"), resource)
}
