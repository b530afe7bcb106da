//! What each error is on the wire: status, code and sentence. Nothing else in the API decides these.
//!
//! A client is told what it can act on. What went wrong behind the registry is logged, once, under the request's id,
//! and the client is told that id alone.

use axum::response::Response;
use http::{HeaderName, HeaderValue, Method, StatusCode, header};
use hyper::ext::ReasonPhrase;
use serde_json::{Value, json};

use super::{
    answer::{Answer, value},
    direct, passed_on,
};
use crate::{
    api::{ErrorBody, ErrorCode, ErrorEntry, RouteFault},
    auth::Refusal,
    context::{Context, DeadlinePassed},
    digest::DigestError,
    distribution::{BackendError, BackendErrorKind, BlobError, ManifestError, Missing, TagError, UploadError},
    name::NameError,
};

/// Missing references that one answer names.
const NAMED: usize = 100;

/// Seconds after which a client whose request met a busy backend may try again.
const RETRY_AFTER: &str = "1";

/// An error about to be answered.
#[derive(Debug)]
pub(super) struct Fault(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    errors: Vec<ErrorEntry>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// What happened behind the registry.
    cause: Option<Cause>,
    /// The status line's words, where they are others than usual.
    reason: Option<ReasonPhrase>,
}

#[derive(Debug)]
enum Cause {
    Backend(BackendError),
    /// Where who asks could not be told; what the client hears of it.
    Unsure(BackendError, &'static str),
    Late,
    Closed(String),
    Other(String),
}

impl Fault {
    /// One error.
    pub(super) fn new(status: StatusCode, code: ErrorCode, message: impl Into<String>) -> Self {
        let errors = vec![ErrorEntry { code, message: message.into(), detail: Value::Null }];
        Self(Box::new(Inner { status, errors, headers: Vec::new(), cause: None, reason: None }))
    }

    /// A request that no registry could answer.
    pub(super) fn bad(code: ErrorCode, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A method that the path does not have.
    pub(super) fn method(method: &Method, allowed: &'static str) -> Self {
        let message = format!("{method} is not supported here; use {allowed}");
        Self::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported, message)
            .with(header::ALLOW, HeaderValue::from_static(allowed))
    }

    /// A deletion that would leave a reference dangling; the error names what to delete first.
    fn in_use(error: &impl ToString, allowed: &'static str) -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, ErrorCode::Unsupported, error.to_string())
            .with(header::ALLOW, HeaderValue::from_static(allowed))
    }

    /// A fault of the registry itself.
    pub(super) fn broken(fault: &impl ToString) -> Self {
        let mut this = Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Unknown, "");
        this.0.cause = Some(Cause::Other(fault.to_string()));
        this
    }

    /// A request whose time ran out.
    pub(super) fn late() -> Self {
        Self::later(Cause::Late)
    }

    /// A request to a registry that cannot serve any, for `reason`, which is for the log.
    pub(super) fn closed(reason: &str) -> Self {
        let mut this = Self::new(StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Unavailable, "");
        this.0.cause = Some(Cause::Closed(reason.to_owned()));
        this
    }

    /// Who asks cannot be told, because of `error`: whatever it is, they may try again.
    pub(super) fn unsure(error: BackendError) -> Self {
        Self::later(Cause::Unsure(error, "the registry cannot tell now who asks"))
    }

    /// There is no token, because of `error`: whatever it is, they may try again.
    pub(super) fn no_token(error: BackendError) -> Self {
        Self::later(Cause::Unsure(error, "the registry cannot give out a token now"))
    }

