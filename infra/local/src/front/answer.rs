//! Error answers in each service's own form.

use bytes::Bytes;
use http::{Method, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};

use super::body::ResponseBody;
use super::recorded::Service;

/// An error answer. S3: XML, without a body to a HEAD ("Error responses", S3 API reference). DynamoDB: JSON with the
/// namespaced type ("Error handling with DynamoDB"). STS: JSON, as who asks for that gets it. The message is text that XML takes as it is.
pub(crate) fn error(
    service: Service,
    method: &Method,
    status: u16,
    code: &str,
    message: &str,
) -> Response<ResponseBody> {
    let (kind, body) = match service {
        Service::S3 if method == Method::HEAD => ("application/xml", String::new()),
        Service::S3 => (
            "application/xml",
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
            ),
        ),
        Service::DynamoDb => (
            "application/x-amz-json-1.0",
            serde_json::json!({ "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": message })
                .to_string(),
        ),
        Service::Sts => (
            "application/json",
            serde_json::json!({ "Error": { "Code": code, "Message": message, "Type": "Sender" } }).to_string(),
        ),
        Service::Oidc => ("application/json", serde_json::json!({ "error": code }).to_string()),
    };
    let body = Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync();
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}
