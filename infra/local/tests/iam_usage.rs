//! Which entries of a policy the requests needed.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use serde_json::json;
use support::start;

#[tokio::test]
async fn statements_actions_and_resources_are_counted_where_nothing_else_gave_the_permission() {
    let stack = start().await;
    stack.put("a/1", "x").await;
    let role = stack.role("Role", json!([
        {
            "Sid": "Objects", "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["arn:aws:s3:::berth/a/*", "arn:aws:s3:::berth/b/*"],
        },
        { "Sid": "Again", "Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::berth/b/*" },
        { "Sid": "Purge", "Effect": "Allow", "Action": "s3:AbortMultipartUpload", "Resource": "arn:aws:s3:::berth/*" },
        { "Sid": "Sealed", "Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::sealed/*" },
        { "Sid": "Logs", "Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*" },
    ]));
    let get = |key: &str| role.s3.get_object().bucket("berth").key(key).send();
    get("a/1").await.unwrap();
    get("a/1").await.unwrap();
    role.s3.put_object().bucket("berth").key("b/1").send().await.unwrap();
    get("b/1").await.unwrap();
    // Denied as a whole: that its source may be read counts for nothing.
    let copy = role.s3.copy_object().bucket("berth").key("c").copy_source("berth/a/1");
    copy.send().await.unwrap_err();
    stack.emulators.reset();
    let statements = &stack.emulators.statements()[0].statements;
    let objects = &statements[0];
    assert_eq!((objects.statement.as_str(), objects.used, objects.needed), ("Objects", 4, 3));
    let counts =
        |entries: &[berth_local::EntryUse]| entries.iter().map(|entry| (entry.used, entry.needed)).collect::<Vec<_>>();
    assert_eq!(counts(&objects.actions), [(3, 2), (1, 1)]);
    assert_eq!(counts(&objects.resources), [(2, 2), (2, 1)]);
    assert_eq!((statements[1].used, statements[1].needed), (1, 0));
    assert_eq!(
        stack.emulators.unused(),
        [
            "Role: statement Again (always given by another entry too)",
            "Role: statement Again: action s3:Get* (always given by another entry too)",
            "Role: statement Again: resource arn:aws:s3:::berth/b/* (always given by another entry too)",
            "Role: statement Purge",
        ]
    );
    stack.emulators.reset_statements();
    assert!(stack.emulators.denied().is_empty());
    let unused = stack.emulators.unused();
    assert_eq!(unused, ["Role: statement Objects", "Role: statement Again", "Role: statement Purge"]);
}

#[tokio::test]
async fn an_action_and_a_resource_are_named_where_the_rest_of_their_statement_was_needed() {
    let stack = start().await;
    let role = stack.role(
        "Role",
        json!({
            "Sid": "Objects", "Effect": "Allow", "Action": ["s3:PutObject", "s3:DeleteObject"],
            "Resource": ["arn:aws:s3:::berth/a/*", "arn:aws:s3:::berth/b/*"],
        }),
    );
    role.s3.put_object().bucket("berth").key("a/1").send().await.unwrap();
    let wanted =
        ["Role: statement Objects: action s3:DeleteObject", "Role: statement Objects: resource arn:aws:s3:::berth/b/*"];
    assert_eq!(stack.emulators.unused(), wanted);
    role.s3.delete_object().bucket("berth").key("b/1").send().await.unwrap();
    assert!(stack.emulators.unused().is_empty());
}

#[tokio::test]
async fn that_an_object_is_missing_needs_the_list_permission() {
    let stack = start().await;
    let role = stack.role(
        "Role",
        json!([
            { "Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::berth/*" },
            { "Sid": "List", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::berth" },
        ]),
    );
    stack.put("there", "x").await;
    role.s3.head_object().bucket("berth").key("there").send().await.unwrap();
    assert_eq!(stack.emulators.unused(), ["Role: statement List"]);
    role.s3.head_object().bucket("berth").key("absent").send().await.unwrap_err();
    assert!(stack.emulators.unused().is_empty());
}

#[tokio::test]
async fn a_request_that_a_fault_stops_needs_nothing() {
    let stack = start().await;
    let role =
        stack.role("Role", json!({ "Sid": "Put", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "*" }));
    stack.emulators.inject(berth_local::Rule::new(berth_local::Fault::Throttle).times(1));
    role.s3.put_object().bucket("berth").key("a").send().await.unwrap_err();
    assert_eq!(stack.emulators.unused(), ["Role: statement Put"]);
}
