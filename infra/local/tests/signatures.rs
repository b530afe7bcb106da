//! Who may do what: signatures in headers and in URLs.
#![allow(clippy::unwrap_used)] // a test that cannot go on fails

mod support;

use std::time::{Duration, Instant, SystemTime};

use aws_sdk_s3::config::Region;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use s3s::crypto::{Checksum as _, Sha256};
use support::{Stack, code, presigning, raw, sha256, start};

/// Sends a presigned request, with `extra` headers, as a client without credentials.
fn send(stack: &Stack, method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> (u16, String) {
    let path = url.strip_prefix(&stack.emulators.s3().endpoint()).unwrap();
    let mut request = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\n", stack.emulators.s3().address());
    for (name, value) in headers {
        request += &format!("{name}: {value}\r\n");
    }
    if method == "PUT" {
        request += &format!("content-length: {}\r\n", body.len());
    }
    let request = [format!("{request}connection: close\r\n\r\n").as_bytes(), body].concat();
    let answer = String::from_utf8_lossy(&raw(stack.emulators.s3().address(), &request)).into_owned();
    (answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), answer)
}

fn headers(request: &PresignedRequest) -> Vec<(&str, &str)> {
    request.headers().collect()
}

#[tokio::test]
async fn a_wrong_secret_and_an_unknown_key_are_refused() {
    let stack = start().await;
    let options = stack.emulators.options();
    let client = support::s3(&stack.emulators, &options.access_key, "wrong");
    assert_eq!(code(client.get_object().bucket(&stack.bucket).key("key").send().await), "SignatureDoesNotMatch");
    let client = support::s3(&stack.emulators, "AKIAUNKNOWN", &options.secret_key);
    assert_eq!(code(client.get_object().bucket(&stack.bucket).key("key").send().await), "InvalidAccessKeyId");
}

#[tokio::test]
async fn an_anonymous_request_is_refused() {
    let stack = start().await;
    stack.put("key", "x").await;
    let url = format!("{}/{}/key", stack.emulators.s3().endpoint(), stack.bucket);
    assert_eq!(send(&stack, "GET", &url, &[], b"").0, 403);
}

#[tokio::test]
async fn another_region_is_refused() {
    let stack = start().await;
    let options = stack.emulators.options();
    let config = support::s3_config(&stack.emulators, &options.access_key, &options.secret_key);
    let client = aws_sdk_s3::Client::from_conf(config.region(Region::new("eu-central-1")).build());
    let get = client.get_object().bucket(&stack.bucket).key("key").send().await;
    assert_eq!(code(get), "AuthorizationHeaderMalformed");
}

#[tokio::test]
async fn a_bucket_of_another_region_is_elsewhere() {
    let stack = start().await;
    assert!(stack.emulators.s3().create_bucket_elsewhere("far", "eu-central-1"));
    let error = stack.s3.get_object().bucket("far").key("key").send().await.unwrap_err();
    let response = error.raw_response().unwrap();
    assert_eq!(response.status().as_u16(), 301);
    assert_eq!(response.headers().get("x-amz-bucket-region"), Some("eu-central-1"));
    assert_eq!(code(Err::<(), _>(error)), "PermanentRedirect");
}

#[tokio::test]
async fn a_presigned_get_needs_no_credentials_and_is_recorded_as_such() {
    let stack = start().await;
    stack.put("a key/with+signs", "content").await;
    let get = stack.s3.get_object().bucket(&stack.bucket).key("a key/with+signs");
    let get = get.response_content_type("application/x-tar").presigned(presigning()).await.unwrap();
    let (status, answer) = send(&stack, "GET", get.uri(), &headers(&get), b"");
    assert_eq!(status, 200);
    assert!(answer.contains("content-type: application/x-tar") && answer.ends_with("content"), "{answer}");
    let (status, _) = send(&stack, "GET", get.uri(), &[("range", "bytes=1-2")], b"");
    assert_eq!(status, 206);
    let requests = stack.emulators.requests();
    let recorded = requests.iter().find(|request| request.operation == "GetObject").unwrap();
    assert!(recorded.presigned);
    assert_eq!(recorded.key.as_deref(), Some("a key/with+signs"));
    assert_eq!(recorded.access_key.as_deref(), Some(stack.emulators.options().access_key.as_str()));
    assert_eq!(stack.emulators.counts().get("s3:GetObject"), None, "the client's own are not counted");
}

