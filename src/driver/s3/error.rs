//! S3's errors, and what they mean to a caller ("Error responses", Amazon S3 API Reference).

use std::{error::Error, fmt};

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_s3::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
    operation::RequestId as _,
};

use super::bucket::Bucket;
use crate::driver::{DriverError, DriverErrorKind, Path};

/// Why a request to S3 came to nothing.
#[derive(Debug, Clone)]
pub(super) struct S3Error {
    /// The API's name of what was asked.
    pub(super) operation: &'static str,
    cause: Cause,
    /// Whether S3 may have done what an attempt before this one asked.
    after_doubt: bool,
}

#[derive(Debug, Clone)]
enum Cause {
    /// S3's own answer. `code` is empty where the answer had no body, as to HEAD; `status` is 0 for a key among many.
    Answer { status: u16, code: String, message: String, request: String, region: Option<String> },
    /// The connection failed, or the answer was none of S3's.
    Lost(String),
    /// No answer in time.
    Late,
    /// There was nothing to sign with.
    Unsigned(String),
    /// The request could not be made, or its answer makes no sense.
    Senseless(String),
}

impl S3Error {
    pub(super) fn lost(error: impl fmt::Display) -> Self {
        Cause::Lost(error.to_string()).into()
    }

    pub(super) fn late() -> Self {
        Cause::Late.into()
    }

    /// What S3 says of a condition that does not hold, where that was found out otherwise.
    pub(super) fn exists() -> Self {
        let (code, message) = ("PreconditionFailed".to_owned(), "exists already".to_owned());
        Cause::Answer { status: 412, code, message, request: String::new(), region: None }.into()
    }

    pub(super) fn senseless(message: impl Into<String>) -> Self {
        Cause::Senseless(message.into()).into()
    }

    /// An error that came for one key in the answer to many.
    pub(super) fn of_key(code: &str, message: &str) -> Self {
        let (code, message) = (code.to_owned(), message.to_owned());
        Cause::Answer { status: 0, code, message, request: String::new(), region: None }.into()
    }

    pub(super) fn during(self, operation: &'static str) -> Self {
        Self { operation, ..self }
    }

    pub(super) fn after(self, doubt: bool) -> Self {
        Self { after_doubt: doubt, ..self }
    }

    /// What the caller may act on.
    pub(super) fn kind(&self) -> DriverErrorKind {
        let (status, code) = match &self.cause {
            Cause::Answer { status, code, .. } => (*status, code.as_str()),
            Cause::Late => return DriverErrorKind::Timeout,
            Cause::Unsigned(_) => return DriverErrorKind::Denied,
            Cause::Lost(_) | Cause::Senseless(_) => return DriverErrorKind::Failed,
        };
        match code {
            "NoSuchBucket" | "NoSuchUpload" | "PermanentRedirect" | "AuthorizationHeaderMalformed" => {
                DriverErrorKind::Failed
            }
            "NoSuchKey" | "NotFound" => DriverErrorKind::NotFound,
            "PreconditionFailed" => DriverErrorKind::Precondition,
            "BadDigest" | "XAmzContentSHA256Mismatch" | "InvalidDigest" => DriverErrorKind::Checksum,
            "SlowDown"
            | "ServiceUnavailable"
            | "TooManyRequests"
            | "RequestLimitExceeded"
            | "Throttling"
            | "ThrottlingException"
            | "ConditionalRequestConflict" => DriverErrorKind::Throttled,
            "AccessDenied"
            | "InvalidAccessKeyId"
            | "SignatureDoesNotMatch"
            | "ExpiredToken"
            | "InvalidToken"
            | "TokenRefreshRequired"
            | "RequestTimeTooSkewed"
            | "AllAccessDisabled"
            | "AccountProblem" => DriverErrorKind::Denied,
            _ => match status {
                401 | 403 => DriverErrorKind::Denied,
                404 => DriverErrorKind::NotFound,
                412 => DriverErrorKind::Precondition,
                429 | 503 => DriverErrorKind::Throttled,
                _ => DriverErrorKind::Failed,
            },
        }
    }

    /// Whether the same request may succeed if it is made again.
    pub(super) fn is_transient(&self) -> bool {
        match &self.cause {
            Cause::Lost(_) | Cause::Late => true,
            Cause::Unsigned(_) | Cause::Senseless(_) => false,
            // After a conflict the whole upload is to be made again ("CompleteMultipartUpload").
            Cause::Answer { .. } if self.is_conflict() => self.operation != "CompleteMultipartUpload",
            Cause::Answer { status, code, .. } => {
                matches!(code.as_str(), "InternalError" | "RequestTimeout" | "OperationAborted")
                    || matches!(status, 500 | 502 | 504)
                    || self.kind() == DriverErrorKind::Throttled
            }
        }
    }

    /// Whether S3 may yet have done what was asked.
    pub(super) fn is_doubtful(&self) -> bool {
        match &self.cause {
            Cause::Lost(_) | Cause::Late => true,
            Cause::Answer { status, code, .. } => matches!(status, 500 | 502 | 504) || code == "InternalError",
            Cause::Unsigned(_) | Cause::Senseless(_) => false,
        }
    }

    /// Whether S3 may have done what an attempt before this one asked.
    pub(super) fn follows_doubt(&self) -> bool {
        self.after_doubt
    }

    /// Whether another write of the same key was under way.
    pub(super) fn is_conflict(&self) -> bool {
        self.has_code("ConditionalRequestConflict")
    }

