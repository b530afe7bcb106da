//! What AWS does, or is assumed to do, where the emulation has more than one behaviour.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::edge::{ContentSha256, EarlyAnswers, EdgeOptions, Sees};
use crate::lambda::{
    Bodies, ChunkedRequests, DoorOptions, Front, FunctionBuilder, HeadLength, Renaming, RepeatedAuthorization,
    TrailingSlash, WhenBusy,
};
use crate::options::Options;

/// How sure a default is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// Others have reported it of AWS.
    Observed,
    /// AWS's documentation says it.
    Documented,
    /// Neither, or reports contradict each other: the default is a guess.
    Assumed,
}

/// One behaviour with its alternatives.
///
/// ```
/// use berth_local::Assumption;
///
/// let challenge = Assumption::find("function-url-challenge").map(Assumption::default_value);
/// assert_eq!(challenge, Some("renamed"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// As in `--assume NAME=VALUE`.
    pub name: &'static str,
    /// Every value; the first is the default.
    pub values: &'static [&'static str],
    /// How sure the default is.
    pub evidence: Evidence,
    /// What each value means, in one sentence.
    pub about: &'static str,
}

/// All of them, in the order of a request's way: Lambda's front doors, Lambda, CloudFront, S3.
pub const ASSUMPTIONS: [Assumption; 15] = {
    use Evidence::{Assumed, Documented, Observed};
    const fn of(
        name: &'static str,
        values: &'static [&'static str],
        evidence: Evidence,
        about: &'static str,
    ) -> Assumption {
        Assumption { name, values, evidence, about }
    }
    [
        of(
            "function-url-challenge",
            &["renamed", "kept"],
            Observed,
            "A function URL sends `WWW-Authenticate` as `x-amzn-remapped-www-authenticate`, or as it is.",
        ),
        of(
            "http-api-challenge",
            &["renamed", "kept"],
            Assumed,
            "An HTTP API sends `WWW-Authenticate` as `x-amzn-remapped-www-authenticate`, or as it is; reports contradict each other.",
        ),
        of(
            "head-length",
            &["computed", "none", "kept"],
            Assumed,
            "A response to HEAD has the length of the body that the function returned (0 without one), no `Content-Length`, or the function's own.",
        ),
        of(
            "two-authorizations",
            &["refused", "joined"],
            Observed,
            "A function URL answers 400 to two `Authorization` headers, or joins them with a comma.",
        ),
        of(
            "trailing-slash",
            &["dropped", "kept"],
            Observed,
            "A function URL drops a slash at the end of `requestContext.http.path` (never of `rawPath`), or keeps it.",
        ),
        of(
            "range-header",
            &["kept", "renamed"],
            Assumed,
            "A response's `Range` header is sent as it is, or as `x-amzn-remapped-range`.",
        ),
        of(
            "chunked-requests",
            &["accepted", "refused"],
            Assumed,
            "A function URL accepts a request with `Transfer-Encoding: chunked`, or answers 411.",
        ),
        of(
            "request-bodies",
            &["binary-in-base64", "all-in-base64"],
            Documented,
            "Request bodies travel to the function in base64 unless their `Content-Type` is text, or always.",
        ),
        of(
            "event-limit",
            &["6291556", "6291456"],
            Assumed,
            "The most bytes of an event, base64 included: the limit of responses, or the number in Lambda's error message about requests.",
        ),
        of(
            "when-busy",
            &["wait", "refuse"],
            Documented,
            "With all instances busy a request waits, standing for the instance that AWS would add, or is refused as at the concurrency limit: 429, at an HTTP API 503.",
        ),
        of(
            "viewer-response-sees",
            &["rewritten", "original"],
            Observed,
            "viewer-response gets the request as viewer-request rewrote it, or as the viewer sent it.",
        ),
        of(
            "viewer-response-runs",
            &["yes", "no"],
            Documented,
            "viewer-response runs for origin responses with a status below 400, or never, as if it was not associated.",
        ),
        of(
            "content-sha256",
            &["signed", "ignored"],
            Documented,
            "CloudFront signs the `x-amz-content-sha256` that a function set as the payload hash for S3, or sends `UNSIGNED-PAYLOAD`.",
        ),
        of(
            "early-answers",
            &["read-on", "close"],
            Assumed,
            "CloudFront reads the rest of a request that is answered early (64 MiB, 30 s), or closes the connection.",
        ),
        of(
            "conditional-copy",
            &["supported", "not-implemented"],
            Documented,
            "S3 takes `If-None-Match` on `CopyObject` and `CompleteMultipartUpload`, or answers 501 `NotImplemented`.",
        ),
    ]
};

impl Assumption {
    /// The one of this name.
    pub fn find(name: &str) -> Option<&'static Self> {
        ASSUMPTIONS.iter().find(|assumption| assumption.name == name)
    }

    /// The value that holds unless another is chosen.
    pub fn default_value(&self) -> &'static str {
        self.values.first().copied().unwrap_or_default()
    }
}

