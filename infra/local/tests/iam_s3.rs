//! What an identity's policy lets it do at S3, by the real SDK.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, ObjectIdentifier};
use serde_json::json;
use support::{MIB, code, message, noise, presigning, raw, start};

#[tokio::test]
async fn what_is_allowed_is_carried_out_and_what_is_not_is_denied_and_left_alone() {
    let stack = start().await;
    stack.put("a/1", "x").await;
    let role = stack.role(
        "Reader",
        json!([
            { "Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::berth/a/*" },
        ]),
    );
    role.s3.get_object().bucket("berth").key("a/1").send().await.unwrap();
    let put = || role.s3.put_object().bucket("berth").key("a/1").body(b"other".to_vec().into());
    assert_eq!(code(put().send().await), "AccessDenied");
    assert_eq!(
        message(put().send().await),
        "User: arn:aws:sts::123456789012:assumed-role/Reader/Reader is not authorized to perform: s3:PutObject on resource: \
         \"arn:aws:s3:::berth/a/1\" because no identity-based policy allows the s3:PutObject action"
    );
    assert_eq!(code(role.s3.get_object().bucket("berth").key("b/1").send().await), "AccessDenied");
    assert_eq!(stack.get("a/1").await, b"x");
    let requests = stack.emulators.requests();
    let of_role: Vec<_> = requests.iter().filter(|request| request.identity.as_deref() == Some("Reader")).collect();
    assert_eq!(of_role.iter().map(|request| request.denied).collect::<Vec<_>>(), [false, true, true, true]);
    assert_eq!(of_role[0].allowed_by, ["Read"]);
    assert_eq!((of_role[1].status, of_role[1].allowed_by.len()), (Some(403), 0));
    assert!(requests[0].identity.as_deref() == Some("default") && !requests[0].denied, "{:?}", requests[0]);
}

#[tokio::test]
async fn a_deny_is_stronger_than_any_allow() {
    let stack = start().await;
    let role = stack.role(
        "Writer",
        json!([
            { "Effect": "Allow", "Action": "*", "Resource": "*" },
            { "Sid": "Sealed", "Effect": "Deny", "Action": "s3:Delete*", "Resource": "arn:aws:s3:::berth/sealed/*" },
        ]),
    );
    for (key, outcome) in [("sealed/1", ""), ("open/1", "deleted")] {
        stack.put(key, "x").await;
        let deleted = role.s3.delete_object().bucket("berth").key(key).send().await;
        if outcome.is_empty() {
            assert!(message(deleted).ends_with("with an explicit deny in an identity-based policy"));
        } else {
            deleted.unwrap();
        }
    }
    assert!(stack.exists("sealed/1").await && !stack.exists("open/1").await);
    let denied = stack.emulators.denied();
    assert_eq!((denied.len(), denied[0].denied_by.as_deref()), (1, Some("Sealed")));
}

#[tokio::test]
async fn a_wrong_secret_is_told_before_a_missing_permission() {
    let stack = start().await;
    stack.role("Nobody", json!({ "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::other/*" }));
    let access_key = berth_local::Identity::named("Nobody", None).access_key;
    let forger = support::s3(&stack.emulators, &access_key, "wrong");
    assert_eq!(code(forger.get_object().bucket("berth").key("a").send().await), "SignatureDoesNotMatch");
    assert!(stack.emulators.denied().is_empty());
}

#[tokio::test]
async fn a_list_is_allowed_by_its_prefix() {
    let stack = start().await;
    stack.put("root/a", "x").await;
    let role = stack.role(
        "Lister",
        json!({
            "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::berth",
            "Condition": { "StringLike": { "s3:prefix": ["root/*", "exact"] } },
        }),
    );
    let list = |prefix: Option<&str>| {
        role.s3.list_objects_v2().bucket("berth").set_prefix(prefix.map(ToOwned::to_owned)).send()
    };
    assert_eq!(list(Some("root/")).await.unwrap().key_count(), Some(1));
    list(Some("exact")).await.unwrap();
    for prefix in [None, Some(""), Some("root"), Some("exact/")] {
        assert_eq!(code(list(prefix).await), "AccessDenied", "{prefix:?}");
    }
    assert_eq!(
        role.s3.head_bucket().bucket("berth").send().await.unwrap_err().raw_response().unwrap().status().as_u16(),
        403
    );
}

