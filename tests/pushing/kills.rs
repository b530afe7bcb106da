//! The client may be killed at any moment of a push. Run again, it ends well, and sends nothing that had arrived.

use std::{path::Path, sync::Arc};

use berth::storage::DirectOptions;
use berth::{
    client::{ClientOptions, Pushed},
    context::Context,
};
use berth_local::{Fault, Rule};
use futures_util::FutureExt as _;
use tokio::sync::Notify;

use crate::{
    house::{House, content, in_parts, kept, remote},
    parts::SIZE,
    watched::Watched,
};

/// Where a run is killed.
#[derive(Debug, Clone, Copy)]
enum Moment {
    /// At that request to the registry, before or after it is carried out.
    Registry(usize, bool),
    /// At that request to storage, before or after it is carried out.
    Storage(u32, bool),
}

impl Moment {
    fn number(self) -> usize {
        match self {
            Self::Registry(at, _) => at,
            Self::Storage(at, _) => at as usize,
        }
    }
}

/// One run of a program, killed at `moment`; whether it came so far.
async fn run_until(house: &House, name: Option<&str>, folder: Option<&Path>, blob: &Watched, moment: Moment) -> bool {
    let repository = name.map_or("open/app", |_| "a/app");
    let pausing = Arc::new(Notify::new());
    let stuck = pausing.clone();
    let client = house.client(name, |options: &mut ClientOptions| {
        options.kept = folder.and_then(kept);
        options.parts_at_once = 1;
        // What was carried out and not answered is tried again after a pause; this one never ends.
        options.retry.pause = Arc::new(move |_| {
            stuck.notify_one();
            std::future::pending().boxed()
        });
    });
    match moment {
        Moment::Registry(at, done) => house.gate.stop(at, done),
        Moment::Storage(at, done) => {
            let fault = if done { Fault::LoseAnswer } else { Fault::Hang };
            house.s3.inject(Rule::new(fault).presigned(true).skip(at).times(1));
        }
    }
    let (app, ctx, digest, source) =
        (remote(&client, repository), Context::background("test"), blob.digest(), blob.source());
    let is_stuck = async {
        loop {
            tokio::select! {
                () = house.gate.stopped.notified() => return,
                () = pausing.notified() => return,
                () = tokio::task::yield_now() => {}
            }
            let hangs = |request: &berth_local::Recorded| request.fault.as_deref() == Some("hang");
            if house.s3.requests().iter().any(hangs) {
                return;
            }
        }
    };
    tokio::select! {
        pushed = app.push_blob(&ctx, &digest, &source, None) => { pushed.unwrap(); false }
        () = is_stuck => true,
    }
}

/// Bytes of the blob that are there, in its place or in parts.
fn arrived(house: &House, blob: &Watched) -> u64 {
    if house.has_blob(&blob.digest()) {
        return blob.content.len() as u64;
    }
    let requests = house.s3.requests().into_iter().filter(|request| request.operation == "UploadPart");
    let is_stored = |fault: &Option<String>| fault.as_deref() != Some("hang");
    requests.filter(|request| is_stored(&request.fault)).map(|request| request.request_bytes).sum()
}

/// Kills a push at each of its moments, and runs it again. The number of moments.
async fn at_each_moment(name: Option<&str>, keeps: bool, direct: DirectOptions, size: usize) -> usize {
    let mut moments = 0;
    for is_storage in [false, true] {
        for done in [false, true] {
            for at in 0.. {
                let moment = if is_storage { Moment::Storage(at as u32, done) } else { Moment::Registry(at, done) };
                let (house, temp) = (House::with(direct.clone()).await, tempfile::tempdir().unwrap());
                let folder = keeps.then(|| temp.path());
                let blob = Watched::new(content(moments as u32, size));
                if !run_until(&house, name, folder, &blob, moment).await {
                    assert!(moment.number() > 0, "{moment:?}");
                    break;
                }
                moments += 1;
                house.gate.take();
                house.s3.clear_faults();
                let arrived = arrived(&house, &blob);
                let before = blob.read();
                let client = house.client(name, |options| options.kept = folder.and_then(kept));
                let app = remote(&client, name.map_or("open/app", |_| "a/app"));
                let pushed = app.push_blob(&Context::background("test"), &blob.digest(), &blob.source(), None).await;
                let (pushed, sent) = (pushed.unwrap(), blob.read() - before);
                assert_eq!(sent, size as u64 - arrived, "{moment:?}: {pushed:?}");
                assert!(house.has_blob(&blob.digest()));
                let again = app.push_blob(&Context::background("test"), &blob.digest(), &blob.source(), None).await;
                assert_eq!(again.unwrap(), Pushed::Present, "{moment:?}");
                if let Some(folder) = folder {
                    let left = std::fs::read_dir(folder.join("uploads")).map_or(0, Iterator::count);
                    assert_eq!(left, 0, "{moment:?}: what is over is not kept");
                }
            }
        }
    }
    moments
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_push_of_somebody_known_goes_on() {
    let moments = at_each_moment(Some("alice"), false, DirectOptions::default(), 2_000_000).await;
    println!("killed at each of {moments} moments, and nothing that had arrived was sent again");
    assert!(moments >= 8, "{moments}");
}

/// Whom the registry cannot tell from others has to say where the upload was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_push_of_a_stranger_goes_on_where_that_is_noted() {
    let moments = at_each_moment(None, true, DirectOptions::default(), 2_000_000).await;
    assert!(moments >= 6, "{moments}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_push_in_parts_goes_on_with_the_next_part() {
    // Each close does as much as it ever does, for there are enough moments without.
    let direct = DirectOptions { slice: DirectOptions::default().slice, ..in_parts() };
    let moments = at_each_moment(Some("alice"), true, direct, SIZE).await;
    println!("killed at each of {moments} moments of a push in parts, and no part that had arrived was sent again");
    assert!(moments >= 14, "{moments}");
}
