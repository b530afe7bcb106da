//! Tags and catalog, and their pages.

use serde_json::{Value, json};

use crate::{
    client::Client,
    image::{OCI_IMAGE, push_image},
    registry::Registry,
};

/// The entries of every page, following `Link` from `target`; each page's size.
async fn pages(client: &mut Client, target: &str, key: &str) -> (Vec<Value>, Vec<usize>) {
    let (mut all, mut sizes) = (Vec::new(), Vec::new());
    let mut next = target.to_owned();
    loop {
        let page = client.get(&next).await;
        let entries = page.is(200).json()[key].as_array().unwrap().clone();
        sizes.push(entries.len());
        all.extend(entries);
        let link = page.header("link");
        let Some(rest) = link.strip_prefix('<') else { return (all, sizes) };
        let (url, rel) = rest.split_once('>').unwrap();
        assert_eq!(rel, "; rel=\"next\"");
        next = url.to_owned();
    }
}

#[tokio::test]
async fn tags_in_lexical_order_by_pages() {
    let registry = Registry::start().await;
    let manifest = push_image(&registry, "some/repo", "b", b"layer").await;
    for tag in ["a", "C", "a-1", "a.1", "_z"] {
        registry.push_manifest("some/repo", tag, OCI_IMAGE, &manifest).await;
    }
    let sorted = ["C", "_z", "a", "a-1", "a.1", "b"];
    let mut client = registry.client().await;
    let all = client.get("/v2/some/repo/tags/list").await;
    assert_eq!(all.header("content-type"), "application/json");
    assert_eq!(all.is(200).json(), json!({ "name": "some/repo", "tags": sorted }));
    assert!(!all.has("link"));
    for n in 1..=7 {
        let (tags, sizes) = pages(&mut client, &format!("/v2/some/repo/tags/list?n={n}"), "tags").await;
        assert_eq!(tags, sorted, "n={n}");
        assert!(sizes.iter().all(|size| *size <= n) && sizes.len() == 6usize.div_ceil(n), "{sizes:?}");
    }
    for (query, tags) in [
        ("last=a", &sorted[3..]),
        ("last=a-0", &sorted[3..]), // need not be there
        ("last=b", &[]),
        ("last=zzz&n=2", &[]),
        ("n=0", &[]),
        ("n=99999999999999999999999", &sorted[..]),
        ("n=2&last=_z", &sorted[2..4]),
        ("n=&last=", &sorted[..]),
    ] {
        let page = client.get(&format!("/v2/some/repo/tags/list?{query}")).await;
        assert_eq!(page.is(200).json()["tags"], json!(tags), "{query}");
        assert_eq!(page.has("link"), query == "n=2&last=_z", "{query}");
    }
    let head = client.head("/v2/some/repo/tags/list").await;
    assert_eq!(head.is(200).header("content-length"), all.header("content-length"));
}

#[tokio::test]
async fn an_unknown_repository_has_no_tags_and_one_without_tags_has_none_left() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    client.get("/v2/repo/tags/list").await.refused(404, "NAME_UNKNOWN");
    push_image(&registry, "repo", "latest", b"layer").await;
    client.delete("/v2/repo/manifests/latest").await.is(202);
    assert_eq!(client.get("/v2/repo/tags/list").await.is(200).json(), json!({ "name": "repo", "tags": [] }));
}

#[tokio::test]
async fn the_catalog_in_lexical_order_by_pages() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    assert_eq!(client.get("/v2/_catalog").await.is(200).json(), json!({ "repositories": [] }));
    for name in ["b", "a/b", "a-b", "a", "a/b/c"] {
        registry.push_blob(name, b"content").await;
    }
    let sorted = ["a", "a-b", "a/b", "a/b/c", "b"];
    assert_eq!(client.get("/v2/_catalog").await.is(200).json(), json!({ "repositories": sorted }));
    for n in 1..=6 {
        let (names, _) = pages(&mut client, &format!("/v2/_catalog?n={n}"), "repositories").await;
        assert_eq!(names, sorted, "n={n}");
    }
    let last = client.get("/v2/_catalog?last=a%2Fb").await;
    assert_eq!(last.json()["repositories"], json!(["a/b/c", "b"]));
    assert_eq!(client.get("/v2/_catalog?n=0").await.json()["repositories"], json!([]));
}

#[tokio::test]
async fn one_page_of_the_catalog_has_a_thousand_names_at_most() {
    let registry = Registry::start().await;
    let digest = registry.push_blob("r", b"content").await;
    let mut client = registry.client().await;
    for i in 0..1000 {
        client.post(&format!("/v2/r{i:03}/blobs/uploads/?mount={digest}&from=r")).await.is(201);
    }
    for target in ["/v2/_catalog", "/v2/_catalog?n=5000"] {
        let (names, sizes) = pages(&mut client, target, "repositories").await;
        assert_eq!((names.len(), sizes), (1001, vec![1000, 1]), "{target}");
    }
}

#[tokio::test]
async fn a_number_that_is_none_is_refused() {
    let registry = Registry::start().await;
    push_image(&registry, "repo", "latest", b"layer").await;
    let mut client = registry.client().await;
    for n in ["-1", "x", "1.5", "+1", "%201", "0x10"] {
        for list in ["_catalog", "repo/tags/list"] {
            client.get(&format!("/v2/{list}?n={n}")).await.refused(400, "PAGINATION_NUMBER_INVALID");
        }
    }
}
