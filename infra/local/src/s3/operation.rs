//! Which S3 operation a request is, from its method, path, query and headers alone ("Actions", S3 API reference).

use http::request::Parts;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use crate::front::{Arrived, Service};

/// Describes a request for the log. An operation that the emulator does not know is named by its method.
pub(super) fn describe(parts: &Parts) -> Arrived {
    let path = parts.uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    let query = Query(parts.uri.query().unwrap_or(""));
    let source = text(&parts.headers, "x-amz-copy-source").map(|source| decode(source.trim_start_matches('/')));
    let operation = match (bucket.is_empty(), key.is_empty()) {
        (true, _) => "ListBuckets",
        (_, true) => on_bucket(&parts.method, &query),
        _ => on_object(&parts.method, &query, source.is_some()),
    };
    let key = match operation {
        "ListObjectsV2" | "ListObjects" | "ListMultipartUploads" => Some(query.value("prefix").unwrap_or_default()),
        _ => Some(decode(key)).filter(|key| !key.is_empty()),
    };
    let presigned = query.has("X-Amz-Signature") || query.has("Signature");
    Arrived {
        service: Service::S3,
        prefix: query.value("prefix"),
        operation: if operation.is_empty() { parts.method.to_string() } else { operation.to_owned() },
        method: parts.method.to_string(),
        bucket: Some(decode(bucket)).filter(|bucket| !bucket.is_empty()),
        key,
        source,
        tables: Vec::new(),
        presigned,
        access_key: access_key(&parts.headers).or_else(|| query.value("X-Amz-Credential").map(until_slash)),
        request_bytes: payload_length(&parts.headers),
    }
}

fn on_bucket(method: &Method, query: &Query<'_>) -> &'static str {
    match *method {
        Method::GET if query.value("list-type").as_deref() == Some("2") => "ListObjectsV2",
        Method::GET if query.has("uploads") => "ListMultipartUploads",
        Method::GET if query.has("location") => "GetBucketLocation",
        Method::GET if query.has("versions") => "ListObjectVersions",
        Method::GET => "ListObjects",
        Method::HEAD => "HeadBucket",
        Method::PUT => "CreateBucket",
        Method::DELETE => "DeleteBucket",
        Method::POST if query.has("delete") => "DeleteObjects",
        _ => "",
    }
}

fn on_object(method: &Method, query: &Query<'_>, copies: bool) -> &'static str {
    match *method {
        Method::GET if query.has("uploadId") => "ListParts",
        Method::GET if query.has("attributes") => "GetObjectAttributes",
        Method::GET if query.has("tagging") => "GetObjectTagging",
        Method::GET if query.has("acl") => "GetObjectAcl",
        Method::GET => "GetObject",
        Method::HEAD => "HeadObject",
        Method::PUT if query.has("partNumber") && copies => "UploadPartCopy",
        Method::PUT if query.has("partNumber") => "UploadPart",
        Method::PUT if query.has("tagging") => "PutObjectTagging",
        Method::PUT if query.has("acl") => "PutObjectAcl",
        Method::PUT if copies => "CopyObject",
        Method::PUT => "PutObject",
        Method::POST if query.has("uploads") => "CreateMultipartUpload",
        Method::POST if query.has("uploadId") => "CompleteMultipartUpload",
        Method::DELETE if query.has("uploadId") => "AbortMultipartUpload",
        Method::DELETE if query.has("tagging") => "DeleteObjectTagging",
        Method::DELETE => "DeleteObject",
        _ => "",
    }
}

/// The access key of an `Authorization` header of Signature Version 4.
pub(crate) fn access_key(headers: &HeaderMap) -> Option<String> {
    let (_, credential) = text(headers, "authorization")?.split_once("Credential=")?;
    Some(until_slash(credential.to_owned()))
}

fn until_slash(credential: String) -> String {
    credential.split('/').next().unwrap_or_default().to_owned()
}

/// Bytes of payload, without the framing of `aws-chunked`.
fn payload_length(headers: &HeaderMap) -> u64 {
    let announced = text(headers, "x-amz-decoded-content-length").or_else(|| text(headers, "content-length"));
    announced.and_then(|length| length.parse().ok()).unwrap_or(0)
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

fn decode(encoded: &str) -> String {
    percent_decode_str(encoded).decode_utf8_lossy().into_owned()
}

/// A query string, searched as it is: requests ask for few names.
struct Query<'q>(&'q str);

impl Query<'_> {
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.split('&').map(|pair| pair.split_once('=').unwrap_or((pair, "")))
    }

    fn has(&self, name: &str) -> bool {
        self.pairs().any(|(given, _)| given == name)
    }

    fn value(&self, name: &str) -> Option<String> {
        self.pairs().find(|(given, _)| *given == name).map(|(_, value)| decode(&value.replace('+', " ")))
    }
}
