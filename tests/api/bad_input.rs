//! Bad input: each kind has its specified error, and storage holds exactly what it held before.

use berth::digest::{Algorithm, Digest};
use serde_json::json;

use crate::{
    client::Body,
    image::{OCI_IMAGE, OCI_INDEX, digest, image, push_image},
    registry::Registry,
};

const ZEROS: &str = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
const NO_UPLOAD: &str = "00000000-0000-7000-8000-000000000000";

/// A registry that holds an image, and has a secret for its uploads.
async fn furnished() -> Registry {
    let registry = Registry::start().await;
    push_image(&registry, "repo", "latest", b"layer").await;
    registry
}

#[tokio::test]
async fn malformed_names() {
    let registry = furnished().await;
    let before = registry.holds().await;
    let mut client = registry.client().await;
    let long = "a".repeat(256);
    for name in [
        "Repo",
        "repo_",
        "-repo",
        "repo..x",
        "repo___x",
        "a//b",
        "/a",
        "a/",
        "..",
        "a/../b",
        "%2e%2e",
        "a%00b",
        "a%20b",
        "r%C3%A9po",
        "%ff",
        "_uploads",
        "a/_layers/b",
        &long,
    ] {
        let blob = format!("/v2/{name}/blobs/{ZEROS}");
        let upload = format!("/v2/{name}/blobs/uploads/{NO_UPLOAD}?_state=x");
        for (method, target) in [
            ("GET", format!("/v2/{name}/tags/list")),
            ("GET", format!("/v2/{name}/manifests/latest")),
            ("PUT", format!("/v2/{name}/manifests/latest")),
            ("GET", blob.clone()),
            ("DELETE", blob),
            ("POST", format!("/v2/{name}/blobs/uploads/")),
            ("PATCH", upload),
            ("GET", format!("/v2/{name}/referrers/{ZEROS}")),
        ] {
            client.ask(method, &target, &[], Body::Sized(b"")).await.refused(400, "NAME_INVALID");
        }
    }
    let from = format!("/v2/repo/blobs/uploads/?mount={ZEROS}&from=..%2Fother");
    client.post(&from).await.refused(400, "NAME_INVALID");
    assert_eq!(registry.holds().await, before);
}

#[tokio::test]
async fn malformed_tags() {
    let registry = furnished().await;
    let before = registry.holds().await;
    let mut client = registry.client().await;
    let long = "t".repeat(129);
    for tag in ["-x", ".x", "%20", "a%20b", "%C3%A9", "a%00", "..", &long] {
        let target = format!("/v2/repo/manifests/{tag}");
        client.get(&target).await.refused(400, "TAG_INVALID");
        client.put(&target, b"{}").await.refused(400, "TAG_INVALID");
        client.delete(&target).await.refused(400, "TAG_INVALID");
    }
    assert_eq!(registry.holds().await, before);
}

#[tokio::test]
async fn malformed_digests() {
    let registry = furnished().await;
    let before = registry.holds().await;
    let mut client = registry.client().await;
    let upper = ZEROS.replace('0', "A");
    let opened = client.post("/v2/repo/blobs/uploads/").await;
    for digest in [
        "sha256:",
        "sha256:baddigeststring",
        "sha256:00",
        "md5:d41d8cd98f00b204e9800998ecf8427e",
        "sha257:00",
        ":",
        "sha256:../x",
        &upper,
        &ZEROS.replace(':', ":0"),
        &ZEROS.replace("256", "512"),
    ] {
        let escaped = digest.replace('/', "%2F");
        for (method, target) in [
            ("GET", format!("/v2/repo/manifests/{digest}")),
            ("PUT", format!("/v2/repo/manifests/{digest}")),
            ("GET", format!("/v2/repo/blobs/{digest}")),
            ("DELETE", format!("/v2/repo/blobs/{digest}")),
            ("GET", format!("/v2/repo/referrers/{digest}")),
        ] {
            if !digest.contains('/') {
                client.ask(method, &target, &[], Body::Sized(b"x")).await.refused(400, "DIGEST_INVALID");
            }
        }
        let uploads = "/v2/repo/blobs/uploads/";
        client.put(&opened.closing(&escaped), b"content").await.refused(400, "DIGEST_INVALID");
        client.post(&format!("{uploads}?digest={escaped}")).await.refused(400, "DIGEST_INVALID");
        client.post(&format!("{uploads}?mount={escaped}")).await.refused(400, "DIGEST_INVALID");
    }
    client.get("/v2/repo/blobs/latest").await.refused(400, "DIGEST_INVALID");
    client.put(&opened.header("location"), b"content").await.refused(400, "DIGEST_INVALID");
    client.post("/v2/repo/blobs/uploads/?digest-algorithm=md5").await.refused(400, "DIGEST_INVALID");
    assert_eq!(registry.holds().await, before);
}

