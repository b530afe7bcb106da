//! Reading.

use berth::driver::{DriverErrorKind, PutOptions, StorageDriver as _};
use berth_local::{Fault, Rule};
use bytes::Bytes;
use futures_util::StreamExt as _;

use crate::store::{MIB, all, bytes, chunked, ctx, path, store};

#[tokio::test]
async fn each_question_is_one_request() {
    let store = store().await;
    store.put("/folder/file", Bytes::from("0123456789"), PutOptions::default()).await.unwrap();
    store.asked();
    assert_eq!(store.driver.stat(&ctx(), &path("/folder/file")).await.unwrap(), 10);
    assert_eq!(store.asked(), "1 HeadObject");
    for missing in ["/folder", "/folder/fil", "/missing"] {
        let error = store.driver.stat(&ctx(), &path(missing)).await.unwrap_err();
        assert_eq!((error.kind, store.asked().as_str()), (DriverErrorKind::NotFound, "1 HeadObject"));
        let error = store.content(missing).await.unwrap_err();
        assert_eq!((error.kind, store.asked().as_str()), (DriverErrorKind::NotFound, "1 GetObject"));
        let error = store.read(missing, 0, None).await.err().unwrap();
        assert_eq!((error.kind, store.asked().as_str()), (DriverErrorKind::NotFound, "1 GetObject"));
    }
    assert_eq!(store.content("/folder/file").await.unwrap(), "0123456789");
    assert_eq!(store.asked(), "1 GetObject");
    for (offset, length, expected) in
        [(0, None, "0123456789"), (3, None, "3456789"), (3, Some(4), "3456"), (8, Some(40), "89")]
    {
        let reading = store.read("/folder/file", offset, length).await.unwrap();
        assert_eq!(reading.size, 10);
        assert_eq!(all(reading).await.unwrap(), expected.as_bytes());
        assert_eq!(store.asked(), "1 GetObject");
    }
    for (offset, length) in [(10, None), (11, Some(1)), (u64::MAX, Some(u64::MAX)), (3, Some(0))] {
        let reading = store.read("/folder/file", offset, length).await.unwrap();
        assert_eq!((reading.size, all(reading).await.unwrap().len()), (10, 0));
    }
}

#[tokio::test]
async fn content_over_the_limit_is_refused() {
    let store = store().await;
    store.put("/x", Bytes::from("12345"), PutOptions::default()).await.unwrap();
    assert_eq!(store.driver.get(&ctx(), &path("/x"), 5).await.unwrap(), "12345");
    let error = store.driver.get(&ctx(), &path("/x"), 4).await.unwrap_err();
    assert_eq!(error.kind, DriverErrorKind::TooLarge);
}

#[tokio::test]
async fn empty_content_is_read_as_empty() {
    let store = store().await;
    store.put("/x", Bytes::new(), PutOptions::default()).await.unwrap();
    assert_eq!(store.content("/x").await.unwrap(), "");
    for (offset, length) in [(0, None), (0, Some(10)), (5, None)] {
        let reading = store.read("/x", offset, length).await.unwrap();
        assert_eq!((reading.size, all(reading).await.unwrap().len()), (0, 0));
    }
}

#[tokio::test]
async fn a_read_goes_on_where_its_connection_broke() {
    let store = store().await;
    let content = bytes(5 * MIB);
    store.put("/x", chunked(&content), PutOptions::default()).await.unwrap();
    store.asked();
    for cut in [0, 1, 1_000_000] {
        store.emulator.inject(Rule::new(Fault::CutAnswer(cut)).operation("GetObject").times(3));
        let reading = store.read("/x", 10, Some(4_000_000)).await.unwrap();
        assert_eq!(all(reading).await.unwrap(), content[10..4_000_010], "cut after {cut}");
        assert_eq!(store.asked(), "4 GetObject");
        store.emulator.inject(Rule::new(Fault::CutAnswer(cut)).operation("GetObject").times(1));
        assert_eq!(store.content("/x").await.unwrap(), content);
        assert_eq!(store.asked(), "2 GetObject");
    }
}

#[tokio::test]
async fn a_read_never_mixes_old_content_with_new() {
    let store = store().await;
    store.put("/x", chunked(&bytes(MIB)), PutOptions::default()).await.unwrap();
    store.emulator.inject(Rule::new(Fault::CutAnswer(1000)).operation("GetObject").times(1));
    let mut reading = store.read("/x", 0, None).await.unwrap();
    store.put("/x", chunked(&Bytes::from(vec![0; MIB])), PutOptions::default()).await.unwrap();
    let mut seen = 0;
    let error = loop {
        match reading.stream.next().await.unwrap() {
            Ok(bytes) => seen += bytes.len(),
            Err(error) => break error,
        }
    };
    assert!(seen <= 1000 && error.to_string().contains("412"), "{seen} bytes, then {error}");
    assert!(reading.stream.next().await.is_none());
}

#[tokio::test]
async fn a_read_that_breaks_again_and_again_is_an_error() {
    let store = store().await;
    store.put("/x", chunked(&bytes(MIB)), PutOptions::default()).await.unwrap();
    store.emulator.inject(Rule::new(Fault::CutAnswer(0)).operation("GetObject"));
    let ctx = crate::store::ctx_for(std::time::Duration::from_millis(300));
    let reading = store.driver.read(&ctx, &path("/x"), 0, None).await.unwrap();
    all(reading).await.unwrap_err();
}