    pub(super) fn is_not_found(&self) -> bool {
        self.kind() == DriverErrorKind::NotFound
    }

    pub(super) fn is_precondition(&self) -> bool {
        self.kind() == DriverErrorKind::Precondition
    }

    /// Whether S3, or what speaks its protocol, does not know the operation or a header of it.
    pub(super) fn is_not_implemented(&self) -> bool {
        matches!(&self.cause, Cause::Answer { status, code, .. } if *status == 501 || code == "NotImplemented")
    }

    /// Whether S3 refuses the request for its form: such a header, or such a source of a copy.
    pub(super) fn is_refused_form(&self) -> bool {
        self.is_not_implemented()
            || matches!(&self.cause, Cause::Answer { code, .. } if code == "InvalidRequest" || code == "InvalidArgument")
    }

    pub(super) fn has_code(&self, expected: &str) -> bool {
        matches!(&self.cause, Cause::Answer { code, .. } if code == expected)
    }

    /// Whether the range asked for begins at or beyond the end.
    pub(super) fn is_beyond_end(&self) -> bool {
        matches!(&self.cause, Cause::Answer { status: 416, .. })
    }

    /// The one place where S3's errors become the drivers'.
    pub(super) fn on(&self, path: &Path, bucket: &Bucket) -> DriverError {
        DriverError::new(self.kind(), path, format!("S3 {}: {}", self.operation, self.explain(&bucket.name)))
    }

    fn explain(&self, bucket: &str) -> String {
        let Cause::Answer { status, code, region, .. } = &self.cause else { return self.to_string() };
        match (code.as_str(), status, region) {
            ("NoSuchBucket", ..) => {
                format!("there is no bucket '{bucket}'; create it, or correct the bucket's name in the configuration")
            }
            ("" | "PermanentRedirect" | "AuthorizationHeaderMalformed", 301 | 400, Some(region)) => format!(
                "bucket '{bucket}' is in region {region}, which is not the one configured; set the region to {region}"
            ),
            ("PermanentRedirect" | "AuthorizationHeaderMalformed", ..) | (_, 301, None) => format!(
                "bucket '{bucket}' cannot be reached with the region and endpoint configured; set the region to the \
                 bucket's own ({self})"
            ),
            ("NotImplemented", ..) | (_, 501, _) => format!(
                "the store does not implement a part of this request, such as If-None-Match, which writes that must not \
                 replace anything need ({self})"
            ),
            ("RequestTimeTooSkewed", ..) => format!("this machine's clock is wrong; set it ({self})"),
            ("ExpiredToken" | "TokenRefreshRequired", ..) => {
                format!("the credentials have expired; renew them ({self})")
            }
            ("", 403, _) => format!(
                "forbidden in bucket '{bucket}'; without permission for s3:ListBucket, S3 says so of what is missing too"
            ),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for S3Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Answer { status, code, message, request, .. } => {
                let status = if *status == 0 { String::new() } else { format!("status {status}") };
                let request = if request.is_empty() { String::new() } else { format!("request {request}") };
                let said = [&status, code, message, &request].map(String::as_str);
                f.write_str(&said.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(", "))
            }
            Cause::Lost(why) | Cause::Senseless(why) => f.write_str(why),
            Cause::Late => f.write_str("no answer in time"),
            Cause::Unsigned(why) => write!(f, "no usable credentials: {why}"),
        }
    }
}

impl From<Cause> for S3Error {
    fn from(cause: Cause) -> Self {
        Self { operation: "", cause, after_doubt: false }
    }
}

impl<E> From<SdkError<E, HttpResponse>> for S3Error
where
    E: ProvideErrorMetadata + Error + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        let keys = causes(&error).find_map(|cause| cause.downcast_ref::<CredentialsError>());
        match &error {
            // What keeps the credentials may be slow, as S3 may.
            SdkError::DispatchFailure(_) | SdkError::ConstructionFailure(_) if keys.is_some() => match keys {
                Some(CredentialsError::ProviderTimedOut(_)) => Cause::Late,
                _ => Cause::Unsigned(chain(&error)),
            },
            SdkError::ServiceError(_) | SdkError::ResponseError(_) => answer(&error),
            SdkError::TimeoutError(_) => Cause::Late,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Cause::Late,
            SdkError::DispatchFailure(failure) if !failure.is_user() => Cause::Lost(chain(&error)),
            _ => Cause::Senseless(chain(&error)),
        }
        .into()
    }
}

fn answer<E>(error: &SdkError<E, HttpResponse>) -> Cause
where
    E: ProvideErrorMetadata + Error + 'static,
{
    let Some(response) = error.raw_response() else { return Cause::Lost(chain(error)) };
    let status = response.status().as_u16();
    if response.status().is_success() && error.code().is_none() {
        // The answer broke off, or is not S3's.
        return Cause::Lost(chain(error));
    }
    Cause::Answer {
        status,
        code: error.code().unwrap_or_default().to_owned(),
        message: error.message().unwrap_or_default().to_owned(),
        request: error.request_id().unwrap_or_default().to_owned(),
        region: response.headers().get("x-amz-bucket-region").map(str::to_owned),
    }
}

/// What an error says, and those that caused it, on one line.
fn chain(error: &(dyn Error + 'static)) -> String {
    let said: Vec<String> = causes(error).map(|cause| cause.to_string().replace('\n', " ")).collect();
    said.join(": ")
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn Error + 'static)| (*error).source())
}
