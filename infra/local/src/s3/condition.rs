//! Conditional requests ("Add preconditions to S3 operations with conditional requests").

use std::time::{SystemTime, UNIX_EPOCH};

use http::{HeaderMap, header};
use s3s::dto::{ETagCondition, Timestamp};
use s3s::{S3Error, S3Result, s3_error};

use super::object::Object;

/// The conditions of a read, or of a copy upon its source.
#[derive(Debug, Default)]
pub(super) struct ReadConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

/// Why a read is not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unmet {
    /// 412.
    Failed,
    /// 304 to a read; 412 to a copy.
    NotModified,
}

impl ReadConditions {
    /// In the order of RFC 9110, section 13.2.2.
    pub(super) fn check(&self, object: &Object) -> Result<(), Unmet> {
        match (&self.if_match, &self.if_unmodified_since) {
            (Some(condition), _) if !holds(condition, object) => return Err(Unmet::Failed),
            (None, Some(since)) if seconds(object.modified) > since_epoch(since) => return Err(Unmet::Failed),
            _ => {}
        }
        match (&self.if_none_match, &self.if_modified_since) {
            (Some(condition), _) if holds(condition, object) => Err(Unmet::NotModified),
            (None, Some(since)) if seconds(object.modified) <= since_epoch(since) => Err(Unmet::NotModified),
            _ => Ok(()),
        }
    }
}

/// The conditions of a write upon what is at its key.
#[derive(Debug, Default)]
pub(super) struct WriteConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
}

impl WriteConditions {
    /// Of a copy, whose input in s3s does not have them.
    ///
    /// # Errors
    /// `InvalidRequest` for a header that is no condition.
    pub(super) fn of_headers(headers: &HeaderMap) -> S3Result<Self> {
        let condition = |name| {
            let value = headers.get(name).map(|value| ETagCondition::parse_http_header(value.as_bytes()));
            value.transpose().map_err(|e| s3_error!(e, InvalidRequest, "A condition is neither an ETag nor *."))
        };
        Ok(Self { if_match: condition(header::IF_MATCH)?, if_none_match: condition(header::IF_NONE_MATCH)? })
    }

    /// # Errors
    /// `PreconditionFailed`; `NoSuchKey` when If-Match finds no object; `NotImplemented` when If-None-Match is not `*`.
    pub(super) fn check(&self, present: Option<&Object>) -> S3Result {
        match &self.if_none_match {
            Some(ETagCondition::Any) if present.is_some() => return Err(failed("If-None-Match")),
            Some(ETagCondition::ETag(_)) => {
                return Err(s3_error!(
                    NotImplemented,
                    "A header you provided implies functionality that is not implemented"
                ));
            }
            _ => {}
        }
        match (&self.if_match, present) {
            (Some(_), None) => Err(s3_error!(NoSuchKey, "The specified key does not exist.")),
            (Some(condition), Some(object)) if !holds(condition, object) => Err(failed("If-Match")),
            _ => Ok(()),
        }
    }
}

/// 412, naming the condition as S3 does.
pub(super) fn failed(condition: &str) -> S3Error {
    s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold: {condition}")
}

pub(super) fn holds(condition: &ETagCondition, object: &Object) -> bool {
    condition.as_etag().is_none_or(|etag| etag.value() == object.etag.value())
}

/// HTTP dates are whole seconds.
fn seconds(time: SystemTime) -> i64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

fn since_epoch(timestamp: &Timestamp) -> i64 {
    time::OffsetDateTime::from(timestamp.clone()).unix_timestamp()
}