    fn later(cause: Cause) -> Self {
        let mut this = Self::new(StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, "");
        this.0.cause = Some(cause);
        this.with(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER))
    }

    /// With a header.
    pub(super) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.push((name, value));
        self
    }

    /// About `detail`.
    pub(super) fn about(mut self, detail: Value) -> Self {
        if let Some(first) = self.0.errors.first_mut() {
            first.detail = detail;
        }
        self
    }

    /// With what a backend said in the place of what is said otherwise.
    pub(super) fn explained(mut self) -> Self {
        match self.0.cause.take() {
            Some(Cause::Backend(error)) => {
                tracing::info!(kind = ?error.kind, cause = %error, "passed on");
                let (status, code) = passed_on::status(&error);
                let Inner { headers, .. } = *self.0;
                let reason = passed_on::reason(status, &error.message);
                let errors = vec![ErrorEntry { code, message: error.message, detail: Value::Null }];
                Self(Box::new(Inner { status, errors, headers, cause: None, reason }))
            }
            cause => {
                self.0.cause = cause;
                self
            }
        }
    }

    /// The answer. Logs the cause, if there is one.
    pub(super) fn into_response(self, ctx: &Context) -> Response {
        let Inner { status, mut errors, headers, cause, reason } = *self.0;
        if let Some(cause) = cause {
            let _entered = ctx.span().enter();
            let id = ctx.request_id();
            let said = match &cause {
                Cause::Closed(_) => "the registry is not set up; its log says what is wrong".to_owned(),
                Cause::Unsure(_, said) => format!("{said}; try again"),
                Cause::Late => DeadlinePassed.to_string(),
                Cause::Backend(_) | Cause::Other(_) => match status {
                    StatusCode::TOO_MANY_REQUESTS => "too many requests at once; try again".to_owned(),
                    StatusCode::SERVICE_UNAVAILABLE => "storage did not answer in time; try again".to_owned(),
                    _ => "the registry could not do this".to_owned(),
                },
            };
            match cause {
                Cause::Closed(cause) => tracing::error!(request_id = id, cause, "not set up"),
                Cause::Unsure(error, _) => {
                    tracing::error!(request_id = id, kind = ?error.kind, cause = %error, "caller not told");
                }
                Cause::Late => tracing::warn!(request_id = id, "request ran out of time"),
                Cause::Backend(error) if status != StatusCode::INTERNAL_SERVER_ERROR => {
                    tracing::warn!(request_id = id, kind = ?error.kind, cause = %error, "backend not ready");
                }
                Cause::Backend(error) => {
                    tracing::error!(request_id = id, kind = ?error.kind, cause = %error, "backend failed");
                }
                Cause::Other(cause) => tracing::error!(request_id = id, cause, "request failed"),
            }
            for error in &mut errors {
                error.message = format!("{said} (request {id})");
            }
        }
        // Codes, strings and JSON values always serialize.
        let body = serde_json::to_vec(&ErrorBody { errors }).unwrap_or_default();
        let mut answer = Answer::new(status);
        for (name, value) in headers {
            answer = answer.with(name, value);
        }
        let mut response = answer.json_bytes(body.into());
        if let Some(reason) = reason {
            response.extensions_mut().insert(reason);
        }
        response
    }
}

impl From<RouteFault> for Fault {
    fn from(fault: RouteFault) -> Self {
        let message = fault.to_string();
        match fault {
            RouteFault::Unknown => Self::new(StatusCode::NOT_FOUND, ErrorCode::NameUnknown, message),
            RouteFault::Name(_) => Self::bad(ErrorCode::NameInvalid, message),
            RouteFault::Tag(_) => Self::bad(ErrorCode::TagInvalid, message),
            RouteFault::Digest(_) => Self::bad(ErrorCode::DigestInvalid, message),
        }
    }
}

impl From<DigestError> for Fault {
    fn from(error: DigestError) -> Self {
        Self::bad(ErrorCode::DigestInvalid, error.to_string())
    }
}

impl From<NameError> for Fault {
    fn from(error: NameError) -> Self {
        let code = match error {
            NameError::Repository => ErrorCode::NameInvalid,
            NameError::Tag => ErrorCode::TagInvalid,
            NameError::Digest(_) => ErrorCode::DigestInvalid,
        };
        Self::bad(code, error.to_string())
    }
}

impl From<Refusal> for Fault {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Unknown { challenge, .. } => Self::new(StatusCode::UNAUTHORIZED, ErrorCode::Unauthorized, message)
                .with(header::WWW_AUTHENTICATE, challenge),
            Refusal::Denied { .. } => Self::new(StatusCode::FORBIDDEN, ErrorCode::Denied, message),
            Refusal::Unavailable(error) => Self::unsure(error),
        }
    }
}

impl From<BackendError> for Fault {
    fn from(error: BackendError) -> Self {
        let (status, code, retry) = match error.kind {
            BackendErrorKind::Throttled => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyRequests, true),
            BackendErrorKind::Timeout => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::Unavailable, true),
            BackendErrorKind::Denied | BackendErrorKind::Refused | BackendErrorKind::Failed => {
                (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Unknown, false)
            }
        };
        let mut fault = Self::new(status, code, "");
        fault.0.cause = Some(Cause::Backend(error));
        if retry { fault.with(header::RETRY_AFTER, HeaderValue::from_static(RETRY_AFTER)) } else { fault }
    }
}

