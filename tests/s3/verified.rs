//! Copies that S3 hashes before anybody sees them.

use std::time::{Duration, Instant};

use berth::{
    digest::{Algorithm, Digest},
    driver::{
        DirectStore as _, DirectWrite, DriverErrorKind, StorageDriver as _,
        VerifiedCopy::{self, Mismatch, Stored, Unverified},
    },
};
use berth_local::{Fault, Limits, Options, Rule, S3Emulator};
use bytes::Bytes;

use crate::store::{MIB, Store, bytes, ctx, path, store, store_on, until};

/// Copies `/from` to `/to`, if it has `expected`.
async fn copy(store: &Store, size: Option<u64>, expected: &Digest) -> Result<VerifiedCopy, DriverErrorKind> {
    copy_until(store, size, expected, Instant::now() + Duration::from_secs(60)).await
}

async fn copy_until(
    store: &Store,
    size: Option<u64>,
    expected: &Digest,
    until: Instant,
) -> Result<VerifiedCopy, DriverErrorKind> {
    let copied = store.driver.copy_verified(&ctx(), (&path("/from"), size), &path("/to"), expected, until).await;
    copied.map_err(|error| error.kind)
}

async fn put(store: &Store, content: &Bytes) -> Digest {
    store.put("/from", content.clone(), Default::default()).await.unwrap();
    store.asked();
    Digest::canonical(content)
}

async fn remove(store: &Store) {
    store.driver.delete(&ctx(), &[path("/to")]).await.unwrap();
    store.asked();
}

async fn is_missing(store: &Store) -> bool {
    store.content("/to").await.is_err_and(|error| error.is_not_found()) && store.emulator.uploads() == 0
}

const COPY: &str = "1 CompleteMultipartUpload, 1 CreateMultipartUpload, 1 UploadPartCopy";

#[tokio::test]
async fn content_of_the_digest_is_stored_by_three_requests_and_nothing_else_goes_with_it() {
    // One byte is less than any part but the last may have.
    for size in [1, 5 * MIB, 6 * MIB + 1] {
        let store = store().await;
        let content = bytes(size);
        let digest = put(&store, &content).await;
        assert_eq!(copy(&store, None, &digest).await, Ok(Stored));
        assert_eq!(store.asked(), COPY);
        assert!(store.content("/to").await.unwrap() == content);
        assert_eq!(store.emulator.uploads(), 0);
    }
    let store = store().await;
    let content = bytes(1000);
    let digest = Digest::canonical(&content);
    let write = DirectWrite::File { checksum: &digest, size: 1000, mark: "alice" };
    let signed = store.driver.sign(&ctx(), &path("/from"), write, Duration::from_secs(60)).await.unwrap();
    assert_eq!(crate::direct::send(&signed, &content).await, 200);
    assert_eq!(copy(&store, Some(1000), &digest).await, Ok(Stored));
    let found = store.driver.look(&ctx(), &path("/to")).await.unwrap();
    assert_eq!((found.size, found.mark, found.checksum), (1000, None, None));
}

#[tokio::test]
async fn other_content_is_told_and_not_stored() {
    let store = store().await;
    let actual = put(&store, &bytes(MIB)).await;
    let expected = Digest::canonical(b"other");
    for size in [None, Some(0), Some(1), Some(MIB as u64)] {
        assert_eq!(copy(&store, size, &expected).await, Ok(Mismatch { actual }));
        assert_eq!(store.asked(), "1 AbortMultipartUpload, 1 CreateMultipartUpload, 1 UploadPartCopy");
        assert!(is_missing(&store).await);
        store.asked();
    }
    // Whatever lies at the destination: who has not the content does not learn of it.
    let there = bytes(10);
    store.put("/to", there.clone(), Default::default()).await.unwrap();
    assert_eq!(copy(&store, None, &expected).await, Ok(Mismatch { actual }));
    assert_eq!(copy(&store, None, &actual).await, Err(DriverErrorKind::Precondition));
    assert!(store.content("/to").await.unwrap() == there);
    assert_eq!(store.emulator.uploads(), 0);
}

#[tokio::test]
async fn what_s3_cannot_say_is_left_to_others() {
    let silent = Options { limits: Limits { part_checksums: false, ..Limits::default() }, ..Options::default() };
    let store = store_on(S3Emulator::start_with(silent).await.unwrap(), |_| {}).await;
    let digest = put(&store, &bytes(MIB)).await;
    assert_eq!(copy(&store, None, &digest).await, Ok(Unverified));
    assert!(is_missing(&store).await);
    store.asked();
    assert_eq!(copy(&store, None, &digest).await, Ok(Unverified));
    assert_eq!(store.asked(), "", "it is remembered");

    // Of nothing, and of another algorithm, it is not even asked.
    let store = crate::store::store().await;
    put(&store, &Bytes::new()).await;
    for expected in [Digest::canonical(b""), Digest::of(Algorithm::Sha512, b"")] {
        assert_eq!(copy(&store, None, &expected).await, Ok(Unverified));
    }
    assert_eq!(store.asked(), "");
    // Nor does a store that lacks the operation, or refuses its form, make the copy fail.
    let digest = put(&store, &bytes(MIB)).await;
    for operation in ["CreateMultipartUpload", "UploadPartCopy"] {
        for (status, code) in [(501, "NotImplemented"), (400, "InvalidRequest"), (400, "InvalidArgument")] {
            let fault = Fault::Error { status, code: code.to_owned() };
            store.emulator.inject(Rule::new(fault).operation(operation).times(1));
            assert_eq!(copy(&store, None, &digest).await, Ok(Unverified), "{operation} {code}");
            assert!(is_missing(&store).await);
        }
    }
}

