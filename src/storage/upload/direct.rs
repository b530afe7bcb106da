//! Content that its sender hands to the backend itself (`docs/direct-upload.md`).
//!
//! Knowing a digest must never give access to content. So a session is over one of three places: the blob's own, where
//! what lies there says who sent it; a stage of the session's own, when there is such a blob already that the sender may
//! not read; or parts of such a stage, for what is too large for one request, and is hashed here before it counts.

mod close;
mod joined;
mod open;
mod target;

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

pub(super) use close::present;
pub(super) use joined::{Hashed, copy_on, hash_on};
pub(in crate::storage) use open::{DirectWay, Opened};

use super::session::Session;
use crate::{
    context::Context,
    digest::{Digest, HashState},
    distribution::{BackendError, PartPlan},
    driver::Path,
    storage::{path, path_spec::PathSpec},
};

/// How blobs are taken that clients hand to the driver themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectOptions {
    /// What goes into one request, in bytes; what is larger comes in parts. S3 allows 5 GB ("Amazon S3 multipart upload
    /// limits").
    pub largest_put: u64,
    /// The least size of a part, in bytes. S3 allows 5 MiB to 5 GiB.
    pub part: u64,
    /// How long a signed request is good for.
    pub life: Duration,
    /// How long one request goes on hashing and copying what came in parts, before it leaves the rest to another. What
    /// was begun must still end: an HTTP API of AWS gives each request 30 seconds.
    pub slice: Duration,
    /// The same of the commit of what CloudFront stored. It waits 120 s for an origin, as the template sets it, and what was
    /// begun must still end. The client follows ten redirects in all, so that few long requests get further than many short
    /// ones.
    pub edge_slice: Duration,
}

impl Default for DirectOptions {
    fn default() -> Self {
        Self {
            largest_put: 5_000_000_000,
            part: 64 << 20,
            life: Duration::from_secs(15 * 60),
            slice: Duration::from_secs(10),
            edge_slice: Duration::from_secs(60),
        }
    }
}

/// The largest blob, in bytes: what S3 long took for one object. Today it takes ten times as much.
const LARGEST: u64 = 5 << 40;

/// The most parts of one upload ("Amazon S3 multipart upload limits").
const MOST_PARTS: u64 = 10_000;

impl DirectOptions {
    /// The size of the parts of content of `size` bytes: whole MiB, and so that they are not too many.
    fn part_of(&self, size: u64) -> u64 {
        const MIB: u64 = 1 << 20;
        self.part.max(size.div_ceil(MOST_PARTS).next_multiple_of(MIB))
    }

    /// When a request that begins now should leave the rest to another.
    pub(super) fn until(&self, ctx: &Context) -> Instant {
        within(ctx, self.slice)
    }

    /// The same of the commit of what the edge stored.
    pub(super) fn edge_until(&self, ctx: &Context) -> Instant {
        within(ctx, self.edge_slice)
    }
}

fn within(ctx: &Context, slice: Duration) -> Instant {
    // What is begun must still end: a part copied, an answer sent.
    let left = ctx.remaining().unwrap_or(Some(Duration::ZERO)).map(|left| left / 2);
    Instant::now() + left.map_or(slice, |left| left.min(slice))
}

/// Content that a session was told of, and where it is to come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Direct {
    /// Its canonical digest.
    digest: Digest,
    /// Its size in bytes.
    size: u64,
    place: Place,
}

/// Where content is to come, and how far it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Place {
    /// To the blob's own place, marked with who sends it.
    Blob { uploader: String },
    /// To the session's stage, marked alike.
    Stage { uploader: String },
    /// To the session's stage in parts of that size, by the driver's upload of that id.
    Parts { upload: String, part: u64 },
    /// All of it is on the stage, and so many bytes of it have that hash.
    Joined { verified: u64, hash: HashState },
    /// What is on the stage has the digest. The driver's upload of that id copies it to the blob's own place.
    Verified { upload: Option<String>, copied: u64 },
}

impl Session {
    /// Where the session's stage is.
    fn stage(&self) -> Result<Path, BackendError> {
        path(PathSpec::UploadStage(&self.sessions.repository, &self.id)).map_err(BackendError::from)
    }
}

/// Where the blob of `digest` is.
pub(super) fn blob(digest: &Digest) -> Result<Path, BackendError> {
    path(PathSpec::Blob(digest)).map_err(BackendError::from)
}

/// How content of `size` bytes comes in parts of `part` bytes.
fn plan(size: u64, part: u64) -> PartPlan {
    PartPlan { part, size }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::context::Caller;

    #[test]
    fn a_request_leaves_time_for_its_end() {
        let options = DirectOptions::default();
        let within = |time: Option<u64>| {
            let deadline = time.map(|seconds| Instant::now() + Duration::from_secs(seconds));
            let ctx = Context::new("test".to_owned(), Caller::Registry, deadline, tracing::Span::none());
            options.until(&ctx).saturating_duration_since(Instant::now())
        };
        for (time, most) in [(None, 10), (Some(120), 10), (Some(30), 10), (Some(4), 2), (Some(0), 0)] {
            let taken = within(time);
            let most = Duration::from_secs(most);
            assert!(taken <= most && taken + Duration::from_millis(500) >= most, "{time:?}: {taken:?}");
        }
    }

    proptest! {
        #[test]
        fn parts_are_few_and_hold_every_byte(size in 5_000_000_001..=LARGEST) {
            let options = DirectOptions::default();
            let plan = plan(size, options.part_of(size));
            prop_assert!(u64::from(plan.count()) <= MOST_PARTS);
            prop_assert!((64 << 20..=5 << 30).contains(&plan.part) && plan.part.is_multiple_of(1 << 20));
            let sizes = (1..=plan.count()).map(|number| plan.size_of(number).unwrap());
            prop_assert_eq!(sizes.sum::<u64>(), size);
            prop_assert_eq!(plan.size_of(0).or(plan.size_of(plan.count() + 1)), None);
        }
    }
}
