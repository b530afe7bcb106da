//! `/v2/<name>/referrers/<digest>`.

use serde_json::{Value, json};

use crate::{
    image::{OCI_IMAGE, OCI_INDEX, digest, image},
    registry::Registry,
};

/// Pushes an artifact of `kind` that refers to `subject`; returns its digest. `padding` bytes of annotation.
async fn refer(registry: &Registry, subject: &str, kind: &str, padding: usize) -> String {
    let mut manifest = image(b"layer");
    manifest["artifactType"] = json!(kind);
    manifest["subject"] = json!({ "mediaType": OCI_IMAGE, "digest": subject, "size": 7 });
    manifest["annotations"] = json!({ "of": kind, "padding": "x".repeat(padding) });
    let manifest = manifest.to_string().into_bytes();
    registry.push_manifest("repo", &digest(&manifest), OCI_IMAGE, &manifest).await;
    digest(&manifest)
}

async fn with_blobs() -> Registry {
    let registry = Registry::start().await;
    registry.push_blob("repo", b"{}").await;
    registry.push_blob("repo", b"layer").await;
    registry
}

#[tokio::test]
async fn nobody_refers_to_what_nobody_knows() {
    let registry = Registry::start().await;
    let mut client = registry.client().await;
    let answer = client.get(&format!("/v2/repo/referrers/{}", digest(b"subject"))).await;
    assert_eq!(answer.is(200).header("content-type"), OCI_INDEX);
    assert_eq!(answer.json(), json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [] }));
}

#[tokio::test]
async fn referrers_are_described_and_filtered() {
    let registry = with_blobs().await;
    let subject = digest(b"subject");
    let one = refer(&registry, &subject, "application/one+x", 1).await;
    let two = refer(&registry, &subject, "application/two", 2).await;
    let mut client = registry.client().await;
    let target = format!("/v2/repo/referrers/{subject}");

    let all = client.get(&target).await;
    assert!(!all.is(200).has("oci-filters-applied"));
    let listed: Vec<Value> = all.json()["manifests"].as_array().unwrap().clone();
    let mut expected = [one.clone(), two.clone()];
    expected.sort();
    assert_eq!(listed.iter().map(|entry| entry["digest"].clone()).collect::<Vec<_>>(), expected);
    let entry = listed.iter().find(|entry| entry["digest"] == one.as_str()).unwrap();
    assert_eq!(entry["mediaType"], OCI_IMAGE);
    assert_eq!(entry["artifactType"], "application/one+x");
    assert_eq!(entry["annotations"], json!({ "of": "application/one+x", "padding": "x" }));
    let manifest = client.get(&format!("/v2/repo/manifests/{one}")).await;
    assert_eq!(entry["size"], manifest.body.len());

    let filtered = client.get(&format!("{target}?artifactType=application%2Fone%2Bx")).await;
    assert_eq!(filtered.is(200).header("oci-filters-applied"), "artifactType");
    assert_eq!(filtered.json()["manifests"], json!([entry]));
    let none = client.get(&format!("{target}?artifactType=other")).await;
    assert_eq!(
        (none.header("oci-filters-applied"), &none.json()["manifests"]),
        ("artifactType".to_owned(), &json!([]))
    );

    client.delete(&format!("/v2/repo/manifests/{one}")).await.is(202);
    assert_eq!(client.get(&target).await.json()["manifests"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_one_answer_cannot_hold_goes_on_behind_a_link() {
    let registry = with_blobs().await;
    let subject = digest(b"subject");
    let mut expected = Vec::new();
    for kind in ["a", "b", "c"] {
        expected.push(refer(&registry, &subject, kind, 3 << 20).await);
    }
    refer(&registry, &subject, "other", 10).await;
    expected.sort();
    let mut client = registry.client().await;
    let mut next = format!("/v2/repo/referrers/{subject}?artifactType=a&artifactType=b");
    client.get(&next).await.is(200);

    let (mut found, mut answers) = (Vec::new(), 0);
    next = format!("/v2/repo/referrers/{subject}");
    loop {
        let page = client.get(&next).await;
        answers += 1;
        assert!(page.is(200).body.len() <= 4 << 20);
        let entries = page.json()["manifests"].as_array().unwrap().clone();
        found.extend(
            entries.iter().filter(|e| e["artifactType"] != "other").map(|e| e["digest"].as_str().unwrap().to_owned()),
        );
        let link = page.header("link");
        let Some((url, _)) = link.strip_prefix('<').and_then(|rest| rest.split_once('>')) else { break };
        next = url.to_owned();
    }
    assert_eq!((found, answers), (expected, 3));

    // The filter goes on with the list.
    refer(&registry, &subject, "a", (3 << 20) + 1).await;
    let page = client.get(&format!("/v2/repo/referrers/{subject}?artifactType=a")).await;
    assert!(page.header("link").contains("artifactType=a&last=sha256%3A"), "{}", page.header("link"));
    client.get(&format!("/v2/repo/referrers/{subject}?last=sha256:0")).await.refused(400, "DIGEST_INVALID");
}
