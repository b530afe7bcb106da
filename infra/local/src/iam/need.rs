//! One permission that a request needs.

/// An IAM action on a resource ("Service Authorization Reference"), with what conditions may ask of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// `s3:GetObject`.
    pub(crate) action: String,
    /// `arn:aws:s3:::bucket/key`.
    pub(crate) resource: String,
    /// `s3:prefix`: of a list that names a prefix, also an empty one.
    pub(crate) prefix: Option<String>,
}

impl Need {
    pub(crate) fn new(action: impl Into<String>, resource: impl Into<String>) -> Self {
        Self { action: action.into(), resource: resource.into(), prefix: None }
    }
}
