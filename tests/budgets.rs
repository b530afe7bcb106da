//! Requests to AWS, counted at the emulators: no operation may cost more than its budget. The client's own presigned
//! requests are not counted. Each figure is printed: `cargo test --test budgets -- --nocapture`.
#![allow(clippy::unwrap_used, clippy::expect_used)] // a test that cannot go on has failed

#[path = "budgets/image.rs"]
mod image;
#[path = "support/mod.rs"]
mod support;
#[path = "budgets/tokens.rs"]
mod tokens;

use berth::{
    api::DirectAnswer,
    digest::{Algorithm, Digest},
    driver::PutOptions,
    storage::PathSpec,
};
use berth_local::Emulators;
use bytes::Bytes;
use http::{Method, StatusCode};
use image::{Image, noise};
use support::{
    http::{Answer, Http},
    registry::Registry,
};

const OCI_IMAGE: (&str, &str) = ("content-type", "application/vnd.oci.image.manifest.v1+json");

/// How a client sends a blob.
#[derive(Clone, Copy)]
enum Push {
    /// HEAD, POST, PUT with the body: containerd.
    Put,
    /// HEAD, POST, one PATCH without length, an empty PUT, HEAD: Docker's classic store.
    Patch,
}

struct Meter {
    emulators: Emulators,
}

impl Meter {
    /// Prints what `operation` has cost since the last call, and fails when that is more than `most`, or when it
    /// holds a LIST and may not.
    fn spent(&self, operation: &str, most: u64, may_list: bool) {
        let counts = self.emulators.counts();
        let total: u64 = counts.values().sum();
        println!("{operation:<48} {total:>3} of {most:>2}  {counts:?}");
        assert!(total <= most, "{operation} cost {total} requests, more than {most}: {counts:?}");
        let listed = counts.keys().any(|name| name.contains("List"));
        assert!(may_list || !listed, "{operation} listed: {counts:?}");
        self.emulators.reset();
    }
}

async fn push_blob(http: &Http, repository: &str, blob: &Bytes, way: Push) {
    let digest = Digest::canonical(blob);
    let blob_path = format!("/v2/{repository}/blobs/{digest}");
    assert_eq!(http.head(&blob_path).await.status, StatusCode::NOT_FOUND);
    let opened = http.post(&format!("/v2/{repository}/blobs/uploads/")).await;
    assert_eq!(opened.status, StatusCode::ACCEPTED);
    let closed = match way {
        Push::Put => http.put(&opened.closing(&digest), &[], blob.clone()).await,
        Push::Patch => {
            let chunks = blob.chunks(32 << 10).map(Bytes::copy_from_slice).collect();
            let sent = http.send_chunked(Method::PATCH, opened.header("location"), &[], chunks).await;
            assert_eq!(sent.status, StatusCode::ACCEPTED, "{sent:?}");
            http.put(&sent.closing(&digest), &[], Bytes::new()).await
        }
    };
    assert_eq!(closed.status, StatusCode::CREATED, "{closed:?}");
    if let Push::Patch = way {
        assert!(http.head(&blob_path).await.status.as_u16() < 400);
    }
}

async fn announce(http: &Http, repository: &str, blob: &Bytes) -> Answer {
    let (digest, size) = (Digest::canonical(blob).to_string(), blob.len().to_string());
    let headers = [("berth-blob-digest", digest.as_str()), ("berth-blob-size", size.as_str())];
    http.send(Method::POST, &format!("/v2/{repository}/blobs/uploads/"), &headers, Bytes::new()).await
}

/// POST, PUT to S3, an empty PUT: a client that knows direct uploads.
async fn push_directly(http: &Http, repository: &str, blob: &Bytes) {
    let opened = announce(http, repository, blob).await;
    let DirectAnswer::Put { put, .. } = serde_json::from_slice(&opened.body).unwrap() else { panic!("{opened:?}") };
    let headers: Vec<_> = put.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(http.put(&put.url, &headers, blob.clone()).await.status, StatusCode::OK);
    let closed = http.put(&opened.closing(&Digest::canonical(blob)), &[], Bytes::new()).await;
    assert_eq!(closed.status, StatusCode::CREATED, "{closed:?}");
}

/// HEAD, POST, PUT to CloudFront, which stores it, and GET of the commit: what an unchanged client does. The commit costs at most
/// `most`: its session's record, the copy, the link and the clean-up.
async fn push_by_edge(
    meter: &Meter,
    registry: &Registry,
    repository: &str,
    blob: &Bytes,
    algorithm: Algorithm,
    most: u64,
) {
    let http = registry.http();
    let digest = Digest::of(algorithm, blob);
    assert_eq!(http.head(&format!("/v2/{repository}/blobs/{digest}")).await.status, StatusCode::NOT_FOUND);
    let opened = http.post(&format!("/v2/{repository}/blobs/uploads/")).await;
    meter.spent(&format!("HEAD and POST before a push by CloudFront, {algorithm}"), 2, false);
    let (name, id) = (repository.parse().unwrap(), opened.header("docker-upload-uuid"));
    let stage = PathSpec::UploadStaged(&name, id, &digest).path().unwrap();
    let config =
        berth::config::Config::parse("test.yml", &support::registry::on_aws(&meter.emulators, ""), []).unwrap();
    let edge = berth::wire::Adapters::open(&config).await.unwrap().driver().clone();
    let ctx = berth::context::Context::background("edge");
    edge.put(&ctx, &stage, blob.clone().into(), PutOptions::default()).await.unwrap();
    meter.spent("CloudFront's own PUT to S3", 1, false);
    let committed = http.get(&format!("{}&size={}&commit=edge", opened.closing(&digest), blob.len())).await;
    assert_eq!(committed.status, StatusCode::CREATED, "{committed:?}");
    meter.spent(&format!("commit of what CloudFront stored, {algorithm}"), most, false);
}

