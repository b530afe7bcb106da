//! Names: repositories, tags and references (OCI distribution specification, "Pulling manifests").
//!
//! Each type holds a text that its grammar has accepted; nothing past the router carries a bare string.

mod grammar;

use std::{fmt, str::FromStr, sync::Arc};

use crate::digest::{Digest, DigestError};

/// A repository's name: components `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*` joined by `/`, at most 255 bytes in all.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryName(Arc<str>);

/// A tag: `[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Arc<str>);

/// What a manifest is asked by.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Reference {
    /// By a name that may move.
    Tag(Tag),
    /// By its content.
    Digest(Digest),
}

/// Why a text is no name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Not a repository's name.
    #[error(
        "a repository name is lower-case letters and digits, parted by '/', '.', '_', '__' or '-', of at most 255 characters"
    )]
    Repository,
    /// Not a tag.
    #[error(
        "a tag is letters, digits, '_', '.' and '-', of at most 128 characters, and does not begin with '.' or '-'"
    )]
    Tag,
    /// Neither a tag nor a digest.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl RepositoryName {
    /// Bytes of the longest name.
    pub const LONGEST: usize = 255;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Tag {
    /// Bytes of the longest tag.
    pub const LONGEST: usize = 128;

    /// The tag as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RepositoryName {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        grammar::is_repository(text).then(|| Self(text.into())).ok_or(NameError::Repository)
    }
}

impl FromStr for Tag {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        grammar::is_tag(text).then(|| Self(text.into())).ok_or(NameError::Tag)
    }
}

impl FromStr for Reference {
    type Err = NameError;

    /// A text with a colon can only be meant as a digest; any other as a tag.
    fn from_str(text: &str) -> Result<Self, NameError> {
        Ok(if text.contains(':') { Self::Digest(text.parse()?) } else { Self::Tag(text.parse()?) })
    }
}

macro_rules! text {
    ($type:ty) => {
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

text!(RepositoryName);
text!(Tag);

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => fmt::Display::fmt(tag, f),
            Self::Digest(digest) => fmt::Display::fmt(digest, f),
        }
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
