//! Blobs in parts.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use berth::{
    client::{Pushed, Watch},
    context::Context,
    digest::Digest,
    distribution::{BlobError, Repository as _, UploadError},
};
use berth_local::{Fault, Rule};

use crate::{
    house::{House, PART, content, in_parts, kept, remote},
    watched::Watched,
};

/// Three parts, the last of them short.
pub(crate) const SIZE: usize = 2 * PART + 1_000_000;

#[derive(Default)]
struct Seen {
    spared: AtomicU64,
    settled: Mutex<Vec<(u64, u64, u64)>>,
}

impl Watch for Seen {
    fn spared(&self, bytes: u64) {
        self.spared.fetch_add(bytes, Ordering::Relaxed);
    }

    fn settling(&self, verified: u64, copied: u64, size: u64) {
        self.settled.lock().unwrap().push((verified, copied, size));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_go_past_the_registry_which_is_asked_until_it_is_done() {
    let house = House::with(in_parts()).await;
    let (app, ctx, blob) = (house.alices(), Context::background("test"), Watched::new(content(1, SIZE)));
    let (digest, seen) = (blob.digest(), Seen::default());
    let pushed = app.push_blob_watched(&ctx, &digest, &blob.source(), None, &seen).await;
    assert_eq!(pushed.unwrap(), Pushed::Sent);
    assert_eq!(blob.read(), SIZE as u64, "each byte once");
    assert!(house.gate.take().iter().all(|asked| asked.bytes == 0), "no byte to the registry");
    assert!(house.has_blob(&digest));
    app.blobs().stat(&ctx, &digest).await.unwrap();

    let settled = seen.settled.into_inner().unwrap();
    assert!(settled.len() > 1, "{settled:?}");
    assert!(settled.is_sorted() && settled.iter().all(|(.., size)| *size == SIZE as u64), "{settled:?}");
    assert_eq!(house.s3.uploads(), 0, "nothing is left of the parts");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_parts_as_wanted_are_under_way() {
    let house = House::with(in_parts()).await;
    let blob = Watched::new(content(1, SIZE));
    // None is answered, and so nothing more is sent than is under way.
    house.s3.inject(Rule::new(Fault::Hang).operation("UploadPart"));
    let client = house.client(Some("alice"), |options| options.parts_at_once = 2);
    let (app, ctx, digest, source) =
        (remote(&client, "a/app"), Context::background("test"), blob.digest(), blob.source());
    let parts = || house.s3.requests().iter().filter(|request| request.operation == "UploadPart").count();
    let both = async {
        while parts() < 2 || blob.read() < 2 * PART as u64 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        pushed = app.push_blob(&ctx, &digest, &source, None) => panic!("{pushed:?}"),
        () = both => {}
    }
    assert_eq!((parts(), blob.read()), (2, 2 * PART as u64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_storage_says_in_passing_of_a_part_is_got_over() {
    for (number, fault) in
        [Fault::Throttle, Fault::AccessDenied, Fault::Reset, Fault::LoseAnswer].into_iter().enumerate()
    {
        let house = House::with(in_parts()).await;
        let (app, ctx, blob) =
            (house.alices(), Context::background("test"), Watched::new(content(number as u32, SIZE)));
        house.s3.inject(Rule::new(fault.clone()).operation("UploadPart").presigned(true).skip(1).times(1));
        let pushed = app.push_blob(&ctx, &blob.digest(), &blob.source(), None).await;
        assert_eq!(pushed.unwrap(), Pushed::Sent, "{fault:?}");
        assert!(house.has_blob(&blob.digest()), "{fault:?}");
        assert!(blob.read() <= (SIZE + PART) as u64, "{fault:?}: {} bytes", blob.read());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_content_in_parts_is_refused_and_nothing_appears() {
    let house = House::with(in_parts()).await;
    let (ctx, blob, temp) = (Context::background("test"), Watched::new(content(1, SIZE)), tempfile::tempdir().unwrap());
    let app = remote(&house.client(Some("alice"), |options| options.kept = kept(temp.path())), "a/app");
    let announced = Digest::canonical(b"something else");
    let error = app.push_blob(&ctx, &announced, &blob.source(), None).await.unwrap_err();
    assert!(matches!(error, UploadError::DigestMismatch { expected, .. } if expected == announced), "{error}");
    assert!(!house.has_blob(&announced) && !house.has_blob(&blob.digest()));
    let stat = app.blobs().stat(&ctx, &announced).await;
    assert!(matches!(stat, Err(BlobError::Unknown(_))), "{stat:?}");
    assert_eq!(std::fs::read_dir(temp.path().join("uploads")).unwrap().count(), 0, "nothing to go on with");
}

/// The parts that arrived in a run that was killed are told of, and not read again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_later_run_spares_what_is_there() {
    let house = House::with(in_parts()).await;
    let (ctx, blob, temp) = (Context::background("test"), Watched::new(content(1, SIZE)), tempfile::tempdir().unwrap());
    let (digest, source) = (blob.digest(), blob.source());
    house.s3.inject(Rule::new(Fault::AccessDenied).operation("UploadPart").presigned(true).skip(2));
    let first = house.client(Some("alice"), |options| (options.kept, options.parts_at_once) = (kept(temp.path()), 1));
    remote(&first, "a/app").push_blob(&ctx, &digest, &source, None).await.unwrap_err();
    house.s3.clear_faults();
    let before = blob.read();

    let (later, seen) =
        (house.client(Some("alice"), |options| options.kept = kept(temp.path())), Arc::new(Seen::default()));
    let pushed = remote(&later, "a/app").push_blob_watched(&ctx, &digest, &source, None, &*seen).await;
    assert_eq!(pushed.unwrap(), Pushed::Sent);
    assert_eq!(seen.spared.load(Ordering::Relaxed), 2 * PART as u64);
    assert_eq!(blob.read() - before, (SIZE - 2 * PART) as u64);
}
