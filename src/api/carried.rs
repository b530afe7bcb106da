//! Response headers under names that AWS's front ends leave alone.
//!
//! A Lambda function URL renames some response headers and computes `Content-Length` itself. The registry on Lambda
//! therefore repeats them under names of its own, from which the front end or the client restores them.

/// The status of a response that travels with status 300. CloudFront runs no viewer-response function for an origin status
/// of 400 or above (Amazon CloudFront Developer Guide, "Restrictions on all edge functions").
pub const BERTH_STATUS: &str = "x-berth-status";

/// The value of `WWW-Authenticate`. A function URL renames that one to [`REMAPPED_CHALLENGE`].
pub const BERTH_CHALLENGE: &str = "x-berth-challenge";

/// What a Lambda function URL makes of `WWW-Authenticate` in its responses. HTTP APIs may do so too.
pub const REMAPPED_CHALLENGE: &str = "x-amzn-remapped-www-authenticate";

/// The value of `Range`.
pub const BERTH_RANGE: &str = "x-berth-range";

/// The value of `Content-Length` of a response to HEAD, in bytes.
pub const BERTH_LENGTH: &str = "x-berth-length";
