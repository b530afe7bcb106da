//! Content in parts: what is there is not sent again, and the rest several at a time.

use std::{
    collections::BTreeSet,
    ops::RangeInclusive,
    time::{Duration, Instant},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use http::Method;

use super::{
    super::{Session, push::Parcel},
    close::direct_fault,
    offer::check,
    put::{Piece, Sent},
    signed::checked,
};
use crate::{
    api::{PARTS, PartEntry, PartsAnswer},
    client::{
        door::Scopes,
        transport::{Failure, Request},
    },
    context::Context,
    distribution::{DirectFault, PartPlan, PartStanding, PartState, PartsPage, SignedPut, UploadError},
};

/// Parts that are asked for at once: so many that they are rarely asked for, and so few that their URLs, which live for
/// 15 minutes, are used while they are good.
const PAGE: u32 = 100;
/// The longest page that is read, in bytes: some KiB for each part.
const LONGEST: usize = 4 << 20;
/// How old URLs are that are not used any more.
const STALE: Duration = Duration::from_secs(10 * 60);

impl Session {
    /// Where the parts `numbers` stand; all of them are of `plan`, where that is known.
    pub(in crate::client::upload) async fn ask_parts(
        &self,
        ctx: &Context,
        numbers: RangeInclusive<u32>,
        plan: Option<PartPlan>,
    ) -> Result<PartsPage, UploadError> {
        let (first, last) = (*numbers.start(), *numbers.end());
        let url = self.url_with(PARTS, &format!("{first}-{last}"));
        let request = Request::new(Method::GET, url, Scopes::push(&self.remote.name));
        let answer = self.remote.expect(ctx, &request, &[200], "GET of the parts of an upload").await;
        let answer = answer.map_err(|failure| match direct_fault(&failure) {
            Some(fault) => fault.into(),
            None => UploadError::from(self.fault().of(failure)),
        })?;
        let page = self.page(answer, numbers, plan).await;
        page.map_err(|failure| self.fault().of(failure).into())
    }

    async fn page(
        &self,
        answer: crate::client::transport::Answer,
        numbers: RangeInclusive<u32>,
        known: Option<PartPlan>,
    ) -> Result<PartsPage, Failure> {
        let (host, from) = (answer.host(), answer.url.clone());
        let body = answer.read(LONGEST).await?;
        let wrong = |what: &str| Failure::wrong(&host, format!("was asked for parts of an upload, and {what}"));
        let PartsAnswer { part_size: part, parts } =
            serde_json::from_slice(&body).map_err(|_| wrong("answers with something else"))?;
        let size = self.announced.map(|announced| announced.size).unwrap_or_default();
        let plan = PartPlan { part, size };
        check(&host, plan)?;
        if known.is_some_and(|known| known != plan) {
            return Err(wrong("divides it otherwise than before"));
        }
        // Those asked for from the first on, without gaps; an answer may end early.
        let mut expected = numbers;
        let mut states = Vec::new();
        for PartEntry { number, size, etag, put } in parts {
            if expected.next() != Some(number) || plan.size_of(number) != Some(size) {
                return Err(wrong("answers with others"));
            }
            let standing = match (etag, put) {
                (Some(etag), None) => PartStanding::Stored(etag),
                (None, Some(put)) => PartStanding::Wanted(checked(&host, &from, put, size)?),
                _ => return Err(wrong("does not say whether one is there")),
            };
            states.push(PartState { number, size, standing });
        }
        Ok(PartsPage { plan, parts: states })
    }

    /// Sends what is not there.
    pub(super) async fn send_parts(
        &self,
        ctx: &Context,
        parcel: Parcel<'_>,
        mut plan: Option<PartPlan>,
    ) -> Result<Sent, UploadError> {
        let retries = self.remote.shared.transport.retry();
        let (mut first, mut settled, mut idle) = (1, BTreeSet::new(), 0);
        loop {
            let page = match self.ask_parts(ctx, first..=first.saturating_add(PAGE - 1), plan).await {
                Ok(page) => page,
                Err(UploadError::Direct(DirectFault::PartsComplete)) => return Ok(Sent::Stored),
                Err(error @ UploadError::Unknown(_)) => return Ok(Sent::Anew(error)),
                Err(error) => return Err(error),
            };
            plan = Some(page.plan);
            let before = settled.len();
            let (next, stale) = self.send_page(ctx, parcel, page, &mut settled).await?;
            match stale {
                None if next > plan.map_or(0, PartPlan::count) => return Ok(Sent::Stored),
                None => (first, idle) = (next, 0),
                Some((number, error)) => {
                    first = number;
                    idle = if settled.len() > before { 0 } else { idle + 1 };
                    // Another session would begin with nothing; a later run goes on with this one.
                    if idle > retries.retries {
                        return Err(error);
                    }
                    if idle > 0 {
                        retries.pause(ctx, idle, None).await;
                    }
                }
            }
            if next == first && idle == 0 && settled.len() == before {
                let failure = Failure::wrong(self.remote.host(), "was asked for parts of an upload, and names none");
                return Err(self.fault().of(failure).into());
            }
        }
    }

    /// Sends what is not there of `page`. The number of the part after it, and the first whose URL was of no use.
    async fn send_page(
        &self,
        ctx: &Context,
        parcel: Parcel<'_>,
        page: PartsPage,
        settled: &mut BTreeSet<u32>,
    ) -> Result<(u32, Option<(u32, UploadError)>), UploadError> {
        let (plan, since) = (page.plan, Instant::now());
        let next = page.parts.last().map_or(0, |part| part.number) + 1;
        let mut wanted: Vec<(u32, u64, SignedPut)> = Vec::new();
        for PartState { number, size, standing } in page.parts {
            match standing {
                PartStanding::Stored(_) if settled.insert(number) => parcel.watch.spared(size),
                PartStanding::Stored(_) => {}
                PartStanding::Wanted(put) => wanted.push((number, size, put)),
            }
        }
        let Parcel { digest, source, .. } = parcel;
        let sendings = stream::iter(wanted).map(|(number, length, put)| async move {
            if since.elapsed() > STALE {
                return Ok((number, Sent::Anew(UploadError::Interrupted("the URLs of parts are too old".to_owned()))));
            }
            let offset = u64::from(number - 1) * plan.part;
            let sent = self.send_piece(ctx, &put, Piece { source, digest, offset, length }).await?;
            Ok::<_, UploadError>((number, sent))
        });
        let mut sendings = sendings.buffer_unordered(self.remote.shared.parts_at_once);
        let mut stale: Option<(u32, UploadError)> = None;
        while let Some((number, sent)) = sendings.try_next().await? {
            match sent {
                Sent::Stored => drop(settled.insert(number)),
                Sent::Anew(error) if stale.as_ref().is_none_or(|(lower, _)| number < *lower) => {
                    stale = Some((number, error));
                }
                Sent::Anew(_) => {}
            }
        }
        Ok((next, stale))
    }
}
