//! Faults on command.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::matcher::Matcher;
use super::recorded::{Arrived, Service};

/// What happens to a request instead of, or besides, its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Refused for its rate: S3 503 `SlowDown`, DynamoDB 400 `ProvisionedThroughputExceededException`, STS 400
    /// `Throttling`, an issuer 429.
    Throttle,
    /// Failed inside: S3 500 `InternalError`, DynamoDB 500 `InternalServerError`, STS and an issuer 500.
    InternalError,
    /// Refused: S3 403 `AccessDenied`, DynamoDB 400 `AccessDeniedException`, STS and an issuer 403.
    AccessDenied,
    /// Answered with this status and error code, for all others: 409 `ConditionalRequestConflict`, 400 `ThrottlingException`.
    Error {
        /// HTTP status.
        status: u16,
        /// The error's code, as AWS spells it.
        code: String,
    },
    /// Carried out after a pause; in JSON, milliseconds.
    Delay(#[serde(with = "milliseconds")] Duration),
    /// Not carried out; the connection is reset.
    Reset,
    /// Not carried out and never answered.
    Hang,
    /// Carried out, but the connection is reset in place of the answer.
    LoseAnswer,
    /// Carried out; the connection is closed after this many bytes of the answer's body.
    CutAnswer(u64),
}

impl Fault {
    /// The name under which [`Recorded::fault`](crate::Recorded::fault) shows it, as in JSON: `throttle`, `lose_answer`.
    pub fn name(&self) -> &'static str {
        match self {
            Fault::Throttle => "throttle",
            Fault::InternalError => "internal_error",
            Fault::AccessDenied => "access_denied",
            Fault::Error { .. } => "error",
            Fault::Delay(_) => "delay",
            Fault::Reset => "reset",
            Fault::Hang => "hang",
            Fault::LoseAnswer => "lose_answer",
            Fault::CutAnswer(_) => "cut_answer",
        }
    }
}

/// A fault, the requests it is meant for, and how often it is played.
///
/// ```
/// use berth_local::{Fault, Rule, Service};
///
/// // The second and third upload of a blob are throttled.
/// let rule = Rule::new(Fault::Throttle).service(Service::S3).operation("PutObject").key("/blobs/").skip(1).times(2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What happens.
    pub fault: Fault,
    /// To which requests; all of them when left out of the JSON.
    #[serde(default)]
    pub when: Matcher,
    /// How many matching requests pass unharmed first.
    #[serde(default)]
    pub skip: u32,
    /// How many are then hit; all of them, until the faults are cleared, when none.
    #[serde(default)]
    pub times: Option<u32>,
}

impl Rule {
    /// A fault on every request, until narrowed.
    pub fn new(fault: Fault) -> Self {
        Self { fault, when: Matcher::default(), skip: 0, times: None }
    }

    /// Only requests to this service.
    #[must_use]
    pub fn service(mut self, service: Service) -> Self {
        self.when.service = Some(service);
        self
    }

    /// Only this operation: `PutObject`, `GetItem`.
    #[must_use]
    pub fn operation(mut self, operation: impl Into<String>) -> Self {
        self.when.operation = Some(operation.into());
        self
    }

    /// Only requests whose key, prefix, copy source or table contains this.
    #[must_use]
    pub fn key(mut self, part: impl Into<String>) -> Self {
        self.when.key = Some(part.into());
        self
    }

    /// Only requests by presigned URL, or only others.
    #[must_use]
    pub fn presigned(mut self, presigned: bool) -> Self {
        self.when.presigned = Some(presigned);
        self
    }

    /// The first `n` matching requests pass.
    #[must_use]
    pub fn skip(mut self, n: u32) -> Self {
        self.skip = n;
        self
    }

    /// Only `n` requests are hit.
    #[must_use]
    pub fn times(mut self, n: u32) -> Self {
        self.times = Some(n);
        self
    }
}

/// The rules that are armed.
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<Rule>>);

impl Faults {
    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn add(&self, rule: Rule) {
        self.rules().push(rule);
    }

    pub(crate) fn clear(&self) {
        self.rules().clear();
    }

    pub(crate) fn armed(&self) -> Vec<Rule> {
        self.rules().clone()
    }

    /// The fault for this request, if any: the oldest rule that matches and has passed its skips. Uses it up by one.
    pub(crate) fn strike(&self, request: &Arrived) -> Option<Fault> {
        let mut rules = self.rules();
        let mut struck = None;
        for rule in rules.iter_mut().filter(|rule| rule.when.matches(request)) {
            if rule.skip > 0 {
                rule.skip -= 1;
            } else if rule.times != Some(0) {
                rule.times = rule.times.map(|n| n - 1);
                struck = Some(rule.fault.clone());
                break;
            }
        }
        rules.retain(|rule| rule.times != Some(0));
        struck
    }
}

/// A pause in JSON: a whole number of milliseconds.
mod milliseconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(pause: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}
