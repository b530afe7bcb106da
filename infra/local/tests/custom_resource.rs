//! Custom resources that a function makes.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

#[path = "support/client.rs"]
mod client;

use berth_local::{CustomResource, CustomResourceError, custom_resource};
use client::probe;
use serde_json::{Value, json};

#[tokio::test]
async fn a_function_is_asked_as_documented_and_its_data_are_attributes() {
    let function = probe().start().await.unwrap();
    let properties = json!({ "ServiceToken": "arn", "Version": "1" });
    let mut resource = CustomResource::new("EdgeSecrets", "Custom::EdgeSecrets", properties.clone());
    let made = resource.create(&function).await.unwrap();
    assert_eq!((made.physical_id.as_str(), made.no_echo), ("probe", true));
    let asked: Value = serde_json::from_str(&made.data["Asked"]).unwrap();
    for (name, value) in [
        ("RequestType", "Create"),
        ("ResourceType", "Custom::EdgeSecrets"),
        ("LogicalResourceId", "EdgeSecrets"),
        ("ServiceToken", "arn"),
    ] {
        assert_eq!(asked[name], value, "{name}");
    }
    assert_eq!((&asked["ResourceProperties"], asked.get("PhysicalResourceId")), (&properties, None));
    let stack = asked["StackId"].as_str().unwrap();
    assert_eq!(stack, berth_local::Names::default().stack_id());
    assert_eq!(stack.rsplit('/').next().unwrap().len(), 36, "{stack} ends with a UUID");
    let made = resource.update(&function, json!({ "Version": "2" })).await.unwrap();
    let asked: Value = serde_json::from_str(&made.data["Asked"]).unwrap();
    assert_eq!((&asked["RequestType"], &asked["PhysicalResourceId"]), (&json!("Update"), &json!("probe")));
    assert_eq!((&asked["ResourceProperties"]["Version"], &asked["OldResourceProperties"]), (&json!("2"), &properties));
    resource.delete(&function).await.unwrap();
    let mut other = CustomResource::new("EdgeSecrets", "Custom::EdgeSecrets", json!({})).stack("arn:stack/other");
    let asked = other.create(&function).await.unwrap().data["Asked"].clone();
    assert!(asked.contains(r#""StackId":"arn:stack/other""#), "{asked}");
    let data = json!({ "Response": { "Data": { "Text": "a", "Number": 7, "Flag": true } } });
    let data = custom_resource(&function, &data).await.unwrap();
    assert_eq!(
        data,
        [("Flag", "true"), ("Number", "7"), ("Text", "a")].map(|(k, v)| (k.to_owned(), v.to_owned())).into()
    );
}

#[tokio::test]
async fn what_cloudformation_would_not_take_is_said() {
    let function = probe().start().await.unwrap();
    for (properties, said) in [
        (json!({ "Silent": true }), "ended without a response"),
        (json!({ "Response": { "Status": "FAILED", "Reason": "no bucket" } }), "the function failed: no bucket"),
        (json!({ "Response": { "Status": "FAILED" } }), "without a Reason"),
        (json!({ "Response": { "Status": "DONE" } }), "Status DONE"),
        (json!({ "Response": { "RequestId": "other" } }), "RequestId is not that of the request"),
        (json!({ "Response": { "PhysicalResourceId": "" } }), "PhysicalResourceId"),
        (json!({ "Response": { "PhysicalResourceId": null } }), "null"),
        (json!({ "Response": { "Data": { "Long": "x".repeat(4096) } } }), "more than 4096 bytes"),
        (json!({ "Head": "POST" }), "not put to the ResponseURL"),
        (json!({ "Head": "PUT content-type: application/json" }), "Content-Type"),
        (json!({ "Head": "PUT transfer-encoding: chunked" }), "Content-Length"),
    ] {
        let error = custom_resource(&function, &properties).await.unwrap_err();
        assert!(error.to_string().contains(said), "{properties}: {error}");
    }
    let gone = client::probe().env("PROBE_INIT", "exit").start().await.unwrap();
    let error = custom_resource(&gone, &json!({})).await.unwrap_err();
    assert!(matches!(error, CustomResourceError::Invoke(_)), "{error}");
}
