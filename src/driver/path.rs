//! Paths within a driver.

use std::{fmt, str::FromStr, sync::Arc};

/// A path: `^(/[A-Za-z0-9._-]+)+$`, without the components `.` and `..`.
///
/// ```
/// use berth::driver::Path;
///
/// let path: Path = "/docker/registry/v2".parse()?;
/// assert_eq!(path.join("blobs")?.as_str(), "/docker/registry/v2/blobs");
/// for wrong in ["", "/", "docker", "/a//b", "/a/", "/a/../b", "/a b", "/é"] {
///     assert!(wrong.parse::<Path>().is_err(), "{wrong}");
/// }
/// # Ok::<(), berth::driver::PathError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Path(Arc<str>);

/// A text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no storage path: components of letters, digits, '.', '_' and '-', each after a '/'")]
pub struct PathError(String);

impl Path {
    /// The root: no place for content, but the subject of errors that have none.
    pub fn root() -> Self {
        Self("/".into())
    }

    /// The path as text, beginning with `/`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path without its leading `/`: an S3 key, or a path relative to a folder.
    pub fn relative(&self) -> &str {
        self.0.strip_prefix('/').unwrap_or(&self.0)
    }

    /// The path of `below`, relative to this one.
    ///
    /// # Errors
    /// [`PathError`] when `below` is not made of components.
    pub fn join(&self, below: &str) -> Result<Self, PathError> {
        format!("{self}/{below}").parse()
    }

    /// The folder that it lies in, if that is not the root.
    pub fn parent(&self) -> Option<Self> {
        let (parent, _) = self.0.rsplit_once('/')?;
        (!parent.is_empty()).then(|| Self(parent.into()))
    }

    /// The last component.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or_default()
    }
}

impl FromStr for Path {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let component = |part: &str| {
            !matches!(part, "" | "." | "..")
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'))
        };
        match text.strip_prefix('/') {
            Some(rest) if rest.split('/').all(component) => Ok(Self(text.into())),
            _ => Err(PathError(text.to_owned())),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
