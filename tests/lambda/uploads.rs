//! Uploads in the pieces that Lambda carries, each taken by another instance.

use std::collections::BTreeSet;

use berth::digest::Digest;
use berth_local::Recorded;
use bytes::Bytes;
use http::{Method, StatusCode};

use crate::{
    image::noise,
    stack::{Stack, pull_blob},
};

const PIECE: usize = 4 << 20;
const WHOLE: usize = 100_000_000;

/// Bytes that a request had S3 write.
fn written(request: &Recorded) -> u64 {
    assert!(request.source.is_none(), "copies are not counted here: {request:?}");
    if matches!(request.operation.as_str(), "PutObject" | "UploadPart") { request.request_bytes } else { 0 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn any_instance_goes_on_with_an_upload_and_no_byte_is_written_more_than_twice() {
    let stack = Stack::start(|function| function.instances(4).seed(7)).await;
    let http = stack.http();
    let blob = noise(3, WHOLE);
    let digest = Digest::canonical(&blob);

    let mut answer = http.post("/v2/app/blobs/uploads/").await;
    for (number, piece) in blob.chunks(PIECE).enumerate() {
        let first = number * PIECE;
        let range = format!("{first}-{}", first + piece.len() - 1);
        let headers = [("content-range", range.as_str())];
        answer = http.send(Method::PATCH, answer.header("location"), &headers, blob.slice_ref(piece)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{answer:?}");
        assert_eq!(answer.header("range"), format!("0-{}", first + piece.len() - 1));
    }
    let closed = http.put(&answer.closing(&digest), &[], Bytes::new()).await;
    assert_eq!(closed.status, StatusCode::CREATED, "{closed:?}");
    assert_eq!(closed.header("docker-content-digest"), digest.to_string());
    assert!(pull_blob(&http, "app", &digest).await.body == blob, "what is pulled is what was pushed");

    stack.function.settled().await;
    let instances = stack.function.instances();
    let busy: BTreeSet<_> = instances.iter().filter(|one| one.invocations > 0).map(|one| one.id).collect();
    assert_eq!(busy.len(), 4, "{instances:?}");
    assert!(instances.iter().all(|one| one.invocations < 20), "no instance did it alone: {instances:?}");

    let requests = stack.emulators.requests();
    let bytes: u64 = requests.iter().map(written).sum();
    let times = bytes as f64 / WHOLE as f64;
    let peak = instances.iter().filter_map(|one| one.peak_resident).max().unwrap_or_default();
    println!(
        "100 MB in {} pieces over 4 instances: {bytes} bytes written to S3, {times:.3} for each; {:.1} MB resident at most",
        WHOLE.div_ceil(PIECE),
        peak as f64 / 1e6
    );
    // Beside the content, the log of the upload is written: a record of a few kilobytes for each piece.
    assert!(times < 2.005, "{times}");
    // Of a debug build. Three times a piece comes of Lambda alone: the event, its base64, its bytes.
    assert!(peak < 96_000_000, "{peak}");
    let left: Vec<_> = stack.emulators.s3().objects().into_keys().filter(|key| key.contains("_uploads")).collect();
    assert_eq!(left, Vec::<String>::new(), "a closed upload leaves nothing");
}
