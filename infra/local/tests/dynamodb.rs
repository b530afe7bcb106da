//! DynamoDB, by the real SDK: what a cache of descriptors needs of it.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, PutRequest, TransactWriteItem, WriteRequest};
use support::{code, start};

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn item(pk: &str, sk: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([
        ("pk".to_owned(), text(pk)),
        ("sk".to_owned(), text(sk)),
        ("size".to_owned(), AttributeValue::N("7".into())),
    ])
}

#[tokio::test]
async fn items_are_put_got_and_deleted() {
    let stack = start().await;
    let (db, table) = (&stack.dynamodb, &stack.table);
    db.put_item().table_name(table).set_item(Some(item("a", "1"))).send().await.unwrap();
    let get = || db.get_item().table_name(table).key("pk", text("a")).key("sk", text("1")).consistent_read(true).send();
    assert_eq!(get().await.unwrap().item().unwrap()["size"], AttributeValue::N("7".to_owned()));
    db.delete_item().table_name(table).key("pk", text("a")).key("sk", text("1")).send().await.unwrap();
    assert!(get().await.unwrap().item().is_none());
}

#[tokio::test]
async fn conditions_are_kept() {
    let stack = start().await;
    let put = stack.dynamodb.put_item().table_name(&stack.table).set_item(Some(item("a", "1")));
    let put = put.condition_expression("attribute_not_exists(pk)");
    put.clone().send().await.unwrap();
    assert_eq!(code(put.send().await), "ConditionalCheckFailedException");
    let update = stack.dynamodb.update_item().table_name(&stack.table).key("pk", text("a")).key("sk", text("1"));
    let update = update.update_expression("SET #n = #n + :one").condition_expression("#n < :limit");
    let update = update.expression_attribute_names("#n", "size");
    let update = update.expression_attribute_values(":one", AttributeValue::N("1".into()));
    let update = update.expression_attribute_values(":limit", AttributeValue::N("8".into()));
    update.clone().send().await.unwrap();
    assert_eq!(code(update.send().await), "ConditionalCheckFailedException");
}

#[tokio::test]
async fn batches_and_queries_read_what_batches_wrote() {
    let stack = start().await;
    let (db, table) = (&stack.dynamodb, &stack.table);
    let write = |sk: usize| {
        let put = PutRequest::builder().set_item(Some(item("a", &format!("{sk:02}")))).build().unwrap();
        WriteRequest::builder().put_request(put).build()
    };
    db.batch_write_item().request_items(table, (0..25).map(write).collect()).send().await.unwrap();
    let keys =
        (0..25).map(|sk| HashMap::from([("pk".to_owned(), text("a")), ("sk".to_owned(), text(&format!("{sk:02}")))]));
    let keys = KeysAndAttributes::builder().set_keys(Some(keys.collect())).build().unwrap();
    let batch = db.batch_get_item().request_items(table, keys).send().await.unwrap();
    assert_eq!(batch.responses().unwrap()[table].len(), 25);
    let query = db.query().table_name(table).key_condition_expression("pk = :pk AND sk > :sk").limit(3);
    let query = query.expression_attribute_values(":pk", text("a")).expression_attribute_values(":sk", text("09"));
    let query = query.send().await.unwrap();
    let found: Vec<_> = query.items().iter().map(|item| item["sk"].as_s().unwrap().as_str()).collect();
    assert_eq!(found, ["10", "11", "12"]);
    assert!(query.last_evaluated_key().is_some());
    assert_eq!(stack.emulators.dynamodb().items().unwrap().len(), 25);
    let recorded = stack.emulators.requests();
    assert!(recorded.iter().all(|request| request.tables == [table.clone()]), "{recorded:?}");
}

#[tokio::test]
async fn a_transaction_is_all_or_nothing() {
    let stack = start().await;
    let (db, table) = (&stack.dynamodb, &stack.table);
    db.put_item().table_name(table).set_item(Some(item("a", "2"))).send().await.unwrap();
    let step = |sk: &str| {
        let put = Put::builder().table_name(table).set_item(Some(item("a", sk)));
        TransactWriteItem::builder().put(put.condition_expression("attribute_not_exists(pk)").build().unwrap()).build()
    };
    let both = db.transact_write_items().transact_items(step("1")).transact_items(step("2"));
    assert_eq!(code(both.send().await), "TransactionCanceledException");
    let get = db.get_item().table_name(table).key("pk", text("a")).key("sk", text("1")).send().await.unwrap();
    assert!(get.item().is_none());
    assert_eq!(
        stack.emulators.requests().iter().find(|r| r.operation == "TransactWriteItems").unwrap().tables.len(),
        1
    );
}

#[tokio::test]
async fn a_dropped_table_is_not_found_and_comes_back_empty() {
    let stack = start().await;
    let put = stack.dynamodb.put_item().table_name(&stack.table).set_item(Some(item("a", "1")));
    put.clone().send().await.unwrap();
    stack.emulators.dynamodb().drop_table().unwrap();
    stack.emulators.dynamodb().drop_table().unwrap_err();
    assert_eq!(code(put.clone().send().await), "ResourceNotFoundException");
    stack.emulators.dynamodb().create_table().unwrap();
    let scan = stack.dynamodb.scan().table_name(&stack.table).send().await.unwrap();
    assert_eq!(scan.count(), 0);
    put.send().await.unwrap();
}

#[tokio::test]
async fn the_log_has_the_units_that_are_charged() {
    let stack = start().await;
    let (db, table) = (&stack.dynamodb, &stack.table);
    let large = |sk: &str, size: usize| {
        let mut item = item("a", sk);
        item.insert("filling".to_owned(), text(&"x".repeat(size)));
        item
    };
    db.put_item().table_name(table).set_item(Some(item("a", "1"))).send().await.unwrap(); // below 1 KB
    db.put_item().table_name(table).set_item(Some(large("2", 2500))).send().await.unwrap(); // 3 of 1 KB
    db.put_item().table_name(table).set_item(Some(large("3", 5000))).send().await.unwrap(); // 5 of 1 KB
    let put = |sk| Put::builder().table_name(table).set_item(Some(item("b", sk))).build().unwrap();
    let step = |sk| TransactWriteItem::builder().put(put(sk)).build();
    db.transact_write_items().transact_items(step("1")).transact_items(step("2")).send().await.unwrap(); // twice 2
    let get = |sk: &str| db.get_item().table_name(table).key("pk", text("a")).key("sk", text(sk));
    get("1").send().await.unwrap(); // eventually consistent: half
    get("3").consistent_read(true).send().await.unwrap(); // 2 of 4 KB
    let keys = ["1", "2", "none"].map(|sk| HashMap::from([("pk".to_owned(), text("a")), ("sk".to_owned(), text(sk))]));
    let keys = KeysAndAttributes::builder().set_keys(Some(keys.into())).consistent_read(true).build().unwrap();
    db.batch_get_item().request_items(table, keys).send().await.unwrap(); // each is rounded up, what is missing too
    let refused = db.put_item().table_name(table).set_item(Some(item("a", "1")));
    assert_eq!(
        code(refused.condition_expression("attribute_not_exists(pk)").send().await),
        "ConditionalCheckFailedException"
    );
    let units: Vec<_> = stack.emulators.requests().iter().map(|request| request.units).collect();
    let charged = [1.0, 3.0, 5.0, 4.0, 0.5, 2.0, 3.0].map(Some);
    assert_eq!(units[..7], charged);
    assert_eq!(units[7..], [None], "an error names none");
}