#[tokio::test]
async fn a_presigned_head_answers_as_the_get_would() {
    let stack = start().await;
    stack.put("key", "content").await;
    let head = stack.s3.head_object().bucket(&stack.bucket).key("key").response_content_type("a/b");
    let head = head.presigned(presigning()).await.unwrap();
    let (status, answer) = send(&stack, "HEAD", head.uri(), &[], b"");
    assert_eq!(status, 200);
    assert!(answer.contains("content-length: 7\r\n") && answer.contains("content-type: a/b\r\n"), "{answer}");
}

#[tokio::test]
async fn a_url_for_one_method_or_key_does_not_serve_another() {
    let stack = start().await;
    stack.put("key", "content").await;
    stack.put("kez", "content").await;
    let get = stack.s3.get_object().bucket(&stack.bucket).key("key").presigned(presigning()).await.unwrap();
    assert_eq!(send(&stack, "HEAD", get.uri(), &[], b"").0, 403);
    assert_eq!(send(&stack, "GET", &get.uri().replace("/key", "/kez"), &[], b"").0, 403);
    assert_eq!(send(&stack, "GET", &format!("{}&response-content-type=a%2Fb", get.uri()), &[], b"").0, 403);
    assert_eq!(send(&stack, "GET", &format!("{}&x=y", get.uri()), &[], b"").0, 403);
    assert_eq!(send(&stack, "GET", get.uri(), &[], b"").0, 200);
}

#[tokio::test]
async fn a_url_expires() {
    let stack = start().await;
    stack.put("key", "content").await;
    let past = PresigningConfig::builder().start_time(SystemTime::now() - Duration::from_secs(61));
    let past = past.expires_in(Duration::from_secs(60)).build().unwrap();
    let get = stack.s3.get_object().bucket(&stack.bucket).key("key").presigned(past).await.unwrap();
    let (status, answer) = send(&stack, "GET", get.uri(), &[], b"");
    assert_eq!(status, 403);
    assert!(answer.contains("Request has expired"), "{answer}");
}

#[tokio::test]
async fn a_presigned_put_stores_only_the_content_it_was_signed_for() {
    let stack = start().await;
    let put = stack.s3.put_object().bucket(&stack.bucket).key("key").checksum_sha256(sha256(b"content"));
    let put = put.presigned(presigning()).await.unwrap();
    let signed = headers(&put);
    assert!(signed.iter().any(|(name, _)| *name == "x-amz-checksum-sha256"), "{signed:?}");
    let other = sha256(b"other!!");
    assert_eq!(send(&stack, "PUT", put.uri(), &[], b"content").0, 403, "the header is signed");
    assert_eq!(send(&stack, "PUT", put.uri(), &[("x-amz-checksum-sha256", &other)], b"other!!").0, 403);
    let (status, answer) = send(&stack, "PUT", put.uri(), &signed, b"other!!");
    assert!(status == 400 && answer.contains("BadDigest"), "{answer}");
    assert!(!stack.exists("key").await);
    assert_eq!(send(&stack, "PUT", put.uri(), &signed, b"content").0, 200);
    assert_eq!(stack.get("key").await, b"content");
}

#[tokio::test]
async fn an_unsigned_amz_header_is_refused() {
    let stack = start().await;
    let put = stack.s3.put_object().bucket(&stack.bucket).key("key").presigned(presigning()).await.unwrap();
    let (status, answer) = send(&stack, "PUT", put.uri(), &[("x-amz-meta-name", "value")], b"x");
    assert!(status == 403 && answer.contains("were not signed"), "{answer}");
    assert_eq!(send(&stack, "PUT", put.uri(), &[], b"x").0, 200);
}

#[tokio::test]
async fn a_password_beside_a_presigned_url_is_one_way_too_many() {
    let stack = start().await;
    stack.put("key", "x").await;
    let url = stack.s3.get_object().bucket(&stack.bucket).key("key").presigned(presigning()).await.unwrap();
    let (status, answer) = send(&stack, "GET", url.uri(), &[("authorization", "Basic YTpi")], b"");
    assert_eq!(status, 400);
    assert!(answer.contains("<Code>InvalidArgument</Code>") && answer.contains("Only one auth mechanism"), "{answer}");
    assert_eq!(send(&stack, "GET", url.uri(), &[], b"").0, 200);
}

