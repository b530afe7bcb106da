//! How the edge acts where AWS's documentation leaves a choice.

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

/// What becomes of the rest of a request whose answer needs none of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlyAnswers {
    /// It is read on for a while, beside the answer, so that a client which sends first and reads then sees the answer.
    #[default]
    ReadOn,
    /// The connection is closed: such a client sees a broken pipe.
    Close,
}

/// Each question that AWS does not answer, by default as is kinder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeOptions {
    /// Where it listens; port 0 is a free one.
    pub address: SocketAddr,
    /// What viewer-response functions see.
    pub response_sees: Sees,
    /// Whether origin access control signs headers `x-amz-*` that a function or a viewer added, such as
    /// `x-amz-checksum-sha256`. S3 refuses those that are not signed.
    pub signs_added_headers: bool,
    /// What becomes of the rest of a request.
    pub early_answers: EarlyAnswers,
}

impl Default for EdgeOptions {
    fn default() -> Self {
        Self {
            address: (Ipv4Addr::LOCALHOST, 0).into(),
            response_sees: Sees::default(),
            signs_added_headers: true,
            early_answers: EarlyAnswers::default(),
        }
    }
}
