//! Requests that a policy did not allow.

use serde::{Deserialize, Serialize};

/// One permission that was refused, and with it the request, or of a DeleteObjects one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denial {
    /// [`Identity::name`](crate::Identity::name) of who asked.
    pub identity: String,
    /// What was requested: `s3:CopyObject`.
    pub operation: String,
    /// The permission that is missing: `s3:GetObject`. The operation itself where the emulators do not know which it needs.
    pub action: String,
    /// On what: `arn:aws:s3:::bucket/key`.
    pub resource: String,
    /// The statement that denies; none when nothing allows.
    pub denied_by: Option<String>,
    /// As AWS words it to the client ("Troubleshoot access denied error messages").
    pub message: String,
}
