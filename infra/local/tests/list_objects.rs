//! ListObjectsV2, by the real SDK.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use std::collections::BTreeSet;

use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use support::{Stack, code, start};

fn keys(output: &ListObjectsV2Output) -> Vec<&str> {
    output.contents().iter().filter_map(|object| object.key()).collect()
}

fn prefixes(output: &ListObjectsV2Output) -> Vec<&str> {
    output.common_prefixes().iter().filter_map(|common| common.prefix()).collect()
}

async fn with(keys: &[&str]) -> Stack {
    let stack = start().await;
    for key in keys {
        stack.put(key, *key).await;
    }
    stack
}

#[tokio::test]
async fn keys_are_in_the_order_of_their_bytes() {
    let stack = with(&["b", "a/b", "a", "a-b", "A", "é", "a/b/c", "z"]).await;
    let list = stack.s3.list_objects_v2().bucket(&stack.bucket).send().await.unwrap();
    assert_eq!(keys(&list), ["A", "a", "a-b", "a/b", "a/b/c", "b", "z", "é"]);
    assert_eq!((list.key_count(), list.is_truncated(), list.max_keys()), (Some(8), Some(false), Some(1000)));
    assert_eq!(list.contents()[1].size(), Some(1));
    assert_eq!(list.contents()[1].e_tag(), Some("\"0cc175b9c0f1b6a831c399e269772661\""));
}

#[tokio::test]
async fn a_prefix_and_a_start_narrow_the_list() {
    let stack = with(&["a", "b/1", "b/2", "b/3", "c"]).await;
    let list = || stack.s3.list_objects_v2().bucket(&stack.bucket);
    assert_eq!(keys(&list().prefix("b/").send().await.unwrap()), ["b/1", "b/2", "b/3"]);
    assert_eq!(keys(&list().prefix("b/").start_after("b/1").send().await.unwrap()), ["b/2", "b/3"]);
    assert_eq!(keys(&list().start_after("b/10").send().await.unwrap()), ["b/2", "b/3", "c"]);
    assert_eq!(keys(&list().prefix("b/").start_after("a").send().await.unwrap()), ["b/1", "b/2", "b/3"]);
    assert!(keys(&list().prefix("b/").start_after("c").send().await.unwrap()).is_empty());
    assert!(keys(&list().prefix("x").send().await.unwrap()).is_empty());
}

#[tokio::test]
async fn a_delimiter_rolls_up() {
    let stack = with(&["a/x/1", "a/x/2", "a/y", "a/z/1", "b"]).await;
    let list = stack.s3.list_objects_v2().bucket(&stack.bucket).prefix("a/").delimiter("/").send().await.unwrap();
    assert_eq!(keys(&list), ["a/y"]);
    assert_eq!(prefixes(&list), ["a/x/", "a/z/"]);
    assert_eq!(list.key_count(), Some(3));
    let within = stack.s3.list_objects_v2().bucket(&stack.bucket).prefix("a/").delimiter("/").start_after("a/x/1");
    let within = within.send().await.unwrap();
    assert_eq!((keys(&within), prefixes(&within)), (vec!["a/y"], vec!["a/z/"]), "the rest of a/x/ lies behind");
}

#[tokio::test]
async fn pages_cover_everything_once_whatever_their_size() {
    let mut names = Vec::new();
    for folder in ["a", "a-", "b", "c"] {
        for file in 0..5 {
            names.push(format!("{folder}/{file}"));
        }
        names.push(folder.to_owned());
    }
    let stack = with(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for delimiter in [None, Some("/")] {
        let list = || stack.s3.list_objects_v2().bucket(&stack.bucket).set_delimiter(delimiter.map(Into::into));
        let all = list().send().await.unwrap();
        for size in 1..9 {
            let mut seen = BTreeSet::new();
            let mut token = None;
            loop {
                let page = list().max_keys(size).set_continuation_token(token).send().await.unwrap();
                let count = page.key_count().unwrap();
                assert!(count <= size);
                for name in keys(&page).into_iter().chain(prefixes(&page)) {
                    assert!(seen.insert(name.to_owned()), "{name} twice");
                }
                token = page.next_continuation_token().map(ToOwned::to_owned);
                assert_eq!(page.is_truncated(), Some(token.is_some()));
                if token.is_none() {
                    break;
                }
                assert_eq!(count, size, "only the last page may be short");
            }
            let wanted = keys(&all).into_iter().chain(prefixes(&all)).map(ToOwned::to_owned).collect();
            assert_eq!(seen, wanted, "{delimiter:?} {size}");
        }
    }
}

#[tokio::test]
async fn a_page_that_ends_with_the_list_is_not_truncated() {
    let stack = with(&["a", "b"]).await;
    let list = || stack.s3.list_objects_v2().bucket(&stack.bucket);
    assert_eq!(list().max_keys(2).send().await.unwrap().is_truncated(), Some(false));
    let none = list().max_keys(0).send().await.unwrap();
    assert_eq!((none.key_count(), none.is_truncated()), (Some(0), Some(false)));
}

#[tokio::test]
async fn a_page_holds_a_thousand_at_most() {
    let stack = start().await;
    for i in 0..1001 {
        stack.put(&format!("{i:04}"), "").await;
    }
    let list = stack.s3.list_objects_v2().bucket(&stack.bucket).max_keys(5000).send().await.unwrap();
    assert_eq!((list.key_count(), list.is_truncated()), (Some(1000), Some(true)));
}

#[tokio::test]
async fn a_wrong_token_and_a_wrong_bucket_are_refused() {
    let stack = start().await;
    let list = stack.s3.list_objects_v2().bucket(&stack.bucket).continuation_token("%%%");
    assert_eq!(code(list.send().await), "InvalidArgument");
    assert_eq!(code(stack.s3.list_objects_v2().bucket("absent").send().await), "NoSuchBucket");
}

#[tokio::test]
async fn names_are_encoded_on_demand() {
    let stack = with(&["a b/ü"]).await;
    let list = stack.s3.list_objects_v2().bucket(&stack.bucket);
    let list = list.encoding_type(aws_sdk_s3::types::EncodingType::Url).send().await.unwrap();
    assert_eq!(keys(&list), ["a%20b/%C3%BC"]);
}

#[tokio::test]
async fn the_older_list_pages_by_key() {
    let stack = with(&["a/1", "a/2", "b", "c"]).await;
    let list = || stack.s3.list_objects().bucket(&stack.bucket).delimiter("/").max_keys(1);
    let first = list().send().await.unwrap();
    assert_eq!(first.common_prefixes()[0].prefix(), Some("a/"));
    assert_eq!(first.next_marker(), Some("a/"));
    let second = list().marker("a/").send().await.unwrap();
    assert_eq!(second.contents()[0].key(), Some("b"));
}