#[tokio::test]
async fn uploads_that_were_never_handed_out() {
    let registry = furnished().await;
    let mut client = registry.client().await;
    let opened = client.post("/v2/repo/blobs/uploads/").await;
    let other = client.post("/v2/other/blobs/uploads/").await;
    let location = opened.header("location");
    let (path, state) = location.split_once("?_state=").unwrap();
    let sent = client.ask("PATCH", &location, &[], Body::Sized(b"content")).await;
    let before = registry.holds().await;

    let nil = "0".repeat(32);
    for id in ["x", "..", "%00", "0", &nil, "urn:uuid:00000000-0000-7000-8000-000000000000"] {
        let target = format!("/v2/repo/blobs/uploads/{id}?_state={state}&digest={ZEROS}");
        for method in ["GET", "PATCH", "PUT", "DELETE"] {
            client.ask(method, &target, &[], Body::Sized(b"x")).await.refused(404, "BLOB_UPLOAD_UNKNOWN");
        }
    }
    let forged = [
        path.to_owned(),
        format!("{path}?_state="),
        format!("{path}?_state=x"),
        format!("{path}?_state={}", &state[..state.len() - 1]),
        format!("{path}?_state={}A", state),
        format!("{path}?_state={}", state.replacen('.', "x.", 1)),
        format!("/v2/repo/blobs/uploads/{NO_UPLOAD}?_state={state}"),
        format!("{}?_state={state}", path.replace("/repo/", "/other/")),
        format!("{}?_state={state}", other.header("location").split_once('?').unwrap().0),
    ];
    for target in forged {
        for (method, extra) in [("GET", ""), ("PATCH", ""), ("DELETE", ""), ("PUT", ZEROS)] {
            let mark = if target.contains('?') { '&' } else { '?' };
            let target = format!("{target}{mark}digest={extra}");
            client.ask(method, &target, &[], Body::Sized(b"x")).await.refused(404, "BLOB_UPLOAD_INVALID");
        }
    }
    assert_eq!(registry.holds().await, before);
    // The session itself took no harm.
    let closing = sent.closing(Digest::canonical(b"content"));
    client.ask("PUT", &closing, &[], Body::None).await.is(201);
}

