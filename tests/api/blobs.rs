//! `/v2/<name>/blobs/<digest>`, served from here.

use berth::{
    digest::{Algorithm, Digest},
    http::Options,
};

use crate::{
    client::Body,
    image::{digest, push_image},
    registry::{Registry, Setup},
};

#[tokio::test]
async fn get_and_head_tell_all_about_a_blob() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("repo", b"some content").await;
    let mut client = registry.client().await;
    let target = format!("/v2/repo/blobs/{digest}");
    for method in ["GET", "HEAD"] {
        let answer = client.ask(method, &target, &[], Body::None).await;
        answer.is(200);
        assert_eq!(answer.body, if method == "GET" { b"some content".as_slice() } else { b"" });
        assert_eq!(answer.header("content-length"), "12");
        assert_eq!(answer.header("content-type"), "application/octet-stream");
        assert_eq!(answer.header("docker-content-digest"), digest);
        assert_eq!(answer.header("etag"), format!("\"{digest}\""));
        assert_eq!(answer.header("accept-ranges"), "bytes");
        assert_eq!(answer.header("cache-control"), "max-age=31536000");
    }
}

#[tokio::test]
async fn the_empty_blob_has_a_length_too() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("repo", b"").await;
    let mut client = registry.client().await;
    let target = format!("/v2/repo/blobs/{digest}");
    for method in ["GET", "HEAD"] {
        let answer = client.ask(method, &target, &[], Body::None).await;
        answer.is(200);
        assert_eq!(answer.header("content-length"), "0");
        assert_eq!(answer.body, b"");
    }
    let ranged = client.ask("GET", &target, &[("range", "bytes=0-")], Body::None).await;
    ranged.refused(416, "RANGE_INVALID");
    assert_eq!(ranged.header("content-range"), "bytes */0");
}

#[tokio::test]
async fn a_blob_is_seen_only_through_a_repository_that_links_it() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("one", b"content").await;
    let mut client = registry.client().await;
    client.get(&format!("/v2/two/blobs/{digest}")).await.refused(404, "BLOB_UNKNOWN");
    let head = client.head(&format!("/v2/two/blobs/{digest}")).await;
    head.is(404);
    assert_ne!(head.header("content-length"), "0", "what a GET would say has a length");
    client.delete(&format!("/v2/two/blobs/{digest}")).await.refused(404, "BLOB_UNKNOWN");
    client.get(&format!("/v2/one/blobs/{digest}")).await.is(200);
}

#[tokio::test]
async fn a_blob_answers_to_each_digest_that_it_was_pushed_by() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    let sha512 = Digest::of(Algorithm::Sha512, b"content");
    let sha256 = Digest::canonical(b"content");
    let opened = client.post("/v2/repo/blobs/uploads/").await;
    let closed = client.put(&opened.closing(sha512), b"content").await;
    closed.is(201);
    assert_eq!(closed.header("docker-content-digest"), sha512.to_string());
    assert!(closed.header("location").ends_with(&sha512.to_string()));
    for digest in [sha512, sha256] {
        let answer = client.get(&format!("/v2/repo/blobs/{digest}")).await;
        answer.is(200);
        assert_eq!(answer.header("docker-content-digest"), digest.to_string());
        assert_eq!(answer.header("etag"), format!("\"{digest}\""));
    }
}

#[tokio::test]
async fn a_client_that_has_the_blob_is_not_sent_it() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("repo", b"content").await;
    let mut client = registry.client().await;
    let target = format!("/v2/repo/blobs/{digest}");
    let quoted = format!("\"{digest}\"");
    for matching in [quoted.clone(), format!("\"x\", {quoted}"), format!("W/{quoted}"), "*".to_owned(), digest.clone()]
    {
        for method in ["GET", "HEAD"] {
            let answer = client.ask(method, &target, &[("if-none-match", &matching)], Body::None).await;
            answer.is(304);
            assert_eq!(answer.header("etag"), quoted);
            assert_eq!(answer.header("cache-control"), "max-age=31536000");
        }
    }
    for other in ["\"sha256:00\"", "\"\"", "\"x\", \"y\""] {
        client.ask("GET", &target, &[("if-none-match", other)], Body::None).await.is(200);
    }
    // Having it is no way to find out that a repository links it.
    let elsewhere = format!("/v2/other/blobs/{digest}");
    client.ask("GET", &elsewhere, &[("if-none-match", "*")], Body::None).await.refused(404, "BLOB_UNKNOWN");
}

#[tokio::test]
async fn a_deleted_blob_is_gone_here_alone() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("one", b"content").await;
    registry.push_blob("two", b"content").await;
    let mut client = registry.client().await;
    let target = format!("/v2/one/blobs/{digest}");
    let deleted = client.delete(&target).await;
    deleted.is(202);
    assert_eq!(deleted.header("content-length"), "0");
    client.get(&target).await.refused(404, "BLOB_UNKNOWN");
    client.delete(&target).await.refused(404, "BLOB_UNKNOWN");
    client.get(&format!("/v2/two/blobs/{digest}")).await.is(200);
    registry.push_blob("one", b"content").await;
    client.get(&target).await.is(200);
}

#[tokio::test]
async fn a_blob_that_a_manifest_names_is_kept_and_the_answer_says_what_to_delete_first() {
    let registry = Registry::start().await;
    let manifest = push_image(&registry, "repo", "latest", b"layer").await;
    let layer = digest(b"layer");
    let mut client = registry.client().await;
    let before = registry.holds().await;
    let answer = client.delete(&format!("/v2/repo/blobs/{layer}")).await;
    answer.refused(405, "UNSUPPORTED");
    assert!(answer.json()["errors"][0]["message"].as_str().unwrap().contains(&digest(&manifest)));
    assert_eq!(registry.holds().await, before);

    client.delete(&format!("/v2/repo/manifests/{}", digest(&manifest))).await.is(202);
    client.delete(&format!("/v2/repo/blobs/{layer}")).await.is(202);
}

#[tokio::test]
async fn a_download_is_as_long_as_it_says_or_breaks_off() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("repo", b"0123456789").await;
    let target = format!("/v2/repo/blobs/{digest}");
    registry.driver.misread(b"0123456789 and more");
    let mut client = registry.client().await;
    assert_eq!(client.get(&target).await.is(200).body, b"0123456789");
    client.get("/v2/").await.is(200);

    registry.driver.misread(b"01234");
    client.send("GET", &target, &[], Body::None).await;
    assert!(client.try_answer(false).await.is_none(), "the client sees that it does not have all");
}

#[tokio::test]
async fn where_answers_are_handed_on_whole_what_is_too_long_is_refused() {
    let http = Options { largest_answer: Some(1000), access_log: false, ..Options::default() };
    let registry = Setup { http, ..Setup::default() }.start().await;
    let (fits, not) =
        (registry.push_blob("repo", &[b'x'; 1000]).await, registry.push_blob("repo", &[b'x'; 1001]).await);
    let mut client = registry.client().await;
    assert_eq!(client.get(&format!("/v2/repo/blobs/{fits}")).await.body, [b'x'; 1000]);
    let target = format!("/v2/repo/blobs/{not}");
    client.get(&target).await.refused(500, "UNSUPPORTED");
    client.head(&target).await.is(200);
    let part = client.ask("GET", &target, &[("range", "bytes=1-1000")], Body::None).await;
    part.is(206);
    assert_eq!(part.body, [b'x'; 1000]);
}
