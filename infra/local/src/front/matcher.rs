//! Which requests a fault is meant for.

use serde::{Deserialize, Serialize};

use super::recorded::{Arrived, Service};

/// A pattern over requests: every field that is set must agree; the empty pattern matches all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Matcher {
    /// Only requests to this service.
    pub service: Option<Service>,
    /// Only this operation, as [`Recorded::operation`](crate::Recorded::operation) spells it.
    pub operation: Option<String>,
    /// Only requests whose S3 key, listed prefix, copy source or DynamoDB table contains this.
    pub key: Option<String>,
    /// Only requests by presigned URL, or only others.
    pub presigned: Option<bool>,
}

impl Matcher {
    pub(crate) fn matches(&self, request: &Arrived) -> bool {
        let names = || request.key.iter().chain(&request.source).chain(&request.tables);
        self.service.is_none_or(|service| service == request.service)
            && self.operation.as_ref().is_none_or(|operation| *operation == request.operation)
            && self.key.as_ref().is_none_or(|part| names().any(|name| name.contains(part.as_str())))
            && self.presigned.is_none_or(|presigned| presigned == request.presigned)
    }
}
