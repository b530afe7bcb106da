//! What a door answers by itself.

use http::{HeaderValue, Response, StatusCode, header};

use super::answer::{ResponseBody, full};
use super::options::Front;
use crate::lambda::InvokeError;

/// Why a door answers by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The request is more than the door or Lambda takes.
    TooLarge,
    /// It has two `Authorization` headers.
    Malformed,
    /// It has no length.
    NoLength,
    /// No instance may be started for it.
    Throttled,
    /// The door has waited long enough.
    Overdue,
    /// The function failed, or its answer is not one.
    Failed,
}

impl From<InvokeError> for Refusal {
    fn from(error: InvokeError) -> Self {
        match error {
            InvokeError::TooLarge { .. } => Refusal::TooLarge,
            InvokeError::Throttled => Refusal::Throttled,
            _ => Refusal::Failed,
        }
    }
}

impl Refusal {
    /// Function URL: the status codes of "Monitoring Lambda function URLs" and "Troubleshoot Lambda function URLs", the bodies
    /// as seen. HTTP API: "Troubleshooting issues with HTTP API Lambda integrations". The bodies of 400, 411, 413 and
    /// 429 are guesses after Lambda's own API ("Invoke", errors).
    pub(super) fn answer(self, front: Front, limit: usize) -> Response<ResponseBody> {
        let (status, body, kind) = match (front, self) {
            (Front::FunctionUrl, Refusal::TooLarge) => {
                let message = format!("Request must be smaller than {limit} bytes for the InvokeFunction operation");
                (413, format!(r#"{{"Type":"User","message":"{message}"}}"#), Some("RequestEntityTooLargeException"))
            }
            (_, Refusal::Malformed) => (400, r#"{"message":"Bad Request"}"#.to_owned(), None),
            (_, Refusal::NoLength) => (411, r#"{"message":"Length Required"}"#.to_owned(), None),
            (Front::FunctionUrl, Refusal::Throttled) => {
                let reason =
                    r#"{"Reason":"ConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#;
                (429, reason.to_owned(), Some("TooManyRequestsException"))
            }
            (Front::FunctionUrl, Refusal::Overdue | Refusal::Failed) => (502, "Internal Server Error".to_owned(), None),
            (Front::HttpApi, Refusal::TooLarge) => (413, r#"{"message":"Request Entity Too Large"}"#.to_owned(), None),
            (Front::HttpApi, Refusal::Throttled | Refusal::Overdue) => {
                (503, r#"{"message":"Service Unavailable"}"#.to_owned(), None)
            }
            (Front::HttpApi, Refusal::Failed) => (500, r#"{"message":"Internal Server Error"}"#.to_owned(), None),
        };
        let mut response = Response::new(full(body.into()));
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(kind) = kind {
            headers.insert("x-amzn-errortype", HeaderValue::from_static(kind));
        }
        response
    }
}
