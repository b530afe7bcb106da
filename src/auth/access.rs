//! What a request wants to do, made from its route before anything is done for it.

use std::fmt;

use crate::name::RepositoryName;

/// One thing that may be allowed or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// To do something with what a repository holds.
    Repository(RepositoryName, Action),
    /// To list the repositories: of them, those that the caller may pull from.
    Catalog,
}

/// What is done with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    /// To read: manifests, blobs, tags, referrers.
    Pull,
    /// To add: uploads, which includes asking after and cancelling them, manifests, tags.
    Push,
    /// To delete manifests, tags and blobs.
    Delete,
}

impl Action {
    /// Every action.
    pub const ALL: [Self; 3] = [Self::Pull, Self::Push, Self::Delete];

    /// Its name in rules, and in the scopes of tokens ("Docker Registry Token Scope").
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::Push => "push",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Repository(name, Action::Pull) => write!(f, "pull from {name}"),
            Self::Repository(name, Action::Push) => write!(f, "push to {name}"),
            Self::Repository(name, Action::Delete) => write!(f, "delete in {name}"),
            Self::Catalog => f.write_str("list the repositories"),
        }
    }
}
