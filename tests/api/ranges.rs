//! Parts of blobs (RFC 9110, section 14).

use crate::{client::Body, registry::Registry};

#[tokio::test]
async fn parts_of_a_blob() {
    let registry = Registry::start().await;
    let content: Vec<u8> = (0..2048).map(|i| (i % 251) as u8).collect();
    let digest = registry.push_blob("repo", &content).await;
    let mut client = registry.client().await;
    let target = format!("/v2/repo/blobs/{digest}");
    for (range, first, last) in [
        ("bytes=500-1499", 500, 1499),
        ("bytes=0-0", 0, 0),
        ("bytes=500-", 500, 2047),
        ("bytes=-500", 1548, 2047),
        ("bytes=-5000", 0, 2047),
        ("bytes=2000-5000", 2000, 2047),
        ("bytes=0-18446744073709551615", 0, 2047),
    ] {
        let answer = client.ask("GET", &target, &[("range", range)], Body::None).await;
        answer.is(206);
        assert_eq!(answer.body, content[first..=last], "{range}");
        assert_eq!(answer.header("content-range"), format!("bytes {first}-{last}/2048"));
        assert_eq!(answer.header("content-length"), (last - first + 1).to_string());
        assert_eq!(answer.header("docker-content-digest"), digest);
    }
    for whole in ["lines=1-2", "bytes=0-1,4-5", "bits"] {
        let answer = client.ask("GET", &target, &[("range", whole)], Body::None).await;
        assert_eq!((answer.is(200).body.len(), answer.has("content-range")), (2048, false), "{whole}");
    }
    for nothing in
        ["bytes=500-0", "bytes=2048-", "bytes=5000-10000", "bytes=-0", "bytes=-", "bytes=a-b", "bytes=+1-2", "bytes=5"]
    {
        let answer = client.ask("GET", &target, &[("range", nothing)], Body::None).await;
        answer.refused(416, "RANGE_INVALID");
        assert_eq!(answer.header("content-range"), "bytes */2048", "{nothing}");
    }
    // A HEAD has no parts.
    let head = client.ask("HEAD", &target, &[("range", "bytes=0-1")], Body::None).await;
    assert_eq!(head.is(200).header("content-length"), "2048");
}

#[tokio::test]
async fn a_range_meant_for_other_content_is_passed_over() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("repo", b"0123456789").await;
    let mut client = registry.client().await;
    let target = format!("/v2/repo/blobs/{digest}");
    for (tag, status) in [
        (format!("\"{digest}\""), 206),
        (format!("W/\"{digest}\""), 200),
        ("\"other\"".to_owned(), 200),
        ("Tue, 24 Nov 2026 08:00:00 GMT".to_owned(), 200),
    ] {
        let headers = [("range", "bytes=2-3"), ("if-range", tag.as_str())];
        client.ask("GET", &target, &headers, Body::None).await.is(status);
    }
}
