//! Pushing and pulling through the gateway.

use berth::digest::{Algorithm, Digest};
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::{
    house::{House, content},
    old_client::{error, pull, push, send},
    process::Home,
    stack::{OCI_IMAGE, manifest},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_of_unknown_length_goes_past_the_registry() {
    let house = House::new().await;
    let home = Home::of("alice", house.host());
    let gateway = home.start(house.host());
    let (http, blob) = (gateway.http(), content(1, 20_000_000));
    let digest = Digest::canonical(&blob);
    let pushed = push(&http, "a/app", &blob, &digest).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{pushed:?}");
    assert_eq!(pushed.header("docker-content-digest"), digest.to_string());
    assert!(pushed.header("location").starts_with(&format!("http://{}/v2/a/app/", gateway.host)), "{pushed:?}");

    let asked = house.gate.take();
    assert!(asked.iter().all(|asked| asked.bytes == 0), "{asked:?}");
    // Docker looks at once whether it is there: the gateway knows.
    let head = http.head(&format!("/v2/a/app/blobs/{digest}")).await;
    assert_eq!((head.status, head.header("content-length")), (StatusCode::OK, "20000000"));
    assert!(house.gate.take().is_empty());

    let redirected = http.get(&format!("/v2/a/app/blobs/{digest}")).await;
    assert_eq!(redirected.status, StatusCode::TEMPORARY_REDIRECT);
    assert!(redirected.header("location").starts_with(&house.s3.endpoint()), "{redirected:?}");
    assert!(pull(&http, "a/app", &digest).await.body == blob);
    assert_eq!(home.spooled(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_image_is_pushed_and_pulled() {
    let house = House::new().await;
    let home = Home::of("alice", house.host());
    let gateway = home.start(house.host());
    let http = gateway.http();
    let (config, layer) = (Bytes::from_static(b"{}"), content(1, 300_000));
    for blob in [&config, &layer] {
        assert_eq!(push(&http, "a/app", blob, &Digest::canonical(blob)).await.status, StatusCode::CREATED);
    }
    let image = manifest(&config, std::slice::from_ref(&layer));
    let put = http.put("/v2/a/app/manifests/v1", &[OCI_IMAGE], image.clone()).await;
    assert_eq!(put.status, StatusCode::CREATED, "{put:?}");
    assert_eq!(put.header("docker-content-digest"), Digest::canonical(&image).to_string());
    assert_eq!(http.get("/v2/a/app/manifests/v1").await.body, image);
    assert_eq!(http.get("/v2/a/app/tags/list").await.body, r#"{"name":"a/app","tags":["v1"]}"#);
    assert_eq!(http.get("/v2/").await.status, StatusCode::OK);

    // From one repository to another, nothing moves.
    let digest = Digest::canonical(&layer);
    let before = house.s3.requests().len();
    let mounted = http.post(&format!("/v2/a/other/blobs/uploads/?mount={digest}&from=a/app")).await;
    assert_eq!(mounted.status, StatusCode::CREATED, "{mounted:?}");
    assert!(house.s3.requests()[before..].iter().all(|request| !request.presigned || request.method == "HEAD"));
    assert!(pull(&http, "a/other", &digest).await.body == layer);
    // What cannot be mounted is sent.
    let nowhere = Digest::canonical(b"nowhere");
    let opened = http.post(&format!("/v2/a/other/blobs/uploads/?mount={nowhere}&from=a/app")).await;
    assert_eq!(opened.status, StatusCode::ACCEPTED, "{opened:?}");
    let closed = http.put(&opened.closing(&nowhere), &[], Bytes::from_static(b"nowhere")).await;
    assert_eq!(closed.status, StatusCode::CREATED, "{closed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_digest_is_refused_and_nothing_appears() {
    let house = House::new().await;
    let home = Home::of("alice", house.host());
    let gateway = home.start(house.host());
    let (http, blob) = (gateway.http(), content(1, 2_000_000));
    let before = house.s3.objects().len();
    for wrong in [Digest::canonical(b"else"), Digest::of(Algorithm::Sha512, b"else")] {
        let refused = push(&http, "a/app", &blob, &wrong).await;
        let (status, code, words) = error(&refused);
        assert_eq!((status, code.as_str()), (400, "DIGEST_INVALID"));
        assert!(words.contains(&Digest::of(wrong.algorithm(), &blob).to_string()), "{words}");
        for digest in [wrong, Digest::canonical(&blob)] {
            assert_eq!(http.head(&format!("/v2/a/app/blobs/{digest}")).await.status, StatusCode::NOT_FOUND);
            assert!(!house.has_blob(&digest));
        }
    }
    assert_eq!(house.s3.objects().len(), before, "nothing was stored at all");
    assert_eq!(home.spooled(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_is_called_as_its_client_calls_it() {
    let house = House::new().await;
    let home = Home::of("alice", house.host());
    let (gateway, blob) = (home.start(house.host()), content(1, 300_000));
    let (http, digest) = (gateway.http(), Digest::of(Algorithm::Sha512, &blob));
    assert_eq!(push(&http, "a/app", &blob, &digest).await.status, StatusCode::CREATED);
    assert!(pull(&http, "a/app", &digest).await.body == blob);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_are_as_any_registrys() {
    let house = House::new().await;
    let home = Home::of("alice", house.host());
    let gateway = home.start(house.host());
    let (http, blob) = (gateway.http(), content(1, 1000));
    let sent = send(&http, "a/app", &blob).await;
    let location = sent.header("location");
    let status = http.get(location).await;
    assert_eq!((status.status, status.header("range")), (StatusCode::NO_CONTENT, "0-999"));
    let out_of_place = http.send(Method::PATCH, location, &[("content-range", "7-1006")], blob.clone()).await;
    assert_eq!((out_of_place.status, out_of_place.header("range")), (StatusCode::RANGE_NOT_SATISFIABLE, "0-999"));
    let elsewhere = location.replace("/a/app/", "/a/other/");
    assert_eq!(http.get(&elsewhere).await.status, StatusCode::NOT_FOUND, "in its own repository alone");
    assert_eq!(http.delete(location).await.status, StatusCode::NO_CONTENT);
    assert_eq!(http.get(location).await.status, StatusCode::NOT_FOUND);
    let closed = http.put(&sent.closing(&Digest::canonical(&blob)), &[], Bytes::new()).await;
    assert_eq!(closed.status, StatusCode::NOT_FOUND, "{closed:?}");
}
