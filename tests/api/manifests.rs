//! `/v2/<name>/manifests/<reference>`.

use berth::digest::{Algorithm, Digest};
use serde_json::json;

use crate::{
    client::Body,
    image::{OCI_IMAGE, OCI_INDEX, digest, image, index, push_image},
    registry::Registry,
};

#[tokio::test]
async fn get_and_head_give_the_exact_bytes_and_what_they_are() {
    let registry = Registry::start().await;
    registry.push_blob("repo", b"{}").await;
    registry.push_blob("repo", b"layer").await;
    // White space at odd places must survive.
    let manifest = format!(" {}\n", image(b"layer")).into_bytes();
    let mut client = registry.client().await;
    let headers = [("content-type", "application/vnd.oci.image.manifest.v1+json; charset=utf-8")];
    let put = client.ask("PUT", "/v2/repo/manifests/latest", &headers, Body::Sized(&manifest)).await;
    put.is(201);
    assert_eq!(put.header("docker-content-digest"), digest(&manifest));
    assert_eq!(put.header("content-length"), "0");
    let location = put.header("location");
    assert!(location.ends_with(&format!("/v2/repo/manifests/{}", digest(&manifest))), "{location}");

    for target in [location, "/v2/repo/manifests/latest".to_owned()] {
        for method in ["GET", "HEAD"] {
            // What the client would rather have does not change what it gets.
            let answer = client.ask(method, &target, &[("accept", "text/html")], Body::None).await;
            answer.is(200);
            assert_eq!(answer.body, if method == "GET" { manifest.clone() } else { Vec::new() });
            assert_eq!(answer.header("content-type"), OCI_IMAGE);
            assert_eq!(answer.header("content-length"), manifest.len().to_string());
            assert_eq!(answer.header("docker-content-digest"), digest(&manifest));
            assert_eq!(answer.header("etag"), format!("\"{}\"", digest(&manifest)));
        }
    }
}

#[tokio::test]
async fn a_client_that_has_the_manifest_is_not_sent_it() {
    let registry = Registry::start().await;
    let manifest = push_image(&registry, "repo", "latest", b"layer").await;
    let mut client = registry.client().await;
    let tag = format!("\"{}\"", digest(&manifest));
    for method in ["GET", "HEAD"] {
        let headers = [("if-none-match", tag.as_str())];
        let answer = client.ask(method, "/v2/repo/manifests/latest", &headers, Body::None).await;
        assert_eq!(answer.is(304).header("etag"), tag);
    }
    let headers = [("if-none-match", "\"sha256:0\"")];
    client.ask("GET", "/v2/repo/manifests/latest", &headers, Body::None).await.is(200);
}

#[tokio::test]
async fn a_manifest_put_by_sha512_keeps_that_name() {
    let registry = Registry::start().await;
    registry.push_blob("repo", b"{}").await;
    registry.push_blob("repo", b"layer").await;
    let manifest = image(b"layer").to_string().into_bytes();
    let sha512 = Digest::of(Algorithm::Sha512, &manifest).to_string();
    let mut client = registry.client().await;
    let target = format!("/v2/repo/manifests/{sha512}?tag=one");
    let put = client.ask("PUT", &target, &[("content-type", OCI_IMAGE)], Body::Sized(&manifest)).await;
    put.is(201);
    assert_eq!(put.header("docker-content-digest"), sha512);
    assert!(put.header("location").ends_with(&sha512));
    for reference in ["one", &sha512] {
        let answer = client.head(&format!("/v2/repo/manifests/{reference}")).await;
        assert_eq!(answer.is(200).header("docker-content-digest"), sha512);
    }
}

#[tokio::test]
async fn tags_of_the_query_are_set_and_named() {
    let registry = Registry::start().await;
    let manifest = push_image(&registry, "repo", "latest", b"layer").await;
    let mut client = registry.client().await;
    let base = format!("/v2/repo/manifests/{}", digest(&manifest));
    let put = client.put(&format!("{base}?tag=v1&tag=v1.0&tag=v1"), &manifest).await;
    put.is(201);
    assert_eq!(put.all("oci-tag"), ["v1", "v1.0"]);
    for tag in ["v1", "v1.0"] {
        client.head(&format!("/v2/repo/manifests/{tag}")).await.is(200);
    }
    assert!(!client.put("/v2/repo/manifests/latest", &manifest).await.is(201).has("oci-tag"));

    let before = registry.holds().await;
    client.put(&format!("{base}?tag=good&tag=-bad"), &manifest).await.refused(400, "TAG_INVALID");
    client.put("/v2/repo/manifests/latest?tag=other", &manifest).await.refused(400, "TAG_INVALID");
    let many: String = (0..101).map(|i| format!("tag=t{i}&")).collect();
    client.put(&format!("{base}?{many}"), &manifest).await.refused(414, "TAG_INVALID");
    assert_eq!(registry.holds().await, before);
}

#[tokio::test]
async fn the_subject_is_acknowledged_whether_or_not_it_is_there() {
    let registry = Registry::start().await;
    registry.push_blob("repo", b"{}").await;
    registry.push_blob("repo", b"layer").await;
    let mut manifest = image(b"layer");
    let subject = digest(b"a manifest that nobody pushed");
    manifest["subject"] = json!({ "mediaType": OCI_IMAGE, "digest": subject, "size": 29 });
    let manifest = manifest.to_string().into_bytes();
    let mut client = registry.client().await;
    for reference in ["latest", &digest(&manifest)] {
        let put = client.put(&format!("/v2/repo/manifests/{reference}"), &manifest).await;
        assert_eq!(put.is(201).header("oci-subject"), subject);
    }
}

