//! What a transfer is made of: every manifest below a root, in the order in which they can be put.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::{Origin, TransferError};
use crate::{
    digest::Digest,
    manifest::{ContentReference, Manifest, ReferenceKind},
};

/// Bytes of all manifests of one transfer: they are held in memory.
const MOST_BYTES: usize = 32 << 20;
/// Manifests of one transfer.
const MOST_MANIFESTS: usize = 10_000;
/// How deep indexes may lie in one another.
const DEEPEST: usize = 8;
/// How far referrers of referrers are followed.
const FARTHEST: usize = 4;

/// A manifest that is to be moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// As it is called.
    pub digest: Digest,
    /// Its content.
    pub manifest: Manifest,
}

/// What is to be moved, held in memory but for the blobs.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What all of it is for; named last.
    pub(super) root: Planned,
    /// What it names, and what that names: in each wave only what earlier waves have is named.
    pub(super) waves: Vec<Vec<Planned>>,
    /// Referrers of any of it, and what they name, in waves too. They come after the root.
    pub(super) attached: Vec<Vec<Planned>>,
}

/// Manifests that were found so far.
struct Walk<'a> {
    origin: &'a dyn Origin,
    jobs: usize,
    seen: HashSet<Digest>,
    bytes: usize,
}

impl Plan {
    /// What belongs to `root` in `origin`, with everything that refers to any of it if `referrers`; `jobs` manifests are
    /// asked for at once.
    ///
    /// # Errors
    /// Those of `origin`; [`TransferError::Malformed`] when there is more than an image can have.
    pub async fn of(origin: &dyn Origin, root: Planned, referrers: bool, jobs: usize) -> Result<Self, TransferError> {
        let mut walk = Walk { origin, jobs, seen: HashSet::new(), bytes: 0 };
        let below = walk.below(vec![root.clone()]).await?;
        let mut waves = waves(below);
        // The root names all others, so it is alone in the last wave.
        waves.pop();
        let mut attached = Vec::new();
        if referrers {
            let mut subjects: Vec<Digest> = waves.iter().flatten().map(|planned| planned.digest).collect();
            subjects.push(root.digest);
            for _ in 0..FARTHEST {
                let found = walk.referring(&subjects).await?;
                subjects = found.iter().map(|planned| planned.digest).collect();
                attached.extend(self::waves(walk.below(found).await?));
                if subjects.is_empty() {
                    break;
                }
            }
        }
        Ok(Self { root, waves, attached })
    }

    /// What all of it is for.
    pub fn root(&self) -> &Planned {
        &self.root
    }

    /// Every manifest, the root too, in the order in which they can be put.
    pub fn manifests(&self) -> impl Iterator<Item = &Planned> {
        self.waves.iter().flatten().chain([&self.root]).chain(self.attached.iter().flatten())
    }

    /// Bytes of everything that is named, each thing once, and of the manifests themselves.
    pub fn total(&self) -> u64 {
        let mut seen = HashSet::new();
        let mut sum: u64 = 0;
        for Planned { digest, manifest } in self.manifests() {
            let own = [(*digest, manifest.bytes().len() as u64)];
            let named = manifest.references().iter().map(|reference| (reference.digest, reference.size));
            for (_, size) in named.chain(own).filter(|(digest, _)| seen.insert(*digest)) {
                sum = sum.saturating_add(size);
            }
        }
        sum
    }

    /// The images among the manifests, without what refers to them.
    pub fn images(&self) -> impl Iterator<Item = &Planned> {
        let all = self.waves.iter().flatten().chain([&self.root]);
        all.filter(|planned| !planned.manifest.media_type().is_index())
    }

    /// Those that refer to something rather than being named by it.
    pub fn referrers(&self) -> impl Iterator<Item = &Planned> {
        self.attached.iter().flatten().filter(|planned| planned.manifest.subject().is_some())
    }
}