async fn push_manifest(http: &Http, repository: &str, tag: &str, image: &Image) {
    let path = format!("/v2/{repository}/manifests/{tag}");
    assert_eq!(http.head(&path).await.status, StatusCode::NOT_FOUND);
    let put = http.put(&path, &[OCI_IMAGE], image.manifest.clone()).await;
    assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
}

async fn push(http: &Http, repository: &str, image: &Image, way: Push) {
    for blob in &image.blobs {
        push_blob(http, repository, blob, way).await;
    }
    push_manifest(http, repository, "v1", image).await;
}

async fn pull(http: &Http, repository: &str, image: &Image) {
    let manifest = http.get(&format!("/v2/{repository}/manifests/v1")).await;
    assert_eq!(manifest.body, image.manifest);
    for blob in &image.blobs {
        let digest = Digest::canonical(blob);
        let redirect = http.get(&format!("/v2/{repository}/blobs/{digest}")).await;
        assert_eq!(redirect.status, StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(http.get(redirect.header("location")).await.body, *blob, "the presigned URL gives the blob");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_keeps_within_its_budget() {
    let meter = Meter { emulators: Emulators::start().await.unwrap() };
    let registry = Registry::on_aws(&meter.emulators).await;
    let http = registry.http();
    // The registry's own secret is made once in its life.
    http.post("/v2/any/blobs/uploads/").await;
    meter.emulators.reset();

    let patched = Image::new(1);
    push(&http, "patched", &patched, Push::Patch).await;
    meter.spent("push to a new repository, by PATCH", 55, false);

    let put = Image::new(2);
    push(&http, "put", &put, Push::Put).await;
    meter.spent("push to a new repository, by PUT", 34, false);

    let blob = noise(99, 1 << 20);
    let opened = http.post("/v2/put/blobs/uploads/").await;
    let closed = http.put(&opened.closing(&Digest::canonical(&blob)), &[], blob).await;
    assert_eq!(closed.status, StatusCode::CREATED);
    meter.spent("push one new 1 MB blob (POST, PUT)", 4, false);

    for (number, algorithm, most) in [(96, Algorithm::Sha256, 6), (97, Algorithm::Sha512, 9)] {
        push_by_edge(&meter, &registry, "put", &noise(number, 1 << 20), algorithm, most).await;
    }

    let blob = noise(98, 1 << 20);
    push_directly(&http, "put", &blob).await;
    meter.spent("push one new 1 MB blob directly (POST, S3, PUT)", 4, false);
    assert_eq!(announce(&http, "put", &blob).await.status, StatusCode::CREATED);
    meter.spent("push directly what the repository has (POST)", 3, false);
    assert_eq!(announce(&http, "other", &blob).await.status, StatusCode::CREATED);
    meter.spent("push directly what lies elsewhere (POST)", 3, false);
    assert!(http.head(&format!("/v2/put/blobs/{}", Digest::canonical(&blob))).await.status.as_u16() < 400);
    meter.spent("HEAD of it, whose content nobody copied", 2, false);

    for blob in &put.blobs {
        assert!(http.head(&format!("/v2/put/blobs/{}", Digest::canonical(blob))).await.status.as_u16() < 400);
    }
    push_manifest(&http, "put", "v2", &put).await;
    meter.spent("push again under another tag, warm", 8, false);

    // Processes that know nothing yet, each for one question.
    let fresh = Registry::on_aws(&meter.emulators).await;
    pull(&fresh.http(), "put", &put).await;
    meter.spent("pull, process just started", 4, false);
    pull(&fresh.http(), "put", &put).await;
    meter.spent("pull, warm", 1, false);
    assert_eq!(fresh.http().get("/v2/put/manifests/v1").await.body, put.manifest);
    meter.spent("manifest by tag, warm", 1, false);

    let digest = Digest::canonical(&put.blobs[0]);
    for method in [Method::HEAD, Method::GET] {
        let fresh = Registry::on_aws(&meter.emulators).await;
        let answer = fresh.http().send(method.clone(), &format!("/v2/put/blobs/{digest}"), &[], Bytes::new()).await;
        assert_eq!(answer.status, StatusCode::TEMPORARY_REDIRECT);
        meter.spent(&format!("{method} a blob, process just started"), 1, false);
    }

    let fresh = Registry::on_aws(&meter.emulators).await;
    assert_eq!(fresh.http().get("/v2/put/manifests/v1").await.body, put.manifest);
    meter.spent("manifest by tag, process just started", 2, false);
}
