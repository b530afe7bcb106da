//! Closing a session whose content is at its target.

use http::{HeaderName, Method};
use serde::Deserialize as _;
use serde_json::Value;

use super::super::{Session, fault::Setback, kept::Kept, place::Place, push::Parcel};
use crate::{
    api::{BERTH_DIRECT_UPLOAD, DirectAnswer, DirectProblem},
    client::{
        door::Scopes,
        transport::{Failure, Request},
    },
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{DirectCommit, DirectFault, UploadError},
};

/// The longest answer that is read, in bytes.
const LONGEST: usize = 64 << 10;
/// Answers without progress after which a registry is not asked to go on any more.
const STANDSTILLS: u32 = 20;
/// Missing parts of one answer that are looked at.
const MISSING: usize = 100;

impl Session {
    /// Closes the session, as often as the registry wants.
    pub(super) async fn close_direct(
        &mut self,
        ctx: &Context,
        parcel: Parcel<'_>,
        kept: Option<&Kept>,
    ) -> Result<(), Setback> {
        let (mut retry, mut standstills, mut reached) = (0, 0, 0);
        loop {
            match self.close_once(ctx, parcel.digest).await {
                Ok(DirectCommit::Done(_)) => return Ok(()),
                Ok(DirectCommit::GoesOn { size, verified, copied, .. }) => {
                    parcel.watch.settling(verified.min(size), copied.min(size), size);
                    if let Some(kept) = kept {
                        kept.write(self.url.as_str()).await;
                    }
                    let now = verified.saturating_add(copied);
                    (standstills, retry) = if now > reached { (0, 0) } else { (standstills + 1, retry) };
                    reached = reached.max(now);
                    if standstills > STANDSTILLS {
                        let what =
                            format!("wants an upload closed again and again, and stays at {reached} bytes of it");
                        return Err(self.fault().of(Failure::wrong(self.remote.host(), what)));
                    }
                    if standstills > 0 {
                        self.remote.shared.transport.retry().pause(ctx, standstills, None).await;
                    }
                }
                // Closing again is harmless, also where the first was done.
                Err(Setback::Passing(_)) if retry < self.remote.shared.transport.retry().retries => {
                    retry += 1;
                    self.remote.shared.transport.retry().pause(ctx, retry, None).await;
                }
                Err(setback) => return Err(setback),
            }
        }
    }

    /// Asks once.
    pub(in crate::client::upload) async fn close_once(
        &mut self,
        ctx: &Context,
        digest: &Digest,
    ) -> Result<DirectCommit, Setback> {
        let url = self.url_with("digest", &digest.to_string());
        let request = Request::new(Method::PUT, url, Scopes::push(&self.remote.name)).once();
        let answer = self.remote.send(ctx, &request).await.map_err(|failure| self.fault().of(failure))?;
        match answer.status.as_u16() {
            201 | 204 => {
                self.is_stored(&answer, digest)?;
                let size = self.announced.map(|announced| announced.size).unwrap_or_default();
                Ok(DirectCommit::Done(Descriptor::blob(*digest, size)))
            }
            202 if answer.headers.contains_key(HeaderName::from_static(BERTH_DIRECT_UPLOAD)) => {
                let place = Place::of(&answer, Some(&self.url)).map_err(|failure| self.fault().of(failure))?;
                let host = answer.host();
                let body = answer.read(LONGEST).await.map_err(|failure| self.fault().of(failure))?;
                let Ok(DirectAnswer::Commit { size, verified, copied }) = serde_json::from_slice(&body) else {
                    let what = "wants an upload closed again, and does not say how far it is";
                    return Err(self.fault().of(Failure::wrong(&host, what)));
                };
                self.url = place.url;
                Ok(DirectCommit::GoesOn { upload: Session::upload(self), size, verified, copied })
            }
            500 => {
                let failure = answer.into_failure("the close of an upload").await;
                Err(Setback::Passing(self.fault().of(failure).into()))
            }
            _ => {
                let failure = answer.into_failure("the close of an upload").await;
                Err(match direct_fault(&failure) {
                    Some(fault) => Setback::Final(UploadError::Direct(fault)),
                    None => self.fault().closed(failure, digest),
                })
            }
        }
    }
}

/// What `failure` says of a direct upload, if it does.
pub(super) fn direct_fault(failure: &Failure) -> Option<DirectFault> {
    let (_, said) = failure.answer()?;
    let detail = said.entries().iter().map(|entry| &entry.detail).find(|detail| detail.get("direct").is_some())?;
    Some(match DirectProblem::deserialize(detail.get("direct")?).ok()? {
        DirectProblem::Missing => DirectFault::Missing,
        DirectProblem::Superseded => DirectFault::Superseded,
        DirectProblem::None => DirectFault::NoParts,
        DirectProblem::Complete => DirectFault::PartsComplete,
        DirectProblem::Parts => {
            let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
            let missing = detail.get("missing").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            let missing: Vec<u32> = missing.iter().filter_map(number).take(MISSING).collect();
            let counted = u32::try_from(missing.len()).unwrap_or(u32::MAX);
            let count = detail.get("count").and_then(number).unwrap_or(counted);
            DirectFault::PartsMissing { missing, count }
        }
    })
}
