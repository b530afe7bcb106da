//! Paths under `/v2/`, parsed and built in one place.
//!
//! Names may hold slashes and even words such as `manifests`, so a path is matched from the right.

use std::fmt;

use crate::{
    digest::{Digest, DigestError},
    name::{NameError, Reference, RepositoryName},
};

/// A request's path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// `/v2/`: does this speak the protocol?
    Base,
    /// `/v2/_catalog`: repositories.
    Catalog,
    /// `/v2/<name>/tags/list`.
    Tags(RepositoryName),
    /// `/v2/<name>/manifests/<reference>`.
    Manifest(RepositoryName, Reference),
    /// `/v2/<name>/blobs/<digest>`.
    Blob(RepositoryName, Digest),
    /// `/v2/<name>/blobs/uploads/`: new uploads.
    Uploads(RepositoryName),
    /// `/v2/<name>/blobs/uploads/<id>`: one session.
    Upload(RepositoryName, String),
    /// `/v2/<name>/referrers/<digest>`.
    Referrers(RepositoryName, Digest),
}

/// Why a path is no route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteFault {
    /// It has the form of none.
    #[error("no such endpoint")]
    Unknown,
    /// The repository's name is malformed.
    #[error("{0}")]
    Name(NameError),
    /// The tag is malformed.
    #[error("{0}")]
    Tag(NameError),
    /// The digest is malformed, or of an algorithm that the registry does not have.
    #[error("{0}")]
    Digest(DigestError),
}

impl Route {
    /// The route of `path`, which is percent-decoded and begins with `/v2`.
    ///
    /// # Errors
    /// [`RouteFault`]; parts are checked only after the form fits, so that a malformed digest is told apart from
    /// a path that does not exist.
    pub fn parse(path: &str) -> Result<Self, RouteFault> {
        let rest = match path.strip_prefix("/v2") {
            Some("" | "/") => return Ok(Self::Base),
            Some("/_catalog") => return Ok(Self::Catalog),
            Some(rest) => rest.strip_prefix('/').ok_or(RouteFault::Unknown)?,
            None => return Err(RouteFault::Unknown),
        };
        let repository = |name: &str| name.parse::<RepositoryName>().map_err(RouteFault::Name);
        if let Some(name) = rest.strip_suffix("/tags/list") {
            return Ok(Self::Tags(repository(name)?));
        }
        // POST goes to `uploads/`; a client that drops the slash is understood.
        if let Some(name) = rest.strip_suffix("/blobs/uploads/").or_else(|| rest.strip_suffix("/blobs/uploads")) {
            return Ok(Self::Uploads(repository(name)?));
        }
        let (front, last) = rest.rsplit_once('/').ok_or(RouteFault::Unknown)?;
        if let Some(name) = front.strip_suffix("/blobs/uploads") {
            return Ok(Self::Upload(repository(name)?, last.to_owned()));
        }
        if let Some(name) = front.strip_suffix("/manifests") {
            let name = repository(name)?;
            return match last.parse() {
                Ok(reference) => Ok(Self::Manifest(name, reference)),
                Err(NameError::Digest(fault)) => Err(RouteFault::Digest(fault)),
                Err(fault) => Err(RouteFault::Tag(fault)),
            };
        }
        if let Some(name) = front.strip_suffix("/blobs") {
            return Ok(Self::Blob(repository(name)?, last.parse().map_err(RouteFault::Digest)?));
        }
        if let Some(name) = front.strip_suffix("/referrers") {
            return Ok(Self::Referrers(repository(name)?, last.parse().map_err(RouteFault::Digest)?));
        }
        Err(RouteFault::Unknown)
    }

    /// The repository that it is about.
    pub fn repository(&self) -> Option<&RepositoryName> {
        match self {
            Self::Base | Self::Catalog => None,
            Self::Tags(name)
            | Self::Manifest(name, _)
            | Self::Blob(name, _)
            | Self::Uploads(name)
            | Self::Upload(name, _)
            | Self::Referrers(name, _) => Some(name),
        }
    }
}

/// The path, as [`Route::parse`] reads it. Nothing in it needs percent-encoding.
impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Base => f.write_str("/v2/"),
            Self::Catalog => f.write_str("/v2/_catalog"),
            Self::Tags(name) => write!(f, "/v2/{name}/tags/list"),
            Self::Manifest(name, reference) => write!(f, "/v2/{name}/manifests/{reference}"),
            Self::Blob(name, digest) => write!(f, "/v2/{name}/blobs/{digest}"),
            Self::Uploads(name) => write!(f, "/v2/{name}/blobs/uploads/"),
            Self::Upload(name, id) => write!(f, "/v2/{name}/blobs/uploads/{id}"),
            Self::Referrers(name, digest) => write!(f, "/v2/{name}/referrers/{digest}"),
        }
    }
}
