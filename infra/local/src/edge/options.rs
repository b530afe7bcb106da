//! How CloudFront acts where AWS's documentation leaves a choice.

use std::net::{Ipv4Addr, SocketAddr};

/// Which request a viewer-response function sees. The documentation says "the actual request that CloudFront received from the
/// viewer", which need not be meant of a request that a viewer-request function has changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sees {
    /// As the viewer-request function returned it.
    #[default]
    Rewritten,
    /// As the viewer sent it.
    Original,
}

/// What origin access control does with an `x-amz-content-sha256` that a function has set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContentSha256 {
    /// It is the payload hash of CloudFront's signature, so that S3 verifies the body against it.
    #[default]
    Signed,
    /// CloudFront sends `UNSIGNED-PAYLOAD` whatever the function set.
    Ignored,
}

/// What becomes of the rest of a request whose answer needs none of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlyAnswers {
    /// It is read on for a while, beside the answer, so that a client which sends first and reads then sees the answer.
    #[default]
    ReadOn,
    /// The connection is closed: such a client sees a broken pipe.
    Close,
}

/// How CloudFront acts. Where AWS does not document it, the default is what others observed; each such field is an
/// [assumption](crate::Assumption).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeOptions {
    /// Where it listens; port 0 is a free one.
    pub address: SocketAddr,
    /// What viewer-response functions see.
    pub response_sees: Sees,
    /// Whether viewer-response functions run at all, as they do for origin responses with a status below 400.
    pub response_runs: bool,
    /// The payload hash that CloudFront signs for S3.
    pub content_sha256: ContentSha256,
    /// What becomes of the rest of a request.
    pub early_answers: EarlyAnswers,
}

impl Default for EdgeOptions {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            response_sees: Sees::default(),
            response_runs: true,
            content_sha256: ContentSha256::default(),
            early_answers: EarlyAnswers::default(),
        }
    }
}
