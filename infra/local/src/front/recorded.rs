//! One request, as the log keeps it.

use serde::{Deserialize, Serialize};

/// The service that a request was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Amazon S3.
    S3,
    /// Amazon DynamoDB.
    DynamoDb,
    /// The AWS Security Token Service.
    Sts,
    /// No service of AWS: an OpenID Connect issuer.
    Oidc,
}

impl Service {
    /// The service's prefix in IAM actions: `s3`, `dynamodb`, `sts`; of an issuer, `oidc`.
    pub fn prefix(self) -> &'static str {
        match self {
            Service::S3 => "s3",
            Service::DynamoDb => "dynamodb",
            Service::Sts => "sts",
            Service::Oidc => "oidc",
        }
    }
}

/// What a request says of itself before it is carried out.
#[derive(Clone, Debug)]
pub(crate) struct Arrived {
    pub(crate) service: Service,
    pub(crate) operation: String,
    pub(crate) method: String,
    pub(crate) bucket: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) prefix: Option<String>,
    pub(crate) tables: Vec<String>,
    pub(crate) presigned: bool,
    pub(crate) access_key: Option<String>,
    pub(crate) request_bytes: u64,
}

impl Arrived {
    /// [`Recorded::name`].
    pub(crate) fn name(&self) -> String {
        format!("{}:{}", self.service.prefix(), self.operation)
    }
}

/// One request that reached an emulator, in the order of arrival.
///
/// A request is in the log from its arrival on; `status` and `response_bytes` follow when its answer begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Position in the log, from 0; shared by all services.
    pub sequence: u64,
    /// Whom the request was sent to.
    pub service: Service,
    /// The API operation as AWS spells it: `PutObject`, `ListObjectsV2`, `BatchGetItem`.
    pub operation: String,
    /// The HTTP method.
    pub method: String,
    /// S3: the bucket.
    pub bucket: Option<String>,
    /// S3: the object's key, decoded; of the operations that list, the prefix asked for.
    pub key: Option<String>,
    /// S3: the `bucket/key` that a copy reads.
    pub source: Option<String>,
    /// DynamoDB: the tables named by the request.
    pub tables: Vec<String>,
    /// Whether the query carries the signature: the client's own GET of a presigned URL, not the program's.
    pub presigned: bool,
    /// The access key that signed, not verified for DynamoDB.
    pub access_key: Option<String>,
    /// [`Identity::name`](crate::Identity::name) of whom that key belongs to.
    #[serde(default)]
    pub identity: Option<String>,
    /// Whether the identity's policy refused a permission that it needs: the whole request, or keys of a DeleteObjects.
    #[serde(default)]
    pub denied: bool,
    /// The statements (Sid, or place in the policy) that allow it; empty when the identity has no policy.
    #[serde(default)]
    pub allowed_by: Vec<String>,
    /// Bytes of payload that the request announced, without the framing of `aws-chunked`.
    pub request_bytes: u64,
    /// The answer's status; none while the request runs, or when its connection was cut.
    pub status: Option<u16>,
    /// The answer's Content-Length, where it has one.
    pub response_bytes: Option<u64>,
    /// DynamoDB: the request units that it is charged, reads or writes as the operation has it; none of what failed.
    #[serde(default)]
    pub units: Option<f64>,
    /// The fault that was played on it: [`Fault::name`](crate::Fault::name).
    pub fault: Option<String>,
}

impl Recorded {
    pub(crate) fn new(sequence: u64, arrived: Arrived, identity: Option<String>, fault: Option<String>) -> Self {
        Self {
            sequence,
            service: arrived.service,
            operation: arrived.operation,
            method: arrived.method,
            bucket: arrived.bucket,
            key: arrived.key,
            source: arrived.source,
            tables: arrived.tables,
            presigned: arrived.presigned,
            access_key: arrived.access_key,
            identity,
            denied: false,
            allowed_by: Vec::new(),
            request_bytes: arrived.request_bytes,
            status: None,
            response_bytes: None,
            units: None,
            fault,
        }
    }

    /// The operation in the form of an IAM action: `s3:PutObject`, `dynamodb:GetItem`.
    ///
    /// It is the API operation's name; the permission that IAM asks for may be called otherwise (`ListObjectsV2` needs
    /// `s3:ListBucket`).
    pub fn name(&self) -> String {
        format!("{}:{}", self.service.prefix(), self.operation)
    }
}