#[tokio::test]
async fn a_content_hash_is_verified_however_the_request_is_signed() {
    let stack = start().await;
    // The second size is not kept in memory.
    for length in [5, 300 << 10] {
        let (right, wrong) = (vec![7; length], vec![8; length]);
        let hash = hex::encode(Sha256::checksum(&right));
        let put = stack.s3.put_object().bucket(&stack.bucket).key("url").presigned(presigning()).await.unwrap();
        let (status, answer) = send(&stack, "PUT", put.uri(), &[("x-amz-content-sha256", &hash)], &wrong);
        assert_eq!(status, 400);
        assert!(answer.contains("<Code>XAmzContentSHA256Mismatch</Code>"), "{answer}");
        assert!(!stack.exists("url").await, "nothing is stored");
        assert_eq!(send(&stack, "PUT", put.uri(), &[("x-amz-content-sha256", &hash)], &right).0, 200);
        // The header is what is signed; the body is another.
        let put = stack.s3.put_object().bucket(&stack.bucket).key("header").body(right.into());
        let put = put.customize().interceptor(OtherBody(wrong));
        assert_eq!(code(put.send().await), "XAmzContentSHA256Mismatch");
        assert!(!stack.exists("header").await, "nothing is stored");
        stack.s3.delete_object().bucket(&stack.bucket).key("url").send().await.unwrap();
    }
}

/// Sends another body than the one that was signed.
#[derive(Debug)]
struct OtherBody(Vec<u8>);

impl aws_sdk_s3::config::Intercept for OtherBody {
    fn name(&self) -> &'static str {
        "OtherBody"
    }

    fn modify_before_transmit(
        &self,
        context: &mut aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextMut<'_>,
        _: &aws_sdk_s3::config::RuntimeComponents,
        _: &mut aws_sdk_s3::config::ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        *context.request_mut().body_mut() = self.0.clone().into();
        Ok(())
    }
}

#[tokio::test]
async fn a_body_that_ends_early_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let options = berth_local::Options { folder: Some(folder.path().to_owned()), ..Default::default() };
    let stack = support::start_with(options).await;
    let put = stack.s3.put_object().bucket(&stack.bucket).key("key").presigned(presigning()).await.unwrap();
    for announced in [1000, 10_000_000] {
        let path = put.uri().strip_prefix(&stack.emulators.s3().endpoint()).unwrap();
        let host = stack.emulators.s3().address();
        let request = format!("PUT {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {announced}\r\n\r\nshort");
        raw(host, request.as_bytes());
        assert!(!stack.exists("key").await);
    }
    assert!(stack.emulators.s3().objects().is_empty());
    let begun = Instant::now();
    while support::files(folder.path()) > 0 {
        assert!(begun.elapsed() < Duration::from_secs(5), "the file stays");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_presigned_put_that_creates_only_and_marks_is_taken_once_and_with_all_its_headers() {
    let stack = start().await;
    let put = stack.s3.put_object().bucket(&stack.bucket).key("key").checksum_sha256(sha256(b"content"));
    let put = put.if_none_match("*").metadata("owner", "me").content_length(7).presigned(presigning()).await.unwrap();
    let signed = headers(&put);
    // The connection's own is the right one here.
    let signed: Vec<_> = signed.into_iter().filter(|(name, _)| *name != "content-length").collect();
    for name in ["if-none-match", "x-amz-meta-owner", "x-amz-checksum-sha256"] {
        let without: Vec<_> = signed.iter().copied().filter(|(other, _)| *other != name).collect();
        assert_eq!(without.len() + 1, signed.len(), "{name} is signed");
        assert_eq!(send(&stack, "PUT", put.uri(), &without, b"content").0, 403, "without {name}");
        let other: Vec<_> = without.into_iter().chain([(name, "other")]).collect();
        assert_eq!(send(&stack, "PUT", put.uri(), &other, b"content").0, 403, "another {name}");
    }
    assert_eq!(send(&stack, "PUT", put.uri(), &signed, b"content and more").0, 403, "the length is signed");
    assert!(stack.emulators.s3().objects().is_empty());
    // What does not begin with x-amz- need not be signed: S3 keeps it, and gives it to whoever reads.
    let encoded: Vec<_> = signed.iter().copied().chain([("content-encoding", "gzip")]).collect();
    assert_eq!(send(&stack, "PUT", put.uri(), &encoded, b"content").0, 200);
    let (status, answer) = send(&stack, "PUT", put.uri(), &signed, b"content");
    assert!(status == 412 && answer.contains("PreconditionFailed"), "{answer}");
    let head = stack.s3.head_object().bucket(&stack.bucket).key("key").send().await.unwrap();
    assert_eq!((head.metadata().unwrap()["owner"].as_str(), head.content_encoding()), ("me", Some("gzip")));
}