impl Serialize for Assumption {
    /// An object with `name`, `values`, `default`, `evidence` and `about`.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut object = serializer.serialize_struct("Assumption", 5)?;
        object.serialize_field("name", self.name)?;
        object.serialize_field("values", self.values)?;
        object.serialize_field("default", self.default_value())?;
        object.serialize_field("evidence", &self.evidence)?;
        object.serialize_field("about", self.about)?;
        object.end()
    }
}

/// Not `NAME=VALUE` of an assumption.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AssumptionError {
    /// There is no equals sign.
    #[error("{0:?} is not NAME=VALUE")]
    Syntax(String),
    /// There is no assumption of that name.
    #[error("unknown assumption {name:?}; expected one of: {}", ASSUMPTIONS.map(|assumption| assumption.name).join(", "))]
    Name {
        /// What was given.
        name: String,
    },
    /// The assumption has no such value.
    #[error("unknown value {value:?} of {}; expected one of: {}", assumption.name, assumption.values.join(", "))]
    Value {
        /// The assumption.
        assumption: &'static Assumption,
        /// What was given.
        value: String,
    },
}

/// A value for each assumption: the default, unless another was chosen.
///
/// ```
/// use berth_local::Assumptions;
/// use berth_local::lambda::{DoorOptions, Front};
///
/// # fn main() -> Result<(), berth_local::AssumptionError> {
/// assert_eq!(Assumptions::default().door(Front::HttpApi), DoorOptions::of(Front::HttpApi));
/// let kept = Assumptions::default().assume("http-api-challenge=kept")?;
/// assert_ne!(kept.door(Front::HttpApi), DoorOptions::of(Front::HttpApi));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assumptions(BTreeMap<&'static str, &'static str>);

impl Assumptions {
    /// Chooses the value in `NAME=VALUE`. A later choice of the same name replaces an earlier one.
    ///
    /// # Errors
    /// [`AssumptionError`].
    pub fn assume(mut self, text: &str) -> Result<Self, AssumptionError> {
        let (name, value) = text.split_once('=').ok_or_else(|| AssumptionError::Syntax(text.to_owned()))?;
        let assumption = Assumption::find(name).ok_or_else(|| AssumptionError::Name { name: name.to_owned() })?;
        let known = assumption.values.iter().find(|known| **known == value);
        let unknown = || AssumptionError::Value { assumption, value: value.to_owned() };
        self.0.insert(assumption.name, known.ok_or_else(unknown)?);
        Ok(self)
    }

    /// The value of an assumption; empty for a name that is none.
    pub fn value(&self, name: &str) -> &'static str {
        let default = || Assumption::find(name).map(Assumption::default_value).unwrap_or_default();
        self.0.get(name).copied().unwrap_or_else(default)
    }

    fn is(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }

    /// The options of a front door.
    pub fn door(&self, front: Front) -> DoorOptions {
        let challenge = match front {
            Front::FunctionUrl => "function-url-challenge",
            Front::HttpApi => "http-api-challenge",
        };
        let renaming = |name| if self.is(name, "renamed") { Renaming::Renamed } else { Renaming::Kept };
        DoorOptions {
            challenge: renaming(challenge),
            range_header: renaming("range-header"),
            head_length: match self.value("head-length") {
                "none" => HeadLength::None,
                "kept" => HeadLength::Kept,
                _ => HeadLength::Computed,
            },
            authorizations: match self.value("two-authorizations") {
                "joined" => RepeatedAuthorization::Joined,
                _ => RepeatedAuthorization::Refused,
            },
            trailing_slash: match self.value("trailing-slash") {
                "kept" => TrailingSlash::Kept,
                _ => TrailingSlash::Dropped,
            },
            chunked_requests: match self.value("chunked-requests") {
                "refused" => ChunkedRequests::Refused,
                _ => ChunkedRequests::Accepted,
            },
            bodies: match self.value("request-bodies") {
                "all-in-base64" => Bodies::AllInBase64,
                _ => Bodies::BinaryInBase64,
            },
            ..DoorOptions::of(front)
        }
    }

    /// A function for which they hold.
    pub fn function(&self, function: FunctionBuilder) -> FunctionBuilder {
        let when_busy = if self.is("when-busy", "refuse") { WhenBusy::Refuse } else { WhenBusy::Wait };
        let limit = self.value("event-limit").parse().unwrap_or(crate::lambda::PAYLOAD_LIMIT);
        function.when_busy(when_busy).event_limit(limit)
    }

    /// The options of CloudFront.
    pub fn edge(&self) -> EdgeOptions {
        EdgeOptions {
            response_sees: match self.value("viewer-response-sees") {
                "original" => Sees::Original,
                _ => Sees::Rewritten,
            },
            response_runs: self.is("viewer-response-runs", "yes"),
            content_sha256: match self.value("content-sha256") {
                "ignored" => ContentSha256::Ignored,
                _ => ContentSha256::Signed,
            },
            early_answers: match self.value("early-answers") {
                "close" => EarlyAnswers::Close,
                _ => EarlyAnswers::ReadOn,
            },
            ..EdgeOptions::default()
        }
    }

    /// The default options of the emulators, but for what is assumed of S3.
    pub fn emulators(&self) -> Options {
        Options { conditional_copies: self.is("conditional-copy", "supported"), ..Options::default() }
    }
}