#[tokio::test]
async fn manifests_that_are_none() {
    let registry = furnished().await;
    let before = registry.holds().await;
    let mut client = registry.client().await;
    let good = image(b"layer").to_string();
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let with = |change: fn(&mut serde_json::Value)| {
        let mut manifest = image(b"layer");
        change(&mut manifest);
        manifest.to_string()
    };
    for (content_type, body) in [
        (OCI_IMAGE, String::new()),
        (OCI_IMAGE, "not JSON".to_owned()),
        (OCI_IMAGE, "null".to_owned()),
        (OCI_IMAGE, "[]".to_owned()),
        (OCI_IMAGE, good[..good.len() - 1].to_owned()),
        (OCI_IMAGE, format!("{good}x")),
        (OCI_IMAGE, format!("\u{feff}{good}")),
        (OCI_IMAGE, good.replacen('{', &format!("{{\"x\":{deep},"), 1)),
        (OCI_IMAGE, with(|m| m["annotations"] = json!({ "a": ["b"] }))),
        (OCI_IMAGE, with(|m| m["schemaVersion"] = json!(1))),
        (OCI_IMAGE, with(|m| m["layers"][0]["digest"] = json!("sha256:x"))),
        (OCI_IMAGE, with(|m| m["layers"][0]["size"] = json!(-1))),
        (OCI_IMAGE, with(|m| m["layers"] = json!({}))),
        (OCI_IMAGE, with(|m| m["manifests"] = json!([]))),
        (OCI_IMAGE, with(|m| m["mediaType"] = json!(OCI_INDEX))),
        (OCI_INDEX, good.clone()),
        ("text/html", good.clone()),
        ("", with(|m| m["mediaType"] = json!("application/json"))),
    ] {
        for reference in ["new", &digest(body.as_bytes())] {
            let target = format!("/v2/repo/manifests/{reference}");
            let headers = [("content-type", content_type)];
            let answer = client.ask("PUT", &target, &headers, Body::Sized(body.as_bytes())).await;
            answer.refused(400, "MANIFEST_INVALID");
        }
    }
    let latin = [br#"{"x":"#.as_slice(), b"\"\xe9\",", &good.as_bytes()[1..]].concat();
    client.put("/v2/repo/manifests/new", &latin).await.refused(400, "MANIFEST_INVALID");
    // Another digest than its own.
    for named in [ZEROS.to_owned(), Digest::of(Algorithm::Sha512, b"x").to_string()] {
        let target = format!("/v2/repo/manifests/{named}");
        client.put(&target, good.as_bytes()).await.refused(400, "DIGEST_INVALID");
    }
    let lacking = image(b"never pushed").to_string();
    client.put("/v2/repo/manifests/new", lacking.as_bytes()).await.refused(400, "MANIFEST_BLOB_UNKNOWN");
    let five = vec![b' '; 5 << 20];
    client.put("/v2/repo/manifests/new", &five).await.refused(413, "SIZE_INVALID");
    assert_eq!(registry.holds().await, before);
}

#[tokio::test]
async fn what_a_client_hangs_up_on_is_not_kept() {
    let registry = furnished().await;
    let mut client = registry.client().await;
    let opened = client.post("/v2/repo/blobs/uploads/").await;
    let path = opened.header("location").replace(&format!("http://{}", registry.addr), "");
    let digest = Digest::canonical(b"0123456789");
    let before = registry.holds().await;
    for head in [
        format!("PATCH {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n01234"),
        format!("PATCH {path} HTTP/1.1\r\nhost: x\r\ncontent-range: 0-9\r\ncontent-length: 10\r\n\r\n01234"),
        format!("PATCH {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\n01234\r\n"),
        format!("PATCH {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\n012"),
        format!("PUT {path}&digest={digest} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n01234"),
        format!("POST /v2/repo/blobs/uploads/?digest={digest} HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n01234"),
        "PUT /v2/repo/manifests/new HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n01234".to_owned(),
    ] {
        let mut client = registry.client().await;
        client.write(head.as_bytes()).await;
        tokio::io::AsyncWriteExt::shutdown(client.stream.get_mut()).await.unwrap();
        // The server ends the connection once it has done with the request.
        let answer = client.try_answer(false).await;
        assert!(answer.is_none_or(|answer| answer.status == 400), "{head}");
        client.closed().await;
        assert_eq!(registry.holds().await, before, "{head}");
    }
    // The session stands where it stood.
    client.put(&opened.closing(digest), b"0123456789").await.is(201);
}

#[tokio::test]
async fn broken_chunked_coding_is_not_kept() {
    let registry = furnished().await;
    let mut client = registry.client().await;
    let opened = client.post("/v2/repo/blobs/uploads/").await;
    let path = opened.header("location").replace(&format!("http://{}", registry.addr), "");
    let before = registry.holds().await;
    let mut client = registry.client().await;
    let head = format!("PATCH {path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n");
    client.write(head.as_bytes()).await;
    client.answer(false).await.refused(400, "SIZE_INVALID");
    client.closed().await;
    assert_eq!(registry.holds().await, before);
}
