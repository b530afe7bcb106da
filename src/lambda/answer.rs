//! Answers in the form that Lambda takes them.

use std::future::ready;

use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use http_body_util::BodyExt as _;
use lambda_http::{Body, IntoResponse};

/// The most bytes of an answer's body: in base64, with headers beside it, they stay below the 6,291,556 bytes that
/// Lambda takes ("Lambda quotas", invocation payload). A manifest of the largest size fits.
pub(super) const MOST: u64 = 4_500_000;

/// The most bytes that travel as text. In JSON text may grow to several times its length; base64 adds a third.
const MOST_TEXT: usize = 512 << 10;

/// An answer whose body is all there.
pub(super) struct Buffered(http::Response<Body>);

impl Buffered {
    /// `response`, whose body is in memory already.
    pub(super) async fn of(response: Response) -> Self {
        let (mut parts, body) = response.into_parts();
        join_repeated(&mut parts.headers);
        // What is in memory cannot break off.
        let bytes = body.collect().await.map(|body| Vec::from(body.to_bytes())).unwrap_or_default();
        let body = if bytes.is_empty() {
            Body::Empty
        } else if bytes.len() <= MOST_TEXT && is_text(&parts.headers) {
            // Text only so that logs and traces can be read: what it is not, travels as it is.
            String::from_utf8(bytes).map_or_else(|error| Body::Binary(error.into_bytes()), Body::Text)
        } else {
            Body::Binary(bytes)
        };
        Self(http::Response::from_parts(parts, body))
    }
}

/// As it is, whatever its type is: `lambda_http` would decode text, and so change what is not.
impl IntoResponse for Buffered {
    fn into_response(self) -> std::pin::Pin<Box<dyn Future<Output = http::Response<Body>> + Send>> {
        Box::pin(ready(self.0))
    }
}

fn is_text(headers: &HeaderMap) -> bool {
    let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    media_type.starts_with("text/") || media_type == "application/json" || media_type.ends_with("+json")
}

/// Makes one value of several of the same name (RFC 9110, section 5.3): format 2.0 has room for one ("Payload format
/// version"). The registry sets no cookies, which alone could not be joined.
fn join_repeated(headers: &mut HeaderMap) {
    let repeated: Vec<HeaderName> =
        headers.keys().filter(|name| headers.get_all(*name).iter().count() > 1).cloned().collect();
    for name in repeated {
        let values: Vec<&[u8]> = headers.get_all(&name).iter().map(HeaderValue::as_bytes).collect();
        // Values that can stand alone can stand beside each other.
        if let Ok(joined) = HeaderValue::from_bytes(&values.join(&b", "[..])) {
            headers.insert(name, joined);
        }
    }
}
