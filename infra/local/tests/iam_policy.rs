//! Policies that the emulators refuse to read: what they would not evaluate they do not pass over.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

use berth_local::{Identity, Policy};
use serde_json::{Value, json};

fn statement() -> Value {
    json!({ "Sid": "S", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::berth/*" })
}

fn refusal(statement: Value) -> String {
    Policy::parse(&json!({ "Version": "2012-10-17", "Statement": [statement] })).unwrap_err().to_string()
}

#[test]
fn one_statement_may_stand_without_a_list() {
    Policy::parse(&json!({ "Version": "2012-10-17", "Statement": statement() })).unwrap();
}

#[test]
fn a_document_is_complete_and_of_the_current_version() {
    for (document, fault) in [
        (json!([]), "policy: is not an object"),
        (json!({ "Statement": statement() }), "policy: Version is not 2012-10-17"),
        (json!({ "Version": "2008-10-17", "Statement": statement() }), "policy: Version is not 2012-10-17"),
        (json!({ "Version": "2012-10-17" }), "policy: Statement is missing or empty"),
        (json!({ "Version": "2012-10-17", "Statement": [] }), "policy: Statement is missing or empty"),
        (json!({ "Version": "2012-10-17", "Statement": statement(), "X": 1 }), "policy: X is not supported"),
        (
            json!({ "Version": "2012-10-17", "Statement": [statement(), statement()] }),
            "statement S: another statement has the same Sid",
        ),
    ] {
        assert_eq!(Policy::parse(&document).unwrap_err().to_string(), fault);
    }
}

#[test]
fn what_is_not_evaluated_is_refused() {
    for (element, value, fault) in [
        ("NotAction", json!("s3:*"), "NotAction is not supported"),
        ("NotResource", json!("*"), "NotResource is not supported"),
        ("Principal", json!("*"), "Principal is not supported"),
        ("Effect", json!("allow"), "Effect is neither Allow nor Deny"),
        ("Action", json!([]), "Action is empty"),
        ("Action", json!("GetObject"), "Action GetObject is not of the form service:action"),
        ("Action", json!([1]), "Action is neither a string nor a list of strings"),
        ("Resource", json!("berth/*"), "Resource berth/* is not an ARN"),
        ("Resource", json!("arn:aws:s3:::${aws:username}"), "policy variables are not supported"),
        (
            "Condition",
            json!({ "StringNotLike": { "s3:prefix": "a" } }),
            "Condition StringNotLike s3:prefix is not supported",
        ),
        (
            "Condition",
            json!({ "StringLike": { "s3:delimiter": "/" } }),
            "Condition StringLike s3:delimiter is not supported",
        ),
        ("Condition", json!({ "StringLike": { "s3:prefix": [] } }), "Condition StringLike s3:prefix has no value"),
        (
            "Condition",
            json!({ "Bool": { "aws:SecureTransport": "yes" } }),
            "Condition Bool aws:SecureTransport: yes is neither true nor false",
        ),
    ] {
        let mut wrong = statement();
        wrong[element] = value;
        assert_eq!(refusal(wrong), format!("statement S: {fault}"));
    }
    for element in ["Action", "Resource"] {
        let mut wrong = statement();
        wrong.as_object_mut().unwrap().remove(element);
        assert_eq!(refusal(wrong), format!("statement S: {element} is missing"));
    }
    let mut wrong = statement();
    wrong["Sid"] = json!("read-only");
    assert_eq!(refusal(wrong), "statement read-only: a Sid has letters and digits only");
}

#[test]
fn two_policies_of_an_identity_are_one() {
    let one = |sid: &str| {
        let mut statement = statement();
        statement["Sid"] = json!(sid);
        Policy::parse(&json!({ "Version": "2012-10-17", "Statement": statement })).unwrap()
    };
    Policy::union([one("A"), one("B")]).unwrap();
    Policy::union([one("A"), one("A")]).unwrap_err();
}

#[test]
fn a_named_identity_has_keys_of_its_own_and_keeps_its_secret() {
    let (one, other) = (Identity::named("One", None), Identity::named("Other", None));
    assert!(one.access_key != other.access_key && one.secret_key != other.secret_key);
    assert_eq!(one, Identity::named("One", None));
    assert!(!format!("{one:?}").contains(&one.secret_key));
}