#[tokio::test]
async fn what_is_missing_too_large_or_too_slow_says_so_and_leaves_nothing() {
    let store = store().await;
    let digest = Digest::canonical(b"content");
    assert_eq!(copy(&store, None, &digest).await, Err(DriverErrorKind::NotFound));
    assert!(is_missing(&store).await);
    store.asked();
    assert_eq!(copy(&store, Some(5_000_000_001), &digest).await, Err(DriverErrorKind::TooLarge));
    assert_eq!(copy_until(&store, None, &digest, Instant::now()).await, Err(DriverErrorKind::Timeout));
    assert_eq!(store.asked(), "");
    let digest = put(&store, &bytes(MIB)).await;
    for operation in ["CreateMultipartUpload", "UploadPartCopy"] {
        store.emulator.inject(Rule::new(Fault::Hang).operation(operation).times(1));
        let end = Instant::now() + Duration::from_millis(200);
        assert_eq!(copy_until(&store, None, &digest, end).await, Err(DriverErrorKind::Timeout));
        assert!(is_missing(&store).await);
    }
}

#[tokio::test]
async fn an_attempt_whose_answer_is_lost_is_followed_by_another_upload() {
    let store = store().await;
    let content = bytes(MIB);
    let digest = put(&store, &content).await;
    // The first part might come to be later, with other content.
    store.emulator.inject(Rule::new(Fault::LoseAnswer).operation("UploadPartCopy").times(1));
    assert_eq!(copy(&store, None, &digest).await, Ok(Stored));
    assert_eq!(
        store.asked(),
        "1 AbortMultipartUpload, 1 CompleteMultipartUpload, 2 CreateMultipartUpload, 2 UploadPartCopy"
    );
    remove(&store).await;
    // One that S3 refused for its rate did nothing.
    store.emulator.inject(Rule::new(Fault::Throttle).operation("UploadPartCopy").times(1));
    assert_eq!(copy(&store, None, &digest).await, Ok(Stored));
    assert_eq!(store.asked(), "1 CompleteMultipartUpload, 1 CreateMultipartUpload, 2 UploadPartCopy");
    remove(&store).await;
    // It is there, by the attempt whose answer was lost.
    store.emulator.inject(Rule::new(Fault::LoseAnswer).operation("CompleteMultipartUpload").times(1));
    assert_eq!(copy(&store, None, &digest).await, Err(DriverErrorKind::Precondition));
    assert!(store.content("/to").await.unwrap() == content);
    remove(&store).await;
    let conflict = Fault::Error { status: 409, code: "ConditionalRequestConflict".to_owned() };
    store.emulator.inject(Rule::new(conflict.clone()).operation("CompleteMultipartUpload").times(1));
    assert_eq!(copy(&store, None, &digest).await, Ok(Stored));
    remove(&store).await;
    store.emulator.inject(Rule::new(conflict).operation("CompleteMultipartUpload"));
    assert_eq!(copy(&store, None, &digest).await, Err(DriverErrorKind::Throttled));
    assert!(is_missing(&store).await);
}

/// Somebody overwrites the source while it is copied.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_is_replaced_at_any_request_is_stored_under_no_digest_but_its_own() {
    let (first, second) = (bytes(MIB), bytes(MIB + 1));
    for operation in ["CreateMultipartUpload", "UploadPartCopy", "CompleteMultipartUpload", "AbortMultipartUpload"] {
        for (expected, other) in [(&first, &second), (&second, &first)] {
            let store = store().await;
            let expected = Digest::canonical(expected);
            put(&store, &first).await;
            // The request has arrived, and is carried out when the source has changed.
            store.emulator.inject(Rule::new(Fault::Delay(Duration::from_millis(500))).operation(operation).times(1));
            let replace = async {
                until(|| store.emulator.counts().contains_key(&format!("s3:{operation}"))).await;
                store.put("/from", second.clone(), Default::default()).await.unwrap();
            };
            let replace = async { tokio::time::timeout(Duration::from_secs(3), replace).await.is_ok() };
            let (outcome, replaced) = tokio::join!(copy(&store, None, &expected), replace);
            match outcome.unwrap() {
                Stored => assert_eq!(Digest::canonical(&store.content("/to").await.unwrap()), expected),
                Mismatch { actual } => {
                    assert!(actual != expected && is_missing(&store).await);
                    assert!(actual == Digest::canonical(other) || !replaced, "{operation}");
                }
                Unverified => panic!("{operation}"),
            }
            assert_eq!(store.emulator.uploads(), 0);
        }
    }
}
