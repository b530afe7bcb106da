//! Origin access control: requests to a bucket, signed with Signature Version 4 ("Create a signed AWS API request", IAM User
//! Guide). Which headers CloudFront signs is not documented; headers `x-amz-*` that a function adds are left out here, and S3
//! refuses those.

use http::request::Parts;
use http::{HeaderName, HeaderValue, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use ring::{digest, hmac};
use time::OffsetDateTime;
use time::macros::format_description;

use super::options::ContentSha256;
use crate::Identity;

const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The headers that are signed.
const SIGNED: [&str; 4] = ["host", "x-amz-cf-id", "x-amz-content-sha256", "x-amz-date"];

/// Who signs, and for where.
#[derive(Clone, Debug)]
pub(super) struct Signer {
    identity: Identity,
    region: String,
}

impl Signer {
    pub(super) fn new(identity: Identity, region: String) -> Self {
        Self { identity, region }
    }

    /// Puts a signature in place of the viewer's `Authorization`. The payload hash is the request's `x-amz-content-sha256`,
    /// unless that is ignored or missing: `UNSIGNED-PAYLOAD`.
    pub(super) fn sign(&self, parts: &mut Parts, content_sha256: ContentSha256, now: OffsetDateTime) {
        let date = now.format(format_description!("[year][month][day]T[hour][minute][second]Z")).unwrap_or_default();
        let day = date.get(..8).unwrap_or_default().to_owned();
        let headers = &mut parts.headers;
        headers.remove("x-amz-security-token");
        let given = headers.get("x-amz-content-sha256").filter(|_| content_sha256 == ContentSha256::Signed);
        let payload = given.cloned().unwrap_or(HeaderValue::from_static("UNSIGNED-PAYLOAD"));
        headers.insert("x-amz-content-sha256", payload.clone());
        let payload = String::from_utf8_lossy(payload.as_bytes()).into_owned();
        if let Ok(date) = HeaderValue::from_str(&date) {
            headers.insert("x-amz-date", date);
        }
        let is_signed = |name: &HeaderName| SIGNED.contains(&name.as_str());
        let mut names: Vec<_> = headers.keys().filter(|name| is_signed(name)).map(HeaderName::as_str).collect();
        names.sort_unstable();
        let mut canonical = String::new();
        for name in &names {
            let values = headers.get_all(*name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
            let values: Vec<_> = values.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
            canonical.push_str(&format!("{name}:{}\n", values.join(",")));
        }
        let signed = names.join(";");
        let (method, path) = (&parts.method, parts.uri.path());
        let query = canonical_query(parts.uri.query().unwrap_or_default());
        let request = format!("{method}\n{path}\n{query}\n{canonical}\n{signed}\n{payload}");
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let hashed = hex::encode(digest::digest(&digest::SHA256, request.as_bytes()));
        let text = format!("AWS4-HMAC-SHA256\n{date}\n{scope}\n{hashed}");
        let secret = format!("AWS4{}", self.identity.secret_key).into_bytes();
        let key = scope.split('/').fold(secret, |key, part| code(&key, part));
        let signature = hex::encode(code(&key, &text));
        let credential = format!("{}/{scope}", self.identity.access_key);
        let value = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}");
        if let Ok(value) = HeaderValue::from_str(&value) {
            parts.headers.insert(header::AUTHORIZATION, value);
        }
    }
}

fn canonical_query(query: &str) -> String {
    let encode = |text: &str| {
        let decoded = percent_decode_str(text).decode_utf8_lossy().into_owned();
        utf8_percent_encode(&decoded, ESCAPED).to_string()
    };
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let mut pairs: Vec<_> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.sort();
    pairs.join("&")
}

fn code(key: &[u8], text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text.as_bytes()).as_ref().to_vec()
}
