//! What emulators are started with.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use crate::s3::Limits;

/// Addresses, names and keys. The default suits every test: free ports of 127.0.0.1, fixed names, S3's own limits.
///
/// ```
/// use berth_local::Options;
///
/// let options = Options { region: "eu-central-1".to_owned(), ..Options::default() };
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Where S3 listens; port 0 is a free one.
    pub s3_address: SocketAddr,
    /// Where DynamoDB listens; port 0 is a free one.
    pub dynamodb_address: SocketAddr,
    /// Where STS listens; port 0 is a free one.
    pub sts_address: SocketAddr,
    /// Where the OpenID Connect issuer listens; port 0 is a free one.
    pub oidc_address: SocketAddr,
    /// The region that signatures must name.
    pub region: String,
    /// The bucket that exists from the start.
    pub bucket: String,
    /// The table that exists from the start.
    pub table: String,
    /// The account number in ARNs, twelve digits.
    pub account: String,
    /// The access key that is known from the start, and may do everything.
    pub access_key: String,
    /// Its secret.
    pub secret_key: String,
    /// Whether the key of a missing object is the `s3:prefix` by which a policy decides between 404 and 403. AWS does not say;
    /// others saw that it is (ceph/ceph#68577, kopia/kopia#3072).
    pub missing_key_is_prefix: bool,
    /// Whether CopyObject and CompleteMultipartUpload take `If-None-Match`; otherwise they answer 501 `NotImplemented`, as the
    /// guide of the China regions says.
    pub conditional_copies: bool,
    /// Where the folder of object bodies is made; the system's place for temporary files when none.
    pub folder: Option<PathBuf>,
    /// S3's bounds.
    pub limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        let free = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
        Self {
            s3_address: free,
            dynamodb_address: free,
            sts_address: free,
            oidc_address: free,
            region: "us-east-1".to_owned(),
            bucket: "berth".to_owned(),
            table: "berth".to_owned(),
            account: "123456789012".to_owned(),
            access_key: "AKIALOCALEMULATOR000".to_owned(),
            secret_key: "the-secret-of-the-local-emulators".to_owned(),
            missing_key_is_prefix: true,
            conditional_copies: true,
            folder: None,
            limits: Limits::default(),
        }
    }
}
