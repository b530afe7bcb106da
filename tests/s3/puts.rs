//! Writing.

use berth::{
    digest::Digest,
    distribution::Content,
    driver::{DriverErrorKind, PutOptions, StorageDriver as _},
};
use berth_local::{Fault, Rule};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use crate::store::{CREATE, MIB, announced, broken, bytes, chunked, ctx, path, store, until};

fn checked(create_only: bool, content: &[u8]) -> PutOptions {
    PutOptions { create_only, checksum: Some(Digest::canonical(content)) }
}

#[tokio::test]
async fn small_content_is_one_request_however_it_comes() {
    let store = store().await;
    let content = bytes(3 * MIB);
    for (name, sent, options) in [
        ("/known", announced(&content), PutOptions::default()),
        ("/unknown", chunked(&content), CREATE),
        ("/checked", announced(&content), checked(true, &content)),
        ("/checked-unknown", chunked(&content), checked(true, &content)),
    ] {
        assert_eq!(store.put(name, sent, options).await.unwrap(), content.len() as u64);
        assert_eq!(store.asked(), "1 PutObject", "{name}");
        assert_eq!(store.content(name).await.unwrap(), content);
        store.asked();
    }
}

#[tokio::test]
async fn large_content_with_a_checksum_is_one_request() {
    let store = store().await;
    let content = bytes(20 * MIB + 1);
    let size = store.put("/blob", announced(&content), checked(true, &content)).await.unwrap();
    assert_eq!((size, store.asked().as_str()), (content.len() as u64, "1 PutObject"));
    assert_eq!(store.content("/blob").await.unwrap(), content);
}

#[tokio::test]
async fn content_too_large_for_one_request_goes_in_parts() {
    let store = store().await;
    let content = bytes(20 * MIB + 1);
    for (name, sent, options) in [
        ("/unknown", chunked(&content), CREATE),
        ("/known", announced(&content), PutOptions::default()),
        ("/checked", chunked(&content), checked(true, &content)),
    ] {
        assert_eq!(store.put(name, sent, options).await.unwrap(), content.len() as u64);
        let asked = "1 CompleteMultipartUpload, 1 CreateMultipartUpload, 3 UploadPart";
        assert_eq!(store.asked(), asked, "{name}");
        assert_eq!(store.content(name).await.unwrap(), content);
        store.asked();
    }
    // What just fits a part is no upload of one part.
    let content = bytes(8 * MIB);
    store.put("/fits", chunked(&content), CREATE).await.unwrap();
    assert_eq!(store.asked(), "1 PutObject");
}

#[tokio::test]
async fn content_that_is_not_what_it_should_be_is_not_stored() {
    let store = store().await;
    for size in [100, 12 * MIB] {
        let content = bytes(size);
        let length = Some(size as u64);
        let off =
            |by: i64| Content { length: length.map(|length| length.saturating_add_signed(by)), ..chunked(&content) };
        let other = checked(true, b"other");
        for (case, sent, options, kind) in [
            ("another checksum", announced(&content), other, DriverErrorKind::Checksum),
            ("another checksum, unknown length", chunked(&content), other, DriverErrorKind::Checksum),
            ("shorter", off(1), checked(true, &content), DriverErrorKind::Content),
            ("longer", off(-1), checked(true, &content[..size - 1]), DriverErrorKind::Content),
            ("shorter, no checksum", off(1), CREATE, DriverErrorKind::Content),
            ("longer, no checksum", off(-1), CREATE, DriverErrorKind::Content),
            ("broken", broken(&content, length.map(|n| n + 1)), checked(true, &content), DriverErrorKind::Content),
            ("broken at its end", broken(&content, length), checked(true, &content), DriverErrorKind::Content),
            ("broken, unknown length", broken(&content, None), CREATE, DriverErrorKind::Content),
        ] {
            let error = store.put("/x", sent, options).await.unwrap_err();
            assert_eq!(error.kind, kind, "{case} of {size}: {error}");
            assert_eq!((store.emulator.objects().len(), store.emulator.uploads()), (0, 0), "{case} of {size}");
        }
    }
}

#[tokio::test]
async fn what_exists_is_kept_by_a_write_that_creates_only() {
    let store = store().await;
    store.put("/x", Bytes::from("first"), CREATE).await.unwrap();
    for size in [100, 12 * MIB] {
        let content = bytes(size);
        for (sent, options) in
            [(announced(&content), checked(true, &content)), (announced(&content), CREATE), (chunked(&content), CREATE)]
        {
            let error = store.put("/x", sent, options).await.unwrap_err();
            assert_eq!(error.kind, DriverErrorKind::Precondition, "{error}");
        }
        let error = store.put("/x", announced(&content), checked(true, b"other")).await.unwrap_err();
        assert_eq!(error.kind, DriverErrorKind::Checksum, "{error}");
    }
    assert_eq!(store.content("/x").await.unwrap(), "first");
    assert_eq!(store.emulator.uploads(), 0);
    let content = bytes(12 * MIB);
    for sent in [chunked(&content), announced(&content)] {
        store.put("/x", sent, PutOptions::default()).await.unwrap();
        assert_eq!(store.content("/x").await.unwrap(), content);
    }
}

