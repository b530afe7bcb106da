//! Files by their path, whether they lie in a folder or in an archive.

use std::{io, path::Path};

use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};
use rustix::fs::OFlags;

use super::section::Section;

/// A tree of files. Nothing outside it is ever opened, whatever links lie in it.
pub(super) trait Members: Send + Sync {
    /// The file at `path`, relative and with `/`; `None` where there is none.
    ///
    /// # Errors
    /// It leads out of the tree, or is no file.
    fn open(&self, path: &str) -> io::Result<Option<Section>>;
}

/// A folder. Every path is resolved beneath it by the kernel.
#[derive(Debug)]
pub(super) struct Folder(Dir);

impl Folder {
    /// The folder at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(Dir::open_ambient_dir(path, cap_std::ambient_authority())?))
    }

    /// For operations of the crate `cap_std`.
    pub(super) fn dir(&self) -> &Dir {
        &self.0
    }
}

impl Members for Folder {
    fn open(&self, path: &str) -> io::Result<Option<Section>> {
        // Not to wait for somebody at the other end, should a named pipe lie there.
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default());
        let file = match self.0.open_with(path, &options) {
            Ok(file) => file.into_std(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io::Error::new(error.kind(), format!("{path}: {error}"))),
        };
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{path} is no file")));
        }
        Section::whole(file).map(Some)
    }
}
