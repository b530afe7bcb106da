//! What S3 refuses although the signature is right.

use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use s3s::access::{S3Access, S3AccessContext};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::authorize;
use super::store::Store;

/// Anonymous requests; authentication in two ways; signatures for another region; headers that the signature leaves out; buckets of another region; what
/// the sender's policy does not allow.
#[derive(Debug)]
pub(super) struct Access(pub(super) Arc<Store>);

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.credentials().is_none() {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        let query = context.uri().query().unwrap_or_default();
        // Seen of clients that send their registry's password along when it redirects them; not documented.
        if query.contains("X-Amz-Algorithm=") && context.headers().contains_key(AUTHORIZATION) {
            return Err(s3_error!(
                InvalidArgument,
                "Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or \
                 the Authorization header should be specified"
            ));
        }
        // Version 2 names neither region nor headers.
        if let Some(signature) = Signature::of(context.headers(), query) {
            signature.check(&self.0.region, context.headers())?;
        }
        context.s3_path().get_bucket_name().map_or(Ok(()), |bucket| self.is_here(bucket))?;
        authorize::request(context.extensions_mut())
    }
}

impl Access {
    /// # Errors
    /// `PermanentRedirect`, with the region in a header, as HeadBucket describes it.
    fn is_here(&self, bucket: &str) -> S3Result<()> {
        let buckets = self.0.buckets();
        let Some(bucket) = buckets.get(bucket).filter(|bucket| bucket.region != self.0.region) else { return Ok(()) };
        let mut error = s3_error!(
            PermanentRedirect,
            "The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future \
             requests to this endpoint."
        );
        if let Ok(region) = HeaderValue::from_str(&bucket.region) {
            error.set_headers([(HeaderName::from_static("x-amz-bucket-region"), region)].into_iter().collect());
        }
        Err(error)
    }
}

/// A URL is good for a week at most ("Authenticating Requests: Using Query Parameters").
const LONGEST_EXPIRY: u64 = 7 * 24 * 3600;

/// What a Signature Version 4 says it covers ("Authenticating Requests").
struct Signature {
    region: String,
    headers: String,
    expires: Option<u64>,
}

impl Signature {
    fn of(headers: &HeaderMap, query: &str) -> Option<Self> {
        let field = |name: &str| {
            let from_query =
                query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-")?.strip_prefix(name)?.strip_prefix('='));
            let header = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
            let from_header = header.and_then(|header| {
                header.split([',', ' ']).find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
            });
            let encoded = from_query.or(from_header)?;
            Some(percent_encoding::percent_decode_str(encoded).decode_utf8_lossy().into_owned())
        };
        // access key / date / region / service / aws4_request
        let region = field("Credential")?.split('/').rev().nth(2)?.to_owned();
        let expires = field("Expires").and_then(|seconds| seconds.parse().ok());
        Some(Self { region, headers: field("SignedHeaders")?, expires })
    }

    fn check(&self, region: &str, headers: &HeaderMap) -> S3Result<()> {
        if self.region != region {
            let given = &self.region;
            let message =
                format!("The authorization header is malformed; the region '{given}' is wrong; expecting '{region}'");
            return Err(S3Error::with_message(S3ErrorCode::AuthorizationHeaderMalformed, message));
        }
        if self.expires.is_some_and(|seconds| seconds > LONGEST_EXPIRY) {
            let message = "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less \
                           than 604800 seconds";
            return Err(S3Error::with_message(S3ErrorCode::AuthorizationQueryParametersError, message));
        }
        let unsigned = headers.keys().map(HeaderName::as_str).find(|name| {
            // S3 does not insist on the payload's hash: it is in the signature by itself.
            let matters = name.starts_with("x-amz-") && *name != "x-amz-content-sha256";
            matters && !self.headers.split(';').any(|signed| signed == *name)
        });
        unsigned.map_or(Ok(()), |name| {
            Err(s3_error!(AccessDenied, "There were headers present in the request which were not signed: {name}"))
        })
    }
}