#[tokio::test]
async fn of_two_who_create_at_once_one_succeeds() {
    let store = store().await;
    for size in [10, 9 * MIB] {
        let name = format!("/{size}");
        let contents = [bytes(size), bytes(size + 1)];
        let (one, two) = tokio::join!(
            store.put(&name, announced(&contents[0]), CREATE),
            store.put(&name, announced(&contents[1]), CREATE)
        );
        let won = usize::from(one.is_err());
        let lost = if one.is_err() { one } else { two };
        assert_eq!(lost.unwrap_err().kind, DriverErrorKind::Precondition);
        assert_eq!(store.content(&name).await.unwrap(), contents[won]);
    }
}

#[tokio::test]
async fn a_dropped_upload_leaves_no_parts() {
    let store = store().await;
    let endless = chunked(&bytes(20 * MIB)).stream.chain(stream::pending()).boxed();
    let driver = store.driver.clone();
    let content = Content { length: None, stream: endless };
    let put = tokio::spawn(async move { driver.put(&ctx(), &path("/x"), content, CREATE).await });
    let asked = |operation: &str| store.emulator.requests().iter().filter(|r| r.operation == operation).count();
    until(|| asked("UploadPart") > 0).await;
    put.abort();
    until(|| asked("AbortMultipartUpload") > 0 && store.emulator.uploads() == 0).await;
}

#[tokio::test]
async fn a_part_that_fails_for_good_aborts_the_upload() {
    let store = store().await;
    store.emulator.inject(Rule::new(Fault::AccessDenied).operation("UploadPart").skip(1));
    let error = store.put("/x", chunked(&bytes(40 * MIB)), CREATE).await.unwrap_err();
    assert_eq!(error.kind, DriverErrorKind::Denied, "{error}");
    assert_eq!((store.emulator.objects().len(), store.emulator.uploads()), (0, 0));
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_counts_as_the_writers_own() {
    let store = store().await;
    let small = Bytes::from("small");
    store.emulator.inject(Rule::new(Fault::LoseAnswer).operation("PutObject").times(1));
    store.put("/small", small.clone(), CREATE).await.unwrap();
    assert_eq!(store.asked(), "1 GetObject, 2 PutObject");
    assert_eq!(store.content("/small").await.unwrap(), small);

    let large = bytes(12 * MIB);
    for options in [CREATE, PutOptions::default()] {
        store.emulator.inject(Rule::new(Fault::LoseAnswer).operation("CompleteMultipartUpload").times(1));
        let name = format!("/large-{}", options.create_only);
        store.put(&name, chunked(&large), options).await.unwrap();
        assert_eq!(store.content(&name).await.unwrap(), large);
    }

    // Where another's content lies, it is the other's.
    store.put("/taken", Bytes::from("other"), CREATE).await.unwrap();
    store.emulator.inject(Rule::new(Fault::LoseAnswer).operation("PutObject").times(1));
    let error = store.put("/taken", small, CREATE).await.unwrap_err();
    assert_eq!(error.kind, DriverErrorKind::Precondition);
    store.emulator.inject(Rule::new(Fault::LoseAnswer).operation("CompleteMultipartUpload").times(1));
    let error = store.put("/taken", chunked(&large), CREATE).await.unwrap_err();
    assert_eq!(error.kind, DriverErrorKind::Precondition);
    assert_eq!(store.content("/taken").await.unwrap(), "other");
    assert_eq!(store.emulator.uploads(), 0);
}

#[tokio::test]
async fn a_conflict_with_another_write_is_tried_again() {
    let store = store().await;
    let conflict = || Fault::Error { status: 409, code: "ConditionalRequestConflict".to_owned() };
    store.emulator.inject(Rule::new(conflict()).operation("PutObject").times(1));
    store.put("/small", Bytes::from("x"), CREATE).await.unwrap();
    assert_eq!(store.asked(), "2 PutObject");

    // The parts are gone from here: the sender is to come again, unless the other write took the place.
    store.emulator.inject(Rule::new(conflict()).operation("CompleteMultipartUpload").times(1));
    let error = store.put("/large", chunked(&bytes(9 * MIB)), CREATE).await.unwrap_err();
    assert_eq!(error.kind, DriverErrorKind::Throttled, "{error}");
    store.emulator.inject(Rule::new(conflict()).operation("CompleteMultipartUpload").times(1));
    let error = store.put("/small", chunked(&bytes(9 * MIB)), CREATE).await.unwrap_err();
    assert_eq!(error.kind, DriverErrorKind::Precondition, "{error}");
    assert_eq!(store.emulator.uploads(), 0);
}
