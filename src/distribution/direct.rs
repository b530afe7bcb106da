//! Direct uploads: content that its sender hands to the backend itself, by requests that the registry signs
//! (`docs/direct-upload.md`).

use std::time::SystemTime;

use super::Upload;
use crate::{descriptor::Descriptor, digest::Digest};

/// Content that a client announces when it opens a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Its digest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
    /// Whether whoever asks may read everything, so that content may be linked wherever it was found.
    pub reads_all: bool,
}

/// A PUT that is signed: whoever holds it may make it. It stores what it was signed for, or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedPut {
    /// Where to.
    pub url: String,
    /// Headers that must be sent as they are; names are in lower case.
    pub headers: Vec<(String, String)>,
    /// When it has to have begun.
    pub expires: SystemTime,
}

/// Where announced content may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// By this request.
    Put(SignedPut),
    /// In parts; [`super::BlobWriter::parts`] says where each goes.
    Parts(PartPlan),
}

/// How content is divided into parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartPlan {
    /// The size of each part but the last, in bytes.
    pub part: u64,
    /// The size of the whole.
    pub size: u64,
}

impl PartPlan {
    /// How many parts there are; they are counted from 1.
    pub fn count(self) -> u32 {
        u32::try_from(self.size.div_ceil(self.part.max(1))).unwrap_or(u32::MAX)
    }

    /// The size in bytes of part `number`; `None` when there is none of that number.
    pub fn size_of(self, number: u32) -> Option<u64> {
        let before = u64::from(number.checked_sub(1)?).checked_mul(self.part)?;
        let left = self.size.checked_sub(before)?;
        Some(left.min(self.part)).filter(|size| *size > 0)
    }
}

/// A part, and whether it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartState {
    /// Counted from 1.
    pub number: u32,
    /// Its size in bytes.
    pub size: u64,
    /// Where it stands.
    pub standing: PartStanding,
}

/// Whether a part is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartStanding {
    /// It is, with its full size; the backend names its content so.
    Stored(String),
    /// It is not, and goes there.
    Wanted(SignedPut),
}

/// Some parts of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartsPage {
    /// How the content is divided.
    pub plan: PartPlan,
    /// In the order of their numbers.
    pub parts: Vec<PartState>,
}

/// What came of closing a direct session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectCommit {
    /// The content is stored under its digest, and linked.
    Done(Descriptor),
    /// It takes longer than one request may. Commit again, from the state of this upload.
    GoesOn {
        /// Where the session stands now.
        upload: Upload,
        /// The size of the content in bytes.
        size: u64,
        /// Bytes whose hash is known.
        verified: u64,
        /// Bytes at their final place, out of sight yet.
        copied: u64,
    },
}

/// What came of closing a session over content that the edge stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StagedCommit {
    /// The content is stored under its digest, and linked.
    Done,
    /// It takes longer than one request may. Commit again, from the state of this upload.
    GoesOn(Upload),
}

/// Why a direct session cannot do what was asked; it stands as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectFault {
    /// Nothing was sent to the target yet.
    #[error("the content is not at its target; send it there and close again")]
    Missing,
    /// Somebody else's content came first: equal, but no proof that this client has it.
    #[error("another client stored the same content first; open another upload and send it there")]
    Superseded,
    /// Parts are missing, or are not as long as they are to be.
    #[error("{count} parts are missing or not of their size; send them and close again")]
    PartsMissing {
        /// The first of them.
        missing: Vec<u32>,
        /// All of them.
        count: u32,
    },
    /// The session has no parts.
    #[error("this upload has no parts, or the range of parts is not <first>-<last>")]
    NoParts,
    /// The parts were put together already.
    #[error("all parts are there and were put together; close the upload")]
    PartsComplete,
}
