//! Moving what a plan has.

use std::{collections::HashSet, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{
    Destination, Kind, Origin, Outcome, Plan, Planned, Progress, Report, Settled, TransferError, counted::Counted,
};
use crate::{
    client::Source,
    digest::Digest,
    manifest::{ContentReference, ReferenceKind},
};

/// How a transfer goes.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Blobs that move at once.
    pub jobs: usize,
    /// Whether blobs are looked for also where the destination says that it has all of an image.
    pub recheck: bool,
}

/// Moves to `destination` what it lacks of `plan`, a plan of `origin`.
///
/// # Errors
/// The first that occurs ends it. What was moved so far is there, unnamed, and is not moved again by the next run.
pub async fn run(
    origin: &dyn Origin,
    destination: &dyn Destination,
    plan: &Plan,
    options: Options,
    progress: &Arc<dyn Progress>,
) -> Result<Report, TransferError> {
    let jobs = options.jobs.max(1);
    destination.prepare(plan).await?;
    let mut report = Report::default();
    let mut settle = |settled: Settled| {
        progress.settled(&settled);
        report.settled.push(settled);
    };

    let vouched = if options.recheck { HashSet::new() } else { vouched(destination, plan, jobs).await? };
    let vouched = &vouched;
    let (wanted, resting) = blobs(plan, vouched);
    for (blob, outcome) in resting {
        settle(Settled { kind: Kind::Blob, digest: blob.digest, size: blob.size, outcome });
    }
    progress.planned(&wanted);
    let mut moving = stream::iter(&wanted)
        .map(|blob| async move { Ok((blob, moved(origin, destination, plan, blob, progress).await?)) })
        .buffer_unordered(jobs);
    while let Some((blob, outcome)) = moving.try_next().await? {
        settle(Settled { kind: Kind::Blob, digest: blob.digest, size: blob.size, outcome });
    }
    drop(moving);

    // What refers to the root comes after it, and before anybody sees either by name.
    let root = [vec![plan.root.clone()]];
    let root = if plan.attached.is_empty() { &root[..0] } else { &root[..] };
    for wave in plan.waves.iter().chain(root).chain(&plan.attached) {
        let mut taken = stream::iter(wave)
            .map(|planned| async move {
                let outcome = match vouched.contains(&planned.digest) {
                    true => Outcome::Present,
                    false => destination.take_manifest(planned).await?,
                };
                Ok((planned, outcome))
            })
            .buffered(jobs);
        while let Some((planned, outcome)) = taken.try_next().await? {
            if planned.digest != plan.root.digest {
                settle(manifest(planned, outcome));
            }
        }
    }
    let outcome = destination.finish(plan).await?;
    settle(manifest(&plan.root, outcome));
    Ok(report)
}

fn manifest(planned: &Planned, outcome: Outcome) -> Settled {
    let Planned { digest, manifest } = planned;
    Settled { kind: Kind::Manifest, digest: *digest, size: manifest.bytes().len() as u64, outcome }
}

/// The images of `plan` that are there already with all that they name.
///
/// An index says nothing of the images that it lists: it may have been put without some of them.
async fn vouched(destination: &dyn Destination, plan: &Plan, jobs: usize) -> Result<HashSet<Digest>, TransferError> {
    let images = plan.manifests().filter(|planned| !planned.manifest.media_type().is_index());
    let answers = stream::iter(images)
        .map(|planned| async { Ok((planned.digest, destination.vouches_for(&planned.digest).await?)) })
        .buffered(jobs);
    answers.try_filter_map(|(digest, is_there)| async move { Ok(is_there.then_some(digest)) }).try_collect().await
}

/// The blobs of `plan` to be looked at, and what is known of the others.
fn blobs(plan: &Plan, vouched: &HashSet<Digest>) -> (Vec<ContentReference>, Vec<(ContentReference, Outcome)>) {
    let (mut wanted, mut resting) = (Vec::new(), Vec::new());
    let mut seen = HashSet::new();
    // Those first that have to be looked at: a blob may be named by several images, and foreign in one of them alone.
    for is_vouched in [false, true] {
        for kind in [ReferenceKind::Blob, ReferenceKind::ForeignBlob] {
            let images = plan.manifests().filter(|planned| vouched.contains(&planned.digest) == is_vouched);
            let named = images.flat_map(|planned| planned.manifest.references());
            for blob in named.filter(|reference| reference.kind == kind) {
                if !seen.insert(blob.digest) {
                    continue;
                }
                match (kind, is_vouched) {
                    (ReferenceKind::ForeignBlob, _) => resting.push((blob.clone(), Outcome::LeftOut)),
                    (_, true) => resting.push((blob.clone(), Outcome::Present)),
                    (_, false) => wanted.push(blob.clone()),
                }
            }
        }
    }
    (wanted, resting)
}

async fn moved(
    origin: &dyn Origin,
    destination: &dyn Destination,
    plan: &Plan,
    blob: &ContentReference,
    progress: &Arc<dyn Progress>,
) -> Result<Outcome, TransferError> {
    progress.began(blob);
    let names_it = |planned: &&Planned| planned.manifest.references().iter().any(|named| named.digest == blob.digest);
    let source = origin.blob(blob).await.map_err(|error| match plan.manifests().find(names_it) {
        Some(by) => error.named(by.digest),
        None => error,
    })?;
    let counted: Arc<dyn Source> = Arc::new(Counted { source, digest: blob.digest, progress: progress.clone() });
    destination.take_blob(blob, counted, origin).await
}

/// The content of `blob`, which is small, checked.
pub(super) async fn small(origin: &dyn Origin, blob: &ContentReference) -> Result<Bytes, TransferError> {
    let local = |cause| TransferError::local(origin.place(), cause);
    let source = origin.blob(blob).await?;
    let mut stream = source.open(0, blob.size).await.map_err(local)?;
    let mut content = BytesMut::new();
    while let Some(chunk) = stream.try_next().await.map_err(local)? {
        content.extend_from_slice(&chunk);
    }
    let actual = Digest::of(blob.digest.algorithm(), &content);
    if actual != blob.digest {
        let (place, what) = (origin.place().to_owned(), format!("it is {actual}"));
        return Err(TransferError::Corrupt { place, digest: blob.digest, what });
    }
    Ok(content.freeze())
}
