//! The real AWS SDKs against a fresh pair of emulators.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used)] // each test file uses what it needs of it

use std::time::Duration;

use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::{
    BehaviorVersion, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation, SharedHttpClient,
};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::complete_multipart_upload::{CompleteMultipartUploadError, CompleteMultipartUploadOutput};
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart};
use base64::Engine as _;
use berth_local::{Emulators, Identity, Options, Policy};
use s3s::crypto::{Checksum as _, Sha256};

pub const MIB: usize = 1 << 20;

/// A client per service, without retries: each call is one request.
pub struct Stack {
    pub emulators: Emulators,
    pub s3: aws_sdk_s3::Client,
    pub dynamodb: aws_sdk_dynamodb::Client,
    pub bucket: String,
    pub table: String,
}

pub async fn start() -> Stack {
    start_with(Options::default()).await
}

pub async fn start_with(options: Options) -> Stack {
    let emulators = Emulators::start_with(options).await.unwrap();
    let options = emulators.options().clone();
    Stack {
        s3: s3(&emulators, &options.access_key, &options.secret_key),
        dynamodb: dynamodb(&emulators, &options.access_key, &options.secret_key),
        bucket: options.bucket,
        table: options.table,
        emulators,
    }
}

pub fn http_client() -> SharedHttpClient {
    aws_smithy_http_client::Builder::new().build_http()
}

pub fn s3_config(emulators: &Emulators, access_key: &str, secret_key: &str) -> aws_sdk_s3::config::Builder {
    aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(http_client())
        .endpoint_url(emulators.s3().endpoint())
        .region(Region::new(emulators.options().region.clone()))
        .credentials_provider(Credentials::new(access_key, secret_key, None, None, "test"))
        .force_path_style(true)
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_config(RetryConfig::disabled())
}

pub fn s3(emulators: &Emulators, access_key: &str, secret_key: &str) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(s3_config(emulators, access_key, secret_key).build())
}

pub fn dynamodb(emulators: &Emulators, access_key: &str, secret_key: &str) -> aws_sdk_dynamodb::Client {
    use aws_sdk_dynamodb::config as dynamodb;
    aws_sdk_dynamodb::Client::from_conf(
        aws_sdk_dynamodb::Config::builder()
            .behavior_version(dynamodb::BehaviorVersion::latest())
            .http_client(http_client())
            .endpoint_url(emulators.dynamodb().endpoint())
            .region(dynamodb::Region::new(emulators.options().region.clone()))
            .credentials_provider(dynamodb::Credentials::new(access_key, secret_key, None, None, "test"))
            .retry_config(dynamodb::retry::RetryConfig::disabled())
            .build(),
    )
}

impl Stack {
    pub async fn put(&self, key: &str, body: impl Into<Vec<u8>>) -> String {
        let body = ByteStream::from(body.into());
        let output = self.s3.put_object().bucket(&self.bucket).key(key).body(body).send().await.unwrap();
        output.e_tag.unwrap()
    }

    pub async fn get(&self, key: &str) -> Vec<u8> {
        let output = self.s3.get_object().bucket(&self.bucket).key(key).send().await.unwrap();
        output.body.collect().await.unwrap().to_vec()
    }

    pub async fn exists(&self, key: &str) -> bool {
        self.s3.head_object().bucket(&self.bucket).key(key).send().await.is_ok()
    }

    /// Begins an upload without checksums.
    pub async fn begin(&self, key: &str) -> String {
        let output = self.s3.create_multipart_upload().bucket(&self.bucket).key(key).send().await.unwrap();
        output.upload_id.unwrap()
    }

    /// Uploads a part; its ETag.
    pub async fn part(&self, key: &str, upload: &str, number: i32, body: Vec<u8>) -> String {
        let request = self.s3.upload_part().bucket(&self.bucket).key(key).upload_id(upload).part_number(number);
        request.body(body.into()).send().await.unwrap().e_tag.unwrap()
    }

    /// How often an operation was requested, presigned or not.
    pub fn count(&self, operation: &str) -> usize {
        self.emulators.requests().iter().filter(|request| request.operation == operation).count()
    }
}

pub fn presigning() -> PresigningConfig {
    PresigningConfig::expires_in(Duration::from_secs(60)).unwrap()
}

/// What S3 expects in `x-amz-checksum-sha256`.
pub fn sha256(data: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(Sha256::checksum(data))
}

/// Bytes that differ from place to place and do not compress.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

/// The code of a refusal; an empty one where the answer had no body (HEAD).
pub fn code<T: std::fmt::Debug, E: ProvideErrorMetadata, R>(outcome: Result<T, SdkError<E, R>>) -> String {
    outcome.err().unwrap().code().unwrap_or_default().to_owned()
}

/// Completes an upload of the parts 1, 2, 3 ...
pub async fn complete(
    stack: &Stack,
    key: &str,
    upload: &str,
    etags: &[String],
) -> Result<CompleteMultipartUploadOutput, SdkError<CompleteMultipartUploadError>> {
    let parts = (1..).zip(etags).map(|(number, etag)| CompletedPart::builder().part_number(number).e_tag(etag).build());
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
    let complete = stack.s3.complete_multipart_upload().bucket(&stack.bucket).key(key).upload_id(upload);
    complete.multipart_upload(parts).send().await
}

/// A request over a socket of its own, byte for byte; everything that comes back until the peer closes, or half a second
/// passes in silence.
pub fn raw(address: std::net::SocketAddr, request: &[u8]) -> Vec<u8> {
    use std::io::{Read as _, Write as _};
    let mut socket = std::net::TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    socket.write_all(request).unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 8192];
    while let Ok(n @ 1..) = socket.read(&mut buffer) {
        answer.extend_from_slice(&buffer[..n]);
    }
    answer
}

/// How many files of object bodies there are.
pub fn files(folder: &std::path::Path) -> usize {
    std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read_dir(entry.unwrap().path()).unwrap().count()).sum()
}

/// Clients of an identity that may do what these statements say.
pub struct Role {
    pub s3: aws_sdk_s3::Client,
    pub dynamodb: aws_sdk_dynamodb::Client,
}

impl Stack {
    pub fn role(&self, name: &str, statements: serde_json::Value) -> Role {
        let document = serde_json::json!({ "Version": "2012-10-17", "Statement": statements });
        let identity = Identity::named(name, Some(Policy::parse(&document).unwrap()));
        let role = Role {
            s3: s3(&self.emulators, &identity.access_key, &identity.secret_key),
            dynamodb: dynamodb(&self.emulators, &identity.access_key, &identity.secret_key),
        };
        self.emulators.add_identity(identity);
        role
    }
}

/// The message of a refusal.
pub fn message<T: std::fmt::Debug, E: ProvideErrorMetadata, R>(outcome: Result<T, SdkError<E, R>>) -> String {
    outcome.err().unwrap().message().unwrap_or_default().to_owned()
}
