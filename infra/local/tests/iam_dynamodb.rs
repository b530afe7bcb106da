//! What an identity's policy lets it do at DynamoDB, by the real SDK.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, KeysAndAttributes, Put, PutRequest, TransactWriteItem, WriteRequest,
};
use serde_json::{Value, json};
use support::{code, message, start};

const TABLE: &str = "arn:aws:dynamodb:us-east-1:123456789012:table/berth";

fn allow(actions: &[&str], resource: &str) -> Value {
    json!({ "Effect": "Allow", "Action": actions, "Resource": resource })
}

fn key() -> HashMap<String, AttributeValue> {
    ["pk", "sk"].map(|name| (name.to_owned(), AttributeValue::S("x".to_owned()))).into()
}

#[tokio::test]
async fn an_operation_needs_the_permission_of_its_name_on_the_table() {
    let stack = start().await;
    let role = stack.role("Reader", allow(&["dynamodb:GetItem", "dynamodb:BatchGetItem"], TABLE));
    let db = &role.dynamodb;
    db.get_item().table_name("berth").set_key(Some(key())).send().await.unwrap();
    let wanted = KeysAndAttributes::builder().keys(key()).build().unwrap();
    db.batch_get_item().request_items("berth", wanted.clone()).send().await.unwrap();
    let put = db.put_item().table_name("berth").set_item(Some(key())).send().await;
    assert_eq!(
        message(put),
        format!(
            "User: arn:aws:sts::123456789012:assumed-role/Reader/Reader is not authorized to perform: dynamodb:PutItem on \
             resource: {TABLE} because no identity-based policy allows the dynamodb:PutItem action"
        )
    );
    let request = PutRequest::builder().set_item(Some(key())).build().unwrap();
    let write = vec![WriteRequest::builder().put_request(request).build()];
    assert_eq!(code(db.batch_write_item().request_items("berth", write).send().await), "AccessDeniedException");
    assert_eq!(code(db.query().table_name("berth").send().await), "AccessDeniedException");
    assert_eq!(code(db.delete_item().table_name("berth").set_key(Some(key())).send().await), "AccessDeniedException");
    // Every table of a batch is asked for.
    let two = db.batch_get_item().request_items("berth", wanted.clone()).request_items("other", wanted);
    assert_eq!(code(two.send().await), "AccessDeniedException");
    assert!(stack.emulators.dynamodb().items().unwrap().is_empty());
    let recorded: Vec<_> = stack.emulators.requests().iter().map(|request| (request.denied, request.status)).collect();
    assert_eq!(recorded[..3], [(false, Some(200)), (false, Some(200)), (true, Some(400))]);
}

#[tokio::test]
async fn a_table_of_another_name_region_or_account_is_another() {
    let stack = start().await;
    let get = |role: &support::Role| role.dynamodb.get_item().table_name("berth").set_key(Some(key())).send();
    for (resource, allowed) in [
        ("arn:aws:dynamodb:*:*:table/*", true),
        ("arn:aws:dynamodb:us-east-1:123456789012:table/bert?", true),
        ("arn:aws:dynamodb:us-east-1:123456789012:table/berth/*", false),
        ("arn:aws:dynamodb:us-east-1:123456789012:table/other", false),
        ("arn:aws:dynamodb:eu-west-1:123456789012:table/berth", false),
        ("arn:aws:dynamodb:us-east-1:210987654321:table/berth", false),
    ] {
        let role = stack.role(resource, allow(&["DynamoDB:getitem"], resource));
        assert_eq!(get(&role).await.is_ok(), allowed, "{resource}");
    }
}

#[tokio::test]
async fn a_transaction_needs_what_its_steps_need() {
    let stack = start().await;
    let put = Put::builder().table_name("berth").set_item(Some(key())).build().unwrap();
    let mut other = key();
    other.insert("sk".to_owned(), AttributeValue::S("y".to_owned()));
    let check = ConditionCheck::builder()
        .table_name("berth")
        .set_key(Some(other))
        .condition_expression("attribute_not_exists(pk)");
    let steps = [
        TransactWriteItem::builder().put(put).build(),
        TransactWriteItem::builder().condition_check(check.build().unwrap()).build(),
    ];
    let write =
        |role: &support::Role| role.dynamodb.transact_write_items().set_transact_items(Some(steps.to_vec())).send();
    for (name, actions, missing) in [
        ("Named", &["dynamodb:TransactWriteItems"][..], "dynamodb:PutItem"),
        ("Putter", &["dynamodb:PutItem"], "dynamodb:ConditionCheckItem"),
    ] {
        let role = stack.role(name, allow(actions, TABLE));
        assert_eq!(code(write(&role).await), "AccessDeniedException", "{name}");
        assert_eq!(stack.emulators.denied().last().unwrap().action, missing);
    }
    assert!(stack.emulators.dynamodb().items().unwrap().is_empty());
    write(&stack.role("Both", allow(&["dynamodb:PutItem", "dynamodb:ConditionCheckItem"], TABLE))).await.unwrap();
    assert_eq!(stack.emulators.dynamodb().items().unwrap().len(), 1);
}

#[tokio::test]
async fn once_there_are_identities_an_unknown_key_is_refused() {
    let stack = start().await;
    let stranger = support::dynamodb(&stack.emulators, "AKIASTRANGER", "secret");
    let get = || stranger.get_item().table_name("berth").set_key(Some(key())).send();
    get().await.unwrap();
    stack.role("Reader", allow(&["dynamodb:GetItem"], TABLE));
    assert_eq!(code(get().await), "UnrecognizedClientException");
}
