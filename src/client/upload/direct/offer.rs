//! What a registry offers to whoever announces a blob.

use http::HeaderName;

use super::{super::Session, Announcement, signed::checked};
use crate::{
    api::{BERTH_DIRECT_UPLOAD, DirectAnswer},
    client::transport::{Answer, Failure},
    distribution::{PartPlan, Target},
};

/// The longest offer that is read, in bytes: a few times what a signature with a session's token takes.
const LONGEST: usize = 64 << 10;
/// Parts of one blob ("Amazon S3 multipart upload limits").
const MOST_PARTS: u64 = 10_000;

impl Session {
    /// Takes up what `answer` to an announcement offers. Where that is nothing, or something that this client does not
    /// know, the session is as good as one that nothing was announced to.
    pub(in crate::client::upload) async fn take_offer(&mut self, answer: Answer) -> Result<(), Failure> {
        let Some(announced) = self.announced.take() else { return Ok(()) };
        let kind = match answer.header(HeaderName::from_static(BERTH_DIRECT_UPLOAD)) {
            Some(kind @ ("put" | "parts")) => kind.to_owned(),
            _ => return Ok(()),
        };
        let (host, from) = (answer.host(), answer.url.clone());
        let body = answer.read(LONGEST).await?;
        let offer: DirectAnswer = serde_json::from_slice(&body)
            .map_err(|_| Failure::wrong(&host, "offers a direct upload, and does not say how"))?;
        if offer.kind() != kind {
            let what = format!("offers a direct upload of kind {kind:?}, and describes {:?}", offer.kind());
            return Err(Failure::wrong(&host, what));
        }
        let (said, target) = match offer {
            DirectAnswer::Put { digest, size, put } => {
                (Announcement { digest, size }, Target::Put(checked(&host, &from, put, size)?))
            }
            DirectAnswer::Parts { digest, size, part_size: part, parts } => {
                let plan = PartPlan { part, size };
                check(&host, plan)?;
                if plan.count() != parts {
                    let what = format!("divides {size} bytes into {parts} parts of {part}, which is another number");
                    return Err(Failure::wrong(&host, what));
                }
                (Announcement { digest, size }, Target::Parts(plan))
            }
            DirectAnswer::Commit { .. } => return Ok(()),
        };
        if said != announced {
            let what = format!("was told of a blob {announced}, and offers a direct upload of another, {said}");
            return Err(Failure::wrong(&host, what));
        }
        let _ = self.remote.shared.is_direct.set(true);
        (self.announced, self.target) = (Some(announced), Some(target));
        Ok(())
    }
}

/// Whether content can be divided so.
pub(super) fn check(host: &str, plan: PartPlan) -> Result<(), Failure> {
    let PartPlan { part, size } = plan;
    if part == 0 || size == 0 || size.div_ceil(part) > MOST_PARTS {
        let what = format!("divides {size} bytes into parts of {part}; allowed: {MOST_PARTS} parts at most");
        return Err(Failure::wrong(host, what));
    }
    Ok(())
}
