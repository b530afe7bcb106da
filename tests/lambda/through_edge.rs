//! Uploads through CloudFront: the template's distribution and function before the registry.

use berth::{
    api::ticket,
    digest::{Algorithm, Digest},
};
use berth_local::edge::{ContentSha256, EdgeOptions, Handled, Sees};
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::{
    deployed::{Deployed, LARGEST},
    image::noise,
    stack::{OCI_IMAGE, code, manifest, pull_blob},
    support::http::Answer,
};

/// Too large for the function.
const LAYER: usize = 5_000_000;

fn created(answer: &Answer, digest: &Digest) {
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    assert_eq!(answer.header("docker-content-digest"), digest.to_string());
    assert!(answer.header("location").ends_with(&format!("/blobs/{digest}")), "{answer:?}");
}

fn refused(answer: &Answer, status: u16, expected: &str) {
    assert_eq!((answer.status.as_u16(), code(answer).as_str()), (status, expected), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_layer_goes_to_the_bucket_whatever_aws_turns_out_to_do() {
    for (response_sees, content_sha256) in [
        (Sees::Rewritten, ContentSha256::Signed),
        (Sees::Original, ContentSha256::Signed),
        (Sees::Rewritten, ContentSha256::Ignored),
    ] {
        let options = EdgeOptions { response_sees, content_sha256, ..EdgeOptions::default() };
        let parameters = [("CloudFrontDownloads", "true"), ("RootDirectory", "team/registry/")];
        let deployed = Deployed::start(options, &parameters).await;
        let (blob, small) = (noise(1, LAYER), noise(2, 1000));
        for (content, requests) in [(&blob, 1), (&small, 0)] {
            for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
                let digest = Digest::of(algorithm, content);
                deployed.edge.reset();
                let opened = deployed.open("app").await;
                created(&deployed.close(&opened.closing(&digest), content).await, &digest);
                let sent = deployed.to_bucket();
                assert_eq!(sent.len(), requests, "{sent:?}");
                assert!(sent.iter().all(|request| request.request_bytes == LAYER as u64), "{sent:?}");
                let largest = deployed
                    .edge
                    .requests()
                    .into_iter()
                    .filter(|request| request.origin.as_deref() == Some("registry"));
                assert!(largest.map(|request| request.request_bytes).max() <= Some(1000));
            }
        }
        for content in [&blob, &small] {
            let digest = Digest::canonical(content);
            let redirect = deployed.http().get(&format!("/v2/app/blobs/{digest}")).await;
            assert_eq!(redirect.status, StatusCode::TEMPORARY_REDIRECT);
            let place = redirect.header("location");
            assert!(
                place.starts_with(&format!("{}/team/registry/docker/registry/v2/blobs/", deployed.edge.url())),
                "{place}"
            );
            assert!(pull_blob(&deployed.http(), "app", &digest).await.body == *content);
            let unsigned = place.split_once('?').unwrap().0;
            assert_eq!(deployed.http().get(unsigned).await.status, StatusCode::FORBIDDEN);
        }
        assert_eq!(deployed.staged(), Vec::<String>::new());
        assert!(deployed.emulators.denied().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_past_the_edge_with_what_is_not_theirs() {
    let deployed = Deployed::start(EdgeOptions::default(), &[]).await;
    let (blob, other) = (noise(1, LAYER), noise(2, LAYER));
    let digest = Digest::canonical(&blob);

    // A wrong body: S3 stores nothing, under that digest or its own.
    let opened = deployed.open("app").await;
    let wrong = deployed.http().put(&opened.closing(&digest), &[], other.clone()).await;
    assert_eq!(wrong.status, StatusCode::BAD_REQUEST);
    assert!(String::from_utf8_lossy(&wrong.body).contains("XAmzContentSHA256Mismatch"), "{wrong:?}");
    assert_eq!((deployed.blobs(), deployed.staged()), (vec![], vec![]));
    // The session still takes the right one.
    created(&deployed.close(&opened.closing(&digest), &blob).await, &digest);
    // Reused with other content, and with the same again: each lies under its own digest, once.
    let second = Digest::canonical(&other);
    created(&deployed.close(&opened.closing(&second), &other).await, &second);
    created(&deployed.close(&opened.closing(&digest), &blob).await, &digest);
    for (digest, content) in [(&digest, &blob), (&second, &other)] {
        assert!(pull_blob(&deployed.http(), "app", digest).await.body == *content);
    }
    let kept = deployed.blobs();

    // Forged, foreign, expired: refused before the bucket.
    deployed.edge.reset();
    let third = noise(3, LAYER);
    let named = Digest::canonical(&third);
    let opened = deployed.open("app").await;
    let id = opened.header("docker-upload-uuid").to_owned();
    let url = opened.closing(&named);
    let given = url.split(['?', '&']).find(|pair| pair.starts_with("_edge=")).unwrap().to_owned();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let app = "app".parse().unwrap();
    for (what, ticket) in [
        ("forged", ticket("not the key of the edge", &app, &id, now + 60)),
        ("foreign", ticket(&deployed.key, &"other".parse().unwrap(), &id, now + 60)),
        ("expired", ticket(&deployed.key, &app, &id, now - 60)),
    ] {
        let answer = deployed.close(&url.replace(&given, &format!("_edge={ticket}")), &third).await;
        refused(&answer, 404, "BLOB_UPLOAD_INVALID");
        assert_eq!(deployed.to_bucket().len(), 0, "{what}");
    }
    let elsewhere = url.replace("/v2/app/", "/v2/public/").replace(&deployed.edge.url(), "");
    refused(&deployed.close(&elsewhere, &third).await, 404, "BLOB_UPLOAD_INVALID");
    refused(&deployed.close(&url.replace(&given, ""), &third).await, 413, "SIZE_INVALID");
    // Leaving the stage: the path is none of an upload.
    for path in ["/v2/app/../app/blobs/uploads/", "/v2/app%2f..%2fapp/blobs/uploads/", "/v2/app//blobs/uploads/"] {
        let answer = deployed.close(&url.replace("/v2/app/blobs/uploads/", path), &third).await;
        assert!(matches!(answer.status.as_u16(), 400..=499) && !code(&answer).is_empty(), "{answer:?}");
    }
    assert_eq!(deployed.to_bucket().len(), 0);
    // With the real ticket, but a state of another session, the commit is refused.
    let state = |answer: &Answer| {
        answer.header("location").split(['?', '&']).find(|pair| pair.starts_with("_state=")).unwrap().to_owned()
    };
    let mixed = url.replace(&state(&opened), &state(&deployed.open("app").await));
    refused(&deployed.close(&mixed, &third).await, 404, "BLOB_UPLOAD_INVALID");
    // What S3 would obey, it does not see.
    let obeyed = [
        ("x-amz-copy-source", "/berth/berth/edge/secrets.json"),
        ("x-amz-acl", "public-read"),
        ("content-encoding", "gzip"),
    ];
    let answer = deployed.http().put(&format!("{url}&acl=&uploads="), &obeyed, third.clone()).await;
    created(&deployed.followed(answer).await, &named);
    assert!(pull_blob(&deployed.http(), "app", &named).await.body == third);

    // Larger than the limit, and larger than anything.
    let opened = deployed.open("app").await;
    let large = noise(4, LARGEST + 1);
    let sent = deployed.to_bucket().len();
    refused(&deployed.close(&opened.closing(&Digest::canonical(&large)), &large).await, 413, "SIZE_INVALID");
    // Before the object is there, and with a digest that was not sent.
    let commit = format!("{}&commit=edge", opened.closing(&Digest::canonical(&large)));
    refused(&deployed.http().get(&commit).await, 400, "BLOB_UPLOAD_INVALID");
    assert_eq!(deployed.to_bucket().len(), sent);
    assert_eq!(deployed.blobs().len(), kept.len() + 1);
    assert_eq!(deployed.registry.counters().errors, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_puts_and_two_commits_at_once_lose_nothing() {
    let deployed = Deployed::start(EdgeOptions::default(), &[]).await;
    for round in 0..5 {
        let blobs = [noise(10 + 2 * round, LAYER), noise(11 + 2 * round, LAYER)];
        let digests = blobs.each_ref().map(|blob| Digest::canonical(blob));
        let opened = deployed.open("app").await;
        // Two contents by one session, then the commit of the first twice.
        let urls = digests.each_ref().map(|digest| opened.closing(digest));
        let https = [deployed.http(), deployed.http()];
        let (first, second) =
            tokio::join!(https[0].put(&urls[0], &[], blobs[0].clone()), https[1].put(&urls[1], &[], blobs[1].clone()),);
        assert_eq!((first.status, second.status), (StatusCode::SEE_OTHER, StatusCode::SEE_OTHER));
        let place = first.header("location").to_owned();
        let (one, two, other) =
            tokio::join!(https[0].get(&place), https[1].get(&place), https[1].get(second.header("location")));
        created(&one, &digests[0]);
        created(&two, &digests[0]);
        created(&other, &digests[1]);
        for (digest, blob) in digests.iter().zip(&blobs) {
            assert!(pull_blob(&deployed.http(), "app", digest).await.body == *blob, "{round}");
        }
    }
}

/// Where CloudFront does not sign the digest, the commit finds out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_content_that_s3_took_is_refused_by_the_commit() {
    let options = EdgeOptions { content_sha256: ContentSha256::Ignored, ..EdgeOptions::default() };
    let deployed = Deployed::start(options, &[]).await;
    let (blob, other) = (noise(1, LAYER), noise(2, LAYER));
    let opened = deployed.open("app").await;
    refused(&deployed.close(&opened.closing(&Digest::canonical(&blob)), &other).await, 400, "DIGEST_INVALID");
    assert_eq!((deployed.blobs(), deployed.staged()), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_patch_without_a_length_is_the_registrys_and_a_large_one_is_told_what_to_do() {
    let deployed = Deployed::start(EdgeOptions::default(), &[]).await;
    let http = deployed.http();
    let blob = noise(1, 3 << 20);
    let digest = Digest::canonical(&blob);
    let opened = deployed.open("app").await;
    let chunks = blob.chunks(1 << 20).map(|chunk| blob.slice_ref(chunk)).collect();
    let appended = http.send_chunked(Method::PATCH, opened.header("location"), &[], chunks).await;
    assert_eq!((appended.status, appended.header("range")), (StatusCode::ACCEPTED, "0-3145727"), "{appended:?}");
    created(&deployed.close(&appended.closing(&digest), &Bytes::new()).await, &digest);

    // Too large without a length: AWS's own 413. With one: advice.
    let opened = deployed.open("app").await;
    let chunks = vec![noise(1, LAYER); 3];
    let answer = http.send_chunked(Method::PATCH, opened.header("location"), &[], chunks).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let before = deployed.registry.counters().invocations;
    let answer = http.send(Method::PATCH, opened.header("location"), &[], noise(1, LAYER)).await;
    refused(&answer, 405, "UNSUPPORTED");
    let said = String::from_utf8_lossy(&answer.body);
    assert!(
        said.contains("berth gateway") && said.contains("berth push") && said.contains("containerd image store"),
        "{said}"
    );
    assert_eq!(deployed.registry.counters().invocations, before);
    let patches = deployed.edge.requests().into_iter().filter(|request| request.method == "PATCH");
    let handled: Vec<_> = patches.map(|request| request.handled).collect();
    assert_eq!(handled, [Handled::Origin, Handled::Origin, Handled::Answered]);

    // A session that holds something has no ticket: the edge may not take its end.
    let mut place = deployed.open("app").await.header("location").to_owned();
    for chunk in [blob.slice(..1 << 20), blob.slice(1 << 20..)] {
        let appended = http.send(Method::PATCH, &place, &[], chunk).await;
        assert_eq!(appended.status, StatusCode::ACCEPTED, "{appended:?}");
        assert!(!appended.header("location").contains("_edge="));
        place = appended.header("location").to_owned();
    }
    created(&deployed.close(&format!("{place}&digest={digest}"), &Bytes::new()).await, &digest);
}

/// S3's own 200 reaches the client then. It names no digest and no place, and the registry does not know the blob.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_viewer_response_no_blob_and_no_image_is_pushed() {
    let options = EdgeOptions { response_runs: false, ..EdgeOptions::default() };
    let deployed = Deployed::start(options, &[]).await;
    let (http, layer, config) = (deployed.http(), noise(1, LAYER), Bytes::from("{}"));
    let digest = Digest::canonical(&layer);
    let opened = deployed.open("app").await;
    let put = http.put(&opened.closing(&digest), &[], layer.clone()).await;
    assert_ne!(put.status, StatusCode::CREATED);
    for name in ["location", "docker-content-digest"] {
        assert_eq!(put.header(name), "", "{put:?}");
    }
    assert_eq!(http.head(&format!("/v2/app/blobs/{digest}")).await.status, StatusCode::NOT_FOUND);
    let image = http.put("/v2/app/manifests/1", &[OCI_IMAGE], manifest(&config, &[layer])).await;
    refused(&image, 400, "MANIFEST_BLOB_UNKNOWN");
}