impl Walk<'_> {
    /// `roots`, and every manifest below them that was not seen before.
    async fn below(&mut self, roots: Vec<Planned>) -> Result<Vec<Planned>, TransferError> {
        let mut found = Vec::new();
        let mut level = roots;
        for planned in &level {
            self.seen.insert(planned.digest);
            self.count(planned)?;
        }
        let mut depth = 0;
        while !level.is_empty() {
            depth += 1;
            if depth > DEEPEST {
                return Err(self.too_much(format!("has indexes more than {DEEPEST} deep in one another")));
            }
            let mut wanted: Vec<(ContentReference, Digest)> = Vec::new();
            for parent in &level {
                for reference in parent.manifest.references() {
                    if reference.kind == ReferenceKind::Manifest && self.seen.insert(reference.digest) {
                        wanted.push((reference.clone(), parent.digest));
                    }
                }
            }
            found.append(&mut level);
            level = self.fetch(wanted).await?;
        }
        Ok(found)
    }

    async fn fetch(&mut self, wanted: Vec<(ContentReference, Digest)>) -> Result<Vec<Planned>, TransferError> {
        if self.seen.len() > MOST_MANIFESTS {
            return Err(self.too_much(format!("has more than {MOST_MANIFESTS} manifests")));
        }
        let origin = self.origin;
        let mut coming = stream::iter(wanted)
            .map(|(reference, by)| async move {
                let manifest = origin.manifest(&reference.digest).await.map_err(|error| error.named(by))?;
                let size = manifest.bytes().len() as u64;
                if size != reference.size {
                    let what = format!("it has {size} bytes, and {by} says {}", reference.size);
                    let place = origin.place().to_owned();
                    return Err(TransferError::Corrupt { place, digest: reference.digest, what });
                }
                Ok(Planned { digest: reference.digest, manifest })
            })
            .buffered(self.jobs.max(1));
        let mut found = Vec::new();
        while let Some(planned) = coming.try_next().await? {
            self.count(&planned)?;
            found.push(planned);
        }
        Ok(found)
    }

    /// What refers to any of `subjects` and was not seen before.
    async fn referring(&mut self, subjects: &[Digest]) -> Result<Vec<Planned>, TransferError> {
        let mut found = Vec::new();
        for subject in subjects {
            for digest in self.origin.referrers(subject).await? {
                if self.seen.insert(digest) {
                    let manifest = self.origin.manifest(&digest).await?;
                    found.push(Planned { digest, manifest });
                }
            }
        }
        Ok(found)
    }

    fn count(&mut self, planned: &Planned) -> Result<(), TransferError> {
        self.bytes += planned.manifest.bytes().len();
        if self.bytes > MOST_BYTES {
            return Err(self.too_much(format!("has more than {} MiB of manifests", MOST_BYTES >> 20)));
        }
        Ok(())
    }

    fn too_much(&self, what: String) -> TransferError {
        TransferError::malformed(self.origin.place(), format!("{what}: that is no image"))
    }
}

/// `found` in waves: each manifest in a later one than all that it names.
fn waves(found: Vec<Planned>) -> Vec<Vec<Planned>> {
    let mut heights: HashMap<Digest, usize> = HashMap::new();
    // Those found last name none but such as were found before and lie no deeper; a few rounds settle all.
    loop {
        let mut changed = false;
        for planned in found.iter().rev() {
            let named = planned.manifest.references().iter().filter_map(|reference| heights.get(&reference.digest));
            let height = named.max().map_or(0, |height| height + 1);
            if heights.insert(planned.digest, height) != Some(height) {
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    let mut waves: Vec<Vec<Planned>> = Vec::new();
    for planned in found {
        let height = heights.get(&planned.digest).copied().unwrap_or_default();
        if waves.len() <= height {
            waves.resize_with(height + 1, Vec::new);
        }
        waves[height].push(planned);
    }
    waves
}
