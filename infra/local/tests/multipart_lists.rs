//! ListParts and ListMultipartUploads, by the real SDK.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use support::{noise, start};

#[tokio::test]
async fn parts_are_listed_by_number_and_page() {
    let stack = start().await;
    let upload = stack.begin("key").await;
    for number in [3, 1, 7, 5] {
        stack.part("key", &upload, number, noise(number as usize)).await;
    }
    let list = |after: Option<&str>| {
        let list = stack.s3.list_parts().bucket(&stack.bucket).key("key").upload_id(&upload).max_parts(3);
        list.set_part_number_marker(after.map(Into::into)).send()
    };
    let first = list(None).await.unwrap();
    let numbers = |parts: &[aws_sdk_s3::types::Part]| parts.iter().filter_map(|p| p.part_number()).collect::<Vec<_>>();
    assert_eq!(numbers(first.parts()), [1, 3, 5]);
    assert_eq!(first.parts()[1].size(), Some(3));
    assert_eq!((first.is_truncated(), first.next_part_number_marker()), (Some(true), Some("5")));
    let second = list(first.next_part_number_marker()).await.unwrap();
    assert_eq!(numbers(second.parts()), [7]);
    assert_eq!(second.is_truncated(), Some(false));
}

#[tokio::test]
async fn uploads_are_listed_by_key_then_by_age_and_page() {
    let stack = start().await;
    let mut begun = Vec::new();
    for key in ["b/1", "a", "b/2", "b/1", "c"] {
        begun.push((key.to_owned(), stack.begin(key).await));
    }
    begun.sort();
    let mut seen = Vec::new();
    let (mut key, mut id) = (None, None);
    loop {
        let list = stack.s3.list_multipart_uploads().bucket(&stack.bucket).max_uploads(2);
        let page = list.set_key_marker(key).set_upload_id_marker(id).send().await.unwrap();
        seen.extend(page.uploads().iter().map(|u| (u.key().unwrap().to_owned(), u.upload_id().unwrap().to_owned())));
        if page.is_truncated() != Some(true) {
            break;
        }
        (key, id) = (page.next_key_marker, page.next_upload_id_marker);
    }
    assert_eq!(seen, begun);
}

#[tokio::test]
async fn uploads_are_narrowed_and_rolled_up() {
    let stack = start().await;
    for key in ["a", "b/1", "b/2", "b/x/1"] {
        stack.begin(key).await;
    }
    let list =
        stack.s3.list_multipart_uploads().bucket(&stack.bucket).prefix("b/").delimiter("/").send().await.unwrap();
    assert_eq!(list.uploads().iter().filter_map(|upload| upload.key()).collect::<Vec<_>>(), ["b/1", "b/2"]);
    assert_eq!(list.common_prefixes()[0].prefix(), Some("b/x/"));
    assert!(list.uploads()[0].initiated().is_some());
}
