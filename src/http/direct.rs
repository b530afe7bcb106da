//! Direct uploads (`docs/direct-upload.md`): what `uploads` answers beyond the OCI distribution specification.

use std::{ops::RangeInclusive, time::SystemTime};

use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{answer::Answer, call::Call, fault::Fault};
use crate::{
    api::{
        BERTH_BLOB_DIGEST, BERTH_BLOB_SIZE, BERTH_DIRECT_UPLOAD, DirectAnswer, DirectProblem, ErrorCode, PARTS,
        PartEntry, PartsAnswer, SignedRequest,
    },
    digest::Digest,
    distribution::{Announced, DirectFault, PartStanding, PartState, PartsPage, SignedPut, Target},
};

/// What the client announces: nothing, or a digest and a size.
pub(super) fn announced(call: &Call, reads_all: bool) -> Result<Option<Announced>, Fault> {
    let given = |name| call.parts.headers.get(HeaderName::from_static(name));
    let (digest, size) = match (given(BERTH_BLOB_DIGEST), given(BERTH_BLOB_SIZE)) {
        (None, None) => return Ok(None),
        (Some(digest), Some(size)) => (digest, size),
        (Some(_), None) => return Err(half(ErrorCode::SizeInvalid, BERTH_BLOB_SIZE)),
        (None, Some(_)) => return Err(half(ErrorCode::DigestInvalid, BERTH_BLOB_DIGEST)),
    };
    let digest: Digest = digest.to_str().unwrap_or_default().parse()?;
    let digits = size.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let Some(size) = digits.and_then(|digits| digits.parse().ok()) else {
        return Err(Fault::bad(ErrorCode::SizeInvalid, format!("{BERTH_BLOB_SIZE} is a number of bytes")));
    };
    Ok(Some(Announced { digest, size, reads_all }))
}

fn half(code: ErrorCode, missing: &str) -> Fault {
    Fault::bad(code, format!("{missing} is missing; a direct upload is asked for by digest and size"))
}

/// Where the blob goes, in the terms of the wire.
pub(super) fn target(announced: &Announced, target: Target) -> DirectAnswer {
    let Announced { digest, size, .. } = *announced;
    match target {
        Target::Put(put) => DirectAnswer::Put { digest, size, put: signed(put) },
        Target::Parts(plan) => DirectAnswer::Parts { digest, size, part_size: plan.part, parts: plan.count() },
    }
}

/// With `said` as its body.
pub(super) fn answer(answer: Answer, said: &DirectAnswer) -> Response {
    let answer = answer.with(HeaderName::from_static(BERTH_DIRECT_UPLOAD), HeaderValue::from_static(said.kind()));
    secret(answer).json_bytes(body(said))
}

/// The parts that the query asks for, if it does.
pub(super) fn wanted_parts(call: &Call) -> Result<Option<RangeInclusive<u32>>, Fault> {
    let query = call.query();
    let Some(range) = query.get(PARTS) else { return Ok(None) };
    let numbers = range.split_once('-').and_then(|(first, last)| Some((number(first)?, number(last)?)));
    match numbers {
        Some((first, last)) if first >= 1 && first <= last => Ok(Some(first..=last)),
        _ => Err(fault(DirectFault::NoParts)),
    }
}

/// Digits alone: `u32::from_str` would take a sign.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// 200: where each part stands.
pub(super) fn parts(page: PartsPage) -> Response {
    let parts = page.parts.into_iter().map(|PartState { number, size, standing }| {
        let (etag, put) = match standing {
            PartStanding::Stored(tag) => (Some(tag), None),
            PartStanding::Wanted(put) => (None, Some(signed(put))),
        };
        PartEntry { number, size, etag, put }
    });
    let said = PartsAnswer { part_size: page.plan.part, parts: parts.collect() };
    secret(Answer::new(StatusCode::OK)).json_bytes(body(&said))
}

/// 400, and what the client can do about it.
pub(super) fn fault(fault: DirectFault) -> Fault {
    let detail = match &fault {
        DirectFault::Missing => json!({ "direct": DirectProblem::Missing }),
        DirectFault::Superseded => json!({ "direct": DirectProblem::Superseded }),
        DirectFault::PartsMissing { missing, count } => {
            json!({ "direct": DirectProblem::Parts, "missing": missing, "count": count })
        }
        DirectFault::NoParts => json!({ "direct": DirectProblem::None }),
        DirectFault::PartsComplete => json!({ "direct": DirectProblem::Complete }),
    };
    Fault::bad(ErrorCode::BlobUploadInvalid, fault.to_string()).about(detail)
}

fn signed(put: SignedPut) -> SignedRequest {
    SignedRequest {
        method: "PUT".to_owned(),
        url: put.url,
        headers: put.headers.into_iter().collect(),
        expires: date(put.expires),
    }
}

/// In whole seconds, rounded down: never later than storage has it.
fn date(time: SystemTime) -> String {
    let time = OffsetDateTime::from(time).replace_nanosecond(0);
    // Years beyond 9999 alone have no such form.
    time.ok().and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}

/// Numbers, strings and lists always serialize.
fn body(said: &impl serde::Serialize) -> bytes::Bytes {
    serde_json::to_vec(said).unwrap_or_default().into()
}

/// What a signed URL in an answer makes it: for nobody else, and not for later.
fn secret(answer: Answer) -> Answer {
    answer.with(http::header::CACHE_CONTROL, HeaderValue::from_static("no-store"))
}
