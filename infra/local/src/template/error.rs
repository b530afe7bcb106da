//! Why a template gives nothing.

use std::path::PathBuf;

/// A template that cannot be read, or a place in it that is not understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// No such file, or no permission.
    #[error("{} cannot be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// Not YAML as it is understood here.
    #[error("the template is not plain YAML: {0}")]
    Yaml(String),
    /// Something in it.
    #[error("{place}: {fault}")]
    At {
        /// The path of keys: `Resources.Bucket.Properties.BucketName`.
        place: String,
        /// What is wrong there.
        fault: String,
    },
}

impl TemplateError {
    pub(crate) fn at(place: &str, fault: impl Into<String>) -> Self {
        Self::At { place: place.to_owned(), fault: fault.into() }
    }
}
