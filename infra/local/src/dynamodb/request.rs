//! What a DynamoDB request says of itself ("DynamoDB low-level API").

use std::collections::BTreeSet;

use http::HeaderMap;
use http::request::Parts;
use serde_json::Value;

use crate::front::{Arrived, Service};
use crate::s3::access_key;

/// Describes a request for the log: the operation from `X-Amz-Target`, the tables from the body.
pub(super) fn describe(parts: &Parts, body: &[u8]) -> Arrived {
    let operation = target(&parts.headers).unwrap_or_else(|| parts.method.to_string());
    let tables = serde_json::from_slice(body).map(|body| tables(&body)).unwrap_or_default();
    Arrived {
        service: Service::DynamoDb,
        operation,
        method: parts.method.to_string(),
        bucket: None,
        key: None,
        source: None,
        prefix: None,
        tables: tables.into_iter().collect(),
        presigned: false,
        access_key: access_key(&parts.headers),
        request_bytes: body.len() as u64,
    }
}

/// `DynamoDB_20120810.GetItem`.
fn target(headers: &HeaderMap) -> Option<String> {
    let (_, operation) = headers.get("x-amz-target")?.to_str().ok()?.split_once('.')?;
    Some(operation.to_owned())
}

/// `TableName` of single operations and of each step of a transaction; the names in `RequestItems` of batches.
fn tables(body: &Value) -> BTreeSet<String> {
    let mut tables = BTreeSet::new();
    tables.extend(body.get("TableName").and_then(Value::as_str).map(ToOwned::to_owned));
    tables.extend(
        body.get("RequestItems").and_then(Value::as_object).into_iter().flat_map(|items| items.keys().cloned()),
    );
    let steps = body.get("TransactItems").and_then(Value::as_array).into_iter().flatten();
    let named =
        steps.filter_map(Value::as_object).flat_map(|step| step.values()).filter_map(|step| step.get("TableName"));
    tables.extend(named.filter_map(Value::as_str).map(ToOwned::to_owned));
    tables
}