#[tokio::test]
async fn every_missing_reference_is_named() {
    let registry = Registry::start().await;
    registry.push_blob("repo", b"{}").await;
    let mut client = registry.client().await;
    let mut manifest = image(b"one");
    for layer in [b"two".as_slice(), b"three"] {
        manifest["layers"].as_array_mut().unwrap().push(crate::image::descriptor(layer));
    }
    let answer = client.put("/v2/repo/manifests/latest", manifest.to_string().as_bytes()).await;
    assert_eq!((answer.status, answer.codes()), (400, vec!["MANIFEST_BLOB_UNKNOWN".to_owned(); 3]));
    let named: Vec<_> =
        answer.json()["errors"].as_array().unwrap().iter().map(|e| e["detail"]["digest"].clone()).collect();
    assert_eq!(named, [digest(b"one"), digest(b"two"), digest(b"three")]);

    let answer = client.put("/v2/repo/manifests/latest", index(&[b"child"]).to_string().as_bytes()).await;
    answer.refused(400, "MANIFEST_BLOB_UNKNOWN");

    // The answer stays small, and still says how many there are.
    let layers: Vec<_> = (0..250).map(|i| crate::image::descriptor(format!("layer {i}").as_bytes())).collect();
    manifest["layers"] = json!(layers);
    let answer = client.put("/v2/repo/manifests/latest", manifest.to_string().as_bytes()).await;
    assert_eq!(answer.codes().len(), 101);
    assert!(answer.json()["errors"][100]["message"].as_str().unwrap().starts_with("150 more"));
    client.get("/v2/repo/manifests/latest").await.refused(404, "MANIFEST_UNKNOWN");
}

#[tokio::test]
async fn manifests_up_to_four_mebibytes_are_taken_and_no_larger() {
    let registry = Registry::start().await;
    registry.push_blob("repo", b"{}").await;
    registry.push_blob("repo", b"layer").await;
    let padded = |size: usize| {
        let mut manifest = image(b"layer").to_string().into_bytes();
        manifest.resize(size, b' ');
        manifest
    };
    let largest = padded(4 << 20);
    let mut client = registry.client().await;
    client.put("/v2/repo/manifests/latest", &largest).await.is(201);
    let halves: Vec<&[u8]> = largest.chunks(2 << 20).collect();
    client.ask("PUT", "/v2/repo/manifests/latest", &[], Body::Chunked(&halves)).await.is(201);
    assert_eq!(client.get("/v2/repo/manifests/latest").await.body.len(), 4 << 20);

    let before = registry.holds().await;
    let larger = padded((4 << 20) + 1);
    client.put("/v2/repo/manifests/large", &larger).await.refused(413, "SIZE_INVALID");
    let mut client = registry.client().await;
    let answer = client.ask("PUT", "/v2/repo/manifests/large", &[], Body::Chunked(&[&larger])).await;
    answer.refused(413, "SIZE_INVALID");
    assert_eq!(registry.holds().await, before);
}

#[tokio::test]
async fn deleting_a_tag_keeps_the_manifest_and_deleting_the_manifest_takes_its_tags() {
    let registry = Registry::start().await;
    let manifest = push_image(&registry, "repo", "one", b"layer").await;
    registry.push_manifest("repo", "two", OCI_IMAGE, &manifest).await;
    let mut client = registry.client().await;
    let by_digest = format!("/v2/repo/manifests/{}", digest(&manifest));

    let deleted = client.delete("/v2/repo/manifests/one").await;
    assert_eq!(deleted.is(202).header("content-length"), "0");
    client.get("/v2/repo/manifests/one").await.refused(404, "MANIFEST_UNKNOWN");
    client.delete("/v2/repo/manifests/one").await.refused(404, "MANIFEST_UNKNOWN");
    client.get(&by_digest).await.is(200);

    client.delete(&by_digest).await.is(202);
    for gone in ["/v2/repo/manifests/two", &by_digest] {
        client.head(gone).await.is(404);
        client.delete(gone).await.refused(404, "MANIFEST_UNKNOWN");
    }
    registry.push_manifest("repo", "two", OCI_IMAGE, &manifest).await;
    client.get("/v2/repo/manifests/two").await.is(200);
}

#[tokio::test]
async fn a_manifest_that_an_index_names_is_kept() {
    let registry = Registry::start().await;
    let child = push_image(&registry, "repo", "child", b"layer").await;
    let parent = index(&[&child]).to_string().into_bytes();
    registry.push_manifest("repo", "parent", OCI_INDEX, &parent).await;
    let mut client = registry.client().await;
    let target = format!("/v2/repo/manifests/{}", digest(&child));
    let answer = client.delete(&target).await;
    answer.refused(405, "UNSUPPORTED");
    assert!(answer.json()["errors"][0]["message"].as_str().unwrap().contains(&digest(&parent)));
    client.get("/v2/repo/manifests/child").await.is(200);
    client.delete(&format!("/v2/repo/manifests/{}", digest(&parent))).await.is(202);
    client.delete(&target).await.is(202);
}
