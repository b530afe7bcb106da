//! Headers that functions may not see, or not change ("Restrictions on all edge functions", HTTP headers).

use super::event::EventType;

/// Not exposed to functions, and not to be added by them. Names end in `*` where all that begin so are meant.
const DISALLOWED: [&str; 27] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "trailer",
    "upgrade",
    "x-accel-buffering",
    "x-accel-charset",
    "x-accel-limit-rate",
    "x-accel-redirect",
    "x-amz-cf-*",
    "x-amzn-auth",
    "x-amzn-cf-billing",
    "x-amzn-cf-id",
    "x-amzn-cf-xff",
    "x-amzn-errortype",
    "x-amzn-fle-profile",
    "x-amzn-header-count",
    "x-amzn-header-order",
    "x-amzn-lambda-integration-tag",
    "x-amzn-requestid",
    "x-cache",
    "x-edge-*",
    "x-forwarded-proto",
    "x-real-ip",
];

/// Whether functions neither see nor add this header, whose name is in lower case.
pub(in crate::edge) fn is_disallowed(name: &str) -> bool {
    DISALLOWED.iter().any(|known| match known.strip_suffix('*') {
        Some(prefix) => name.starts_with(prefix),
        None => name == *known,
    })
}

/// Whether functions may read this header, but not add, change or remove it.
pub(super) fn is_read_only(name: &str, event: EventType) -> bool {
    match event {
        EventType::ViewerRequest => ["cdn-loop", "content-length", "host", "transfer-encoding", "via"].contains(&name),
        // Content-Length, Content-Encoding and Transfer-Encoding are read-only to Lambda@Edge alone.
        EventType::ViewerResponse => ["warning", "via"].contains(&name),
    }
}