#[tokio::test]
async fn a_copy_needs_its_source_and_its_destination() {
    let stack = start().await;
    stack.put("from/a b", noise(6 * MIB)).await;
    let read =
        json!({ "Sid": "Read", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::berth/from/*" });
    let write =
        json!({ "Sid": "Write", "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::berth/to/*" });
    let upload = stack.begin("to/b").await;
    for (name, statements, missing) in [
        ("Both", json!([read, write]), None),
        ("Blind", json!([write]), Some("s3:GetObject")),
        ("Mute", json!([read]), Some("s3:PutObject")),
    ] {
        let role = stack.role(name, statements);
        let copy = role.s3.copy_object().bucket("berth").key("to/a").copy_source("berth/from/a%20b").send().await;
        let part = role.s3.upload_part_copy().bucket("berth").key("to/b").upload_id(&upload).part_number(1);
        let part = part.copy_source("berth/from/a%20b").send().await;
        match missing {
            None => assert!(copy.is_ok() && part.is_ok(), "{copy:?} {part:?}"),
            Some(action) => {
                assert_eq!((code(copy).as_str(), code(part).as_str()), ("AccessDenied", "AccessDenied"));
                let denied = stack.emulators.denied();
                let of_role: Vec<_> = denied.iter().filter(|denial| denial.identity == name).collect();
                assert!(of_role.len() == 2 && of_role.iter().all(|denial| denial.action == action), "{denied:?}");
            }
        }
    }
    let requests = stack.emulators.requests();
    let copy = requests.iter().find(|request| request.operation == "CopyObject").unwrap();
    assert_eq!(copy.allowed_by, ["Read", "Write"]);
}

#[tokio::test]
async fn a_multipart_upload_is_written_under_one_permission_and_aborted_and_listed_under_others() {
    let stack = start().await;
    let allow = |sid: &str, action: &str, resource: &str| json!({ "Sid": sid, "Effect": "Allow", "Action": action, "Resource": resource });
    let object = "arn:aws:s3:::berth/*";
    let writer = stack.role("Writer", allow("Put", "s3:PutObject", object));
    let create = writer.s3.create_multipart_upload().bucket("berth").key("m").send().await.unwrap();
    let upload = create.upload_id.unwrap();
    let part = writer.s3.upload_part().bucket("berth").key("m").upload_id(&upload).part_number(1);
    part.send().await.unwrap();
    let abort =
        |role: &support::Role| role.s3.abort_multipart_upload().bucket("berth").key("m").upload_id(&upload).send();
    let parts = |role: &support::Role| role.s3.list_parts().bucket("berth").key("m").upload_id(&upload).send();
    let uploads = |role: &support::Role| role.s3.list_multipart_uploads().bucket("berth").send();
    assert_eq!(code(abort(&writer).await), "AccessDenied");
    assert_eq!(code(parts(&writer).await), "AccessDenied");
    assert_eq!(code(uploads(&writer).await), "AccessDenied");
    let purger = stack.role(
        "Purger",
        json!([
            allow("Abort", "s3:AbortMultipartUpload", object),
            allow("Parts", "s3:ListMultipartUploadParts", object),
            allow("Uploads", "s3:ListBucketMultipartUploads", "arn:aws:s3:::berth"),
        ]),
    );
    parts(&purger).await.unwrap();
    uploads(&purger).await.unwrap();
    abort(&purger).await.unwrap();
    assert_eq!(stack.emulators.s3().uploads(), 0);
    assert_eq!(stack.emulators.unused(), Vec::<String>::new());
}

#[tokio::test]
async fn a_multipart_upload_is_completed_under_the_permission_to_put() {
    let stack = start().await;
    let writer = stack
        .role("Writer", json!({ "Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::berth/*" }));
    let create = writer.s3.create_multipart_upload().bucket("berth").key("m").send().await.unwrap();
    let upload = create.upload_id.unwrap();
    let part = writer.s3.upload_part().bucket("berth").key("m").upload_id(&upload).part_number(1);
    let etag = part.body(b"content".to_vec().into()).send().await.unwrap().e_tag.unwrap();
    let parts = CompletedPart::builder().part_number(1).e_tag(etag).build();
    let parts = CompletedMultipartUpload::builder().parts(parts).build();
    let complete = writer.s3.complete_multipart_upload().bucket("berth").key("m").upload_id(&upload);
    complete.multipart_upload(parts).send().await.unwrap();
    assert_eq!(stack.get("m").await, b"content");
}

/// What GetObject, HeadObject and CopyObject of a missing key answer to somebody who may read and write.
async fn missing(stack: &support::Stack, name: &str, list: Option<serde_json::Value>) -> [u16; 3] {
    let object = "arn:aws:s3:::berth/*";
    let read =
        json!({ "Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": object });
    let statements: Vec<_> = [read].into_iter().chain(list).collect();
    let s3 = stack.role(name, json!(statements)).s3;
    let get = s3.get_object().bucket("berth").key("absent").send().await.unwrap_err();
    let head = s3.head_object().bucket("berth").key("absent").send().await.unwrap_err();
    let copy = s3.copy_object().bucket("berth").key("to").copy_source("berth/absent").send().await.unwrap_err();
    let responses = [get.raw_response(), head.raw_response(), copy.raw_response()];
    responses.map(|response| response.unwrap().status().as_u16())
}

fn list(prefix: Option<&str>) -> serde_json::Value {
    let mut list =
        json!({ "Sid": "List", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::berth" });
    if let Some(prefix) = prefix {
        list["Condition"] = json!({ "StringLike": { "s3:prefix": prefix } });
    }
    list
}

#[tokio::test]
async fn a_missing_object_is_404_only_to_who_may_list_its_key() {
    let stack = start().await;
    assert_eq!(missing(&stack, "Lister", Some(list(None))).await, [404; 3]);
    assert_eq!(missing(&stack, "Reader", None).await, [403; 3]);
    assert_eq!(missing(&stack, "Within", Some(list(Some("abs*")))).await, [404; 3]);
    assert_eq!(missing(&stack, "Beside", Some(list(Some("other/*")))).await, [403; 3]);
    let requests = stack.emulators.requests();
    let head = |name: &str| {
        let mut of = requests.iter().filter(|request| request.identity.as_deref() == Some(name));
        of.find(|request| request.operation == "HeadObject").unwrap()
    };
    assert_eq!(head("Lister").allowed_by, ["Read", "List"]);
    assert!(head("Reader").denied && !head("Lister").denied);
}

#[tokio::test]
async fn that_a_missing_key_is_a_prefix_can_be_turned_off() {
    let options = berth_local::Options { missing_key_is_prefix: false, ..Default::default() };
    let stack = support::start_with(options).await;
    assert_eq!(missing(&stack, "Lister", Some(list(None))).await, [404; 3]);
    assert_eq!(missing(&stack, "Within", Some(list(Some("*")))).await, [403; 3]);
}

#[tokio::test]
async fn of_many_keys_those_that_may_be_deleted_are() {
    let stack = start().await;
    for key in ["a/1", "b/1", "a/2"] {
        stack.put(key, "x").await;
    }
    let delete = json!({ "Sid": "Delete", "Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::berth/a/*" });
    let role = stack.role("Deleter", delete);
    let wanted = ["a/1", "b/1", "a/2"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(wanted.to_vec())).build().unwrap();
    let output = role.s3.delete_objects().bucket("berth").delete(delete).send().await.unwrap();
    assert_eq!(output.deleted().iter().filter_map(|deleted| deleted.key()).collect::<Vec<_>>(), ["a/1", "a/2"]);
    let [error] = output.errors() else { panic!("{output:?}") };
    assert_eq!((error.key(), error.code()), (Some("b/1"), Some("AccessDenied")));
    assert_eq!(stack.emulators.s3().objects().into_keys().collect::<Vec<_>>(), ["b/1"]);
    let requests = stack.emulators.requests();
    let recorded = requests.iter().find(|request| request.operation == "DeleteObjects").unwrap();
    assert!(recorded.denied && recorded.allowed_by == ["Delete"], "{recorded:?}");
}

#[tokio::test]
async fn a_presigned_url_gives_what_its_signer_may_when_it_is_used() {
    let stack = start().await;
    stack.put("a", "content").await;
    let statement = |action: &str| json!({ "Effect": "Allow", "Action": action, "Resource": "arn:aws:s3:::berth/*" });
    for (name, action, status) in [("Reader", "s3:GetObject", "200"), ("Writer", "s3:PutObject", "403")] {
        let role = stack.role(name, statement(action));
        let url = role.s3.get_object().bucket("berth").key("a").presigned(presigning()).await.unwrap();
        let (path, address) =
            (url.uri().strip_prefix(&stack.emulators.s3().endpoint()).unwrap(), stack.emulators.s3().address());
        let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        let answer = String::from_utf8(raw(address, request.as_bytes())).unwrap();
        assert_eq!(answer.split(' ').nth(1), Some(status), "{answer}");
        assert_eq!(answer.ends_with("content"), status == "200", "{answer}");
    }
    let recorded = stack.emulators.requests();
    assert!(recorded.last().unwrap().presigned && recorded.last().unwrap().denied);
}

#[tokio::test]
async fn an_operation_without_a_mapping_is_denied_by_its_name() {
    let stack = start().await;
    stack.put("a", "x").await;
    let role = stack.role("Root", json!({ "Effect": "Allow", "Action": "*", "Resource": "*" }));
    let tags = role.s3.get_object_tagging().bucket("berth").key("a").send().await;
    let message = message(tags);
    assert!(message.contains("s3:GetObjectTagging") && message.contains("does not know"), "{message}");
}