impl From<BlobError> for Fault {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Unknown(digest) => Self::new(StatusCode::NOT_FOUND, ErrorCode::BlobUnknown, error.to_string())
                .about(json!({ "digest": digest })),
            BlobError::InUse { blob, manifest } => {
                Self::in_use(&error, "GET, HEAD").about(json!({ "digest": blob, "manifest": manifest }))
            }
            // Only a cache's own bookkeeping contradicts itself.
            BlobError::Contradiction(..) => Self::broken(&error),
            BlobError::Backend(error) => error.into(),
        }
    }
}

impl From<UploadError> for Fault {
    fn from(error: UploadError) -> Self {
        let message = error.to_string();
        match error {
            UploadError::Unknown(_) => Self::new(StatusCode::NOT_FOUND, ErrorCode::BlobUploadUnknown, message),
            UploadError::StateInvalid => Self::new(StatusCode::NOT_FOUND, ErrorCode::BlobUploadInvalid, message),
            UploadError::RangeInvalid { stored } => {
                Self::new(StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::RangeInvalid, message)
                    .about(json!({ "stored": stored }))
            }
            UploadError::SizeInvalid(_) | UploadError::Interrupted(_) => Self::bad(ErrorCode::SizeInvalid, message),
            UploadError::DigestMismatch { expected, actual } => {
                Self::bad(ErrorCode::DigestInvalid, message).about(json!({ "expected": expected, "actual": actual }))
            }
            UploadError::Direct(fault) => direct::fault(fault),
            UploadError::Backend(error) => error.into(),
        }
    }
}

impl From<ManifestError> for Fault {
    fn from(error: ManifestError) -> Self {
        let message = error.to_string();
        match error {
            ManifestError::Unknown { name, reference } => {
                Self::new(StatusCode::NOT_FOUND, ErrorCode::ManifestUnknown, message)
                    .about(json!({ "name": name, "reference": reference }))
            }
            ManifestError::Invalid(_) => Self::bad(ErrorCode::ManifestInvalid, message),
            ManifestError::DigestMismatch { expected, actual } => {
                Self::bad(ErrorCode::DigestInvalid, message).about(json!({ "expected": expected, "actual": actual }))
            }
            ManifestError::ReferencesUnknown(missing) => references_unknown(&missing),
            ManifestError::InUse { manifest, index } => {
                Self::in_use(&message, "GET, HEAD, PUT").about(json!({ "digest": manifest, "index": index }))
            }
            ManifestError::Backend(error) => error.into(),
        }
    }
}

impl From<TagError> for Fault {
    fn from(error: TagError) -> Self {
        let message = error.to_string();
        match error {
            TagError::Unknown { name, tag } => Self::new(StatusCode::NOT_FOUND, ErrorCode::ManifestUnknown, message)
                .about(json!({ "name": name, "reference": tag })),
            TagError::RepositoryUnknown(name) => {
                Self::new(StatusCode::NOT_FOUND, ErrorCode::NameUnknown, message).about(json!({ "name": name }))
            }
            TagError::Backend(error) => error.into(),
        }
    }
}

/// One error for each missing reference, up to a limit, and one that says how many more there are.
fn references_unknown(missing: &[Missing]) -> Fault {
    let mut fault = Fault::bad(ErrorCode::ManifestBlobUnknown, "");
    let mut errors: Vec<ErrorEntry> = missing
        .iter()
        .take(NAMED)
        .map(|Missing { digest, manifest }| {
            let kind = if *manifest { "manifest" } else { "blob" };
            let message = format!("{kind} {digest} is unknown to this repository; push it before what names it");
            ErrorEntry { code: ErrorCode::ManifestBlobUnknown, message, detail: json!({ "digest": digest }) }
        })
        .collect();
    if missing.len() > NAMED {
        let message = format!("{} more references are unknown to this repository", missing.len() - NAMED);
        errors.push(ErrorEntry { code: ErrorCode::ManifestBlobUnknown, message, detail: Value::Null });
    }
    fault.0.errors = errors;
    fault
}

/// 416 for a download: what was asked of content of `size` bytes is not in it.
pub(super) fn range_not_satisfiable(size: u64) -> Fault {
    let message = format!("the range is not within the content's {size} bytes");
    Fault::new(StatusCode::RANGE_NOT_SATISFIABLE, ErrorCode::RangeInvalid, message)
        .with(header::CONTENT_RANGE, value(format!("bytes */{size}")))
}
