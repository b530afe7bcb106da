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
    /// To read a blob by its digest alone, in whichever repository it is: for whoever may pull from all of them.
    AnyBlob,
}

/// What a request wants to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// What it cannot do without.
    pub needed: Vec<Access>,
    /// What would spare its sender work: a blob is mounted from where it may be read, and sent where not. A caller who could get
    /// that by a token that says so is asked to; one who may not is not told so, and served without.
    pub wished: Vec<Access>,
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
            Self::AnyBlob => f.write_str("read any blob"),
        }
    }
}
