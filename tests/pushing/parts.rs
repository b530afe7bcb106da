//! Blobs in parts.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use async_trait::async_trait;
use berth::{
    client::{Pushed, Source, Watch},
    context::Context,
    digest::Digest,
    distribution::{BlobError, ByteStream, Repository as _, UploadError},
};
use berth_local::{Fault, Rule};
use futures_util::StreamExt as _;
use tokio::sync::Barrier;

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

/// Content of which the first two readings wait for each other.
struct Gathering {
    blob: Watched,
    both: Barrier,
    opened: AtomicUsize,
    now: Arc<AtomicUsize>,
    most: AtomicUsize,
}

/// A reading that is under way.
struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[async_trait]
impl Source for Gathering {
    fn size(&self) -> u64 {
        self.blob.size()
    }

    async fn open(&self, offset: u64, length: u64) -> std::io::Result<ByteStream> {
        self.most.fetch_max(self.now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        let open = Open(self.now.clone());
        if self.opened.fetch_add(1, Ordering::SeqCst) < 2 {
            self.both.wait().await;
        }
        let stream = self.blob.open(offset, length).await?;
        Ok(stream
            .inspect(move |_| {
                let _ = &open;
            })
            .boxed())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_parts_as_wanted_are_under_way() {
    let house = House::with(in_parts()).await;
    let blob = Watched::new(content(1, 2 * SIZE));
    let client = house.client(Some("alice"), |options| options.parts_at_once = 2);
    let source = Arc::new(Gathering {
        blob: blob.clone(),
        both: Barrier::new(2),
        opened: AtomicUsize::default(),
        now: Arc::default(),
        most: AtomicUsize::default(),
    });
    let app = remote(&client, "a/app");
    let pushed = app.push_blob(&Context::background("test"), &blob.digest(), &(source.clone() as _), None).await;
    assert_eq!(pushed.unwrap(), Pushed::Sent);
    assert_eq!((source.opened.load(Ordering::SeqCst), source.most.load(Ordering::SeqCst)), (5, 2));
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
