//! What people call an image in a registry.

use std::{fmt, str::FromStr};

use crate::{
    client::{Host, HostError},
    digest::{Digest, DigestError},
    name::{NameError, Reference, RepositoryName, Tag},
};

/// `HOST[:PORT]/NAME[:TAG][@DIGEST]`. With both, the digest counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageName {
    /// The registry.
    pub host: Host,
    /// The repository there.
    pub repository: RepositoryName,
    /// The tag, if it has one.
    pub tag: Option<Tag>,
    /// The digest, if it has one.
    pub digest: Option<Digest>,
}

/// A text that names no image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImageNameError {
    /// There is no registry before the first slash.
    #[error("it names no registry; allowed: HOST[:PORT]/NAME[:TAG|@DIGEST], as in registry.example.com/team/app:1.0")]
    NoRegistry,
    /// What stands there is none.
    #[error(transparent)]
    Host(#[from] HostError),
    /// The repository or the tag is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The digest is none.
    #[error(transparent)]
    Digest(#[from] DigestError),
}

impl ImageName {
    /// What its manifest is asked by, where it says so.
    pub fn reference(&self) -> Option<Reference> {
        let tag = || self.tag.clone().map(Reference::Tag);
        self.digest.map(Reference::Digest).or_else(tag)
    }

    /// The same with a tag: its own, or `latest` where it has neither tag nor digest.
    ///
    /// # Errors
    /// [`NameError`], never.
    pub fn or_latest(mut self) -> Result<Self, NameError> {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some("latest".parse()?);
        }
        Ok(self)
    }

    /// Registry and repository, without what comes after.
    pub fn place(&self) -> String {
        format!("{}/{}", self.host, self.repository)
    }
}

impl FromStr for ImageName {
    type Err = ImageNameError;

    fn from_str(text: &str) -> Result<Self, ImageNameError> {
        let text = text.trim();
        let (host, rest) = text.split_once('/').ok_or(ImageNameError::NoRegistry)?;
        // As Docker tells a registry from the first part of a name.
        if !host.contains(['.', ':']) && host != "localhost" {
            return Err(ImageNameError::NoRegistry);
        }
        let host = host.parse()?;
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (rest, None),
        };
        let (name, tag) = match rest.split_once(':') {
            Some((name, tag)) => (name, Some(tag.parse()?)),
            None => (rest, None),
        };
        Ok(Self { host, repository: name.parse()?, tag, digest })
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.host, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        match &self.digest {
            Some(digest) => write!(f, "@{digest}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_images() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, expected) in [
            ("localhost/app", Some(("localhost", "app", None, None))),
            ("localhost:5000/team/app:1.0", Some(("localhost:5000", "team/app", Some("1.0"), None))),
            (&format!("[::1]:5000/app@{digest}"), Some(("[::1]:5000", "app", None, Some(digest.as_str())))),
            (&format!("r.example/app:x@{digest}"), Some(("r.example", "app", Some("x"), Some(digest.as_str())))),
            ("app:1.0", None),
            ("team/app:1.0", None),
            ("r.example/", None),
            ("r.example/App", None),
            ("r.example/app:", None),
            ("r.example/app:-x", None),
            ("r.example/app@sha256:12", None),
            ("r.example/../app", None),
            ("https://r.example/app", None),
            ("", None),
        ] {
            let name = text.parse::<ImageName>();
            let parts = name.as_ref().ok().map(|name| {
                let tag = name.tag.as_ref().map(Tag::as_str);
                (name.host.as_str(), name.repository.as_str(), tag, name.digest.map(|digest| digest.to_string()))
            });
            let expected = expected.map(|(host, name, tag, digest)| (host, name, tag, digest.map(str::to_owned)));
            assert_eq!(parts, expected, "{text:?}: {name:?}");
            if let Ok(name) = name {
                assert_eq!(name.to_string(), text);
            }
        }
    }
}
