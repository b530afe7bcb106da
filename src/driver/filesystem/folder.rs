//! The data folder, and what is done in it by path.

use std::{
    io::{self, ErrorKind},
    path::Path as SystemPath,
};

use cap_std::fs::{Dir, File, OpenOptions, OpenOptionsExt as _};
use rustix::fs::OFlags;

use crate::driver::Path;

/// How often a folder may vanish between its making and its use. Each time means that another writer deleted the
/// last file in it just then.
const TRIES: u32 = 100;

/// The data folder. Paths are relative to it and resolved beneath it.
#[derive(Debug)]
pub(super) struct Folder {
    root: Dir,
}

impl Folder {
    /// The folder `root`, made when it is missing.
    pub(super) fn open(root: &SystemPath) -> io::Result<Self> {
        let missing = root.ancestors().take_while(|folder| !folder.as_os_str().is_empty() && !folder.exists()).count();
        std::fs::create_dir_all(root)?;
        for above in root.canonicalize()?.ancestors().skip(1).take(missing) {
            // Without the right to read it, it cannot be synced; the system does it in its own time then.
            if let Ok(above) = std::fs::File::open(above) {
                sync(&above)?;
            }
        }
        Ok(Self { root: Dir::open_ambient_dir(root, cap_std::ambient_authority())? })
    }

    /// The root, for operations of the crate `cap_std`.
    pub(super) fn root(&self) -> &Dir {
        &self.root
    }

    /// The file at `path`, to read, and its size in bytes.
    pub(super) fn file(&self, path: &Path) -> io::Result<(File, u64)> {
        // Not to wait for somebody at the other end, should a named pipe lie there.
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(flags(OFlags::NONBLOCK));
        let file = self.root.open_with(path.relative(), &options)?;
        let metadata = file.metadata()?;
        if metadata.is_file() { Ok((file, metadata.len())) } else { Err(ErrorKind::IsADirectory.into()) }
    }

    /// The size in bytes of the file at `path`.
    pub(super) fn size(&self, path: &Path) -> io::Result<u64> {
        let metadata = self.root.metadata(path.relative())?;
        if metadata.is_file() { Ok(metadata.len()) } else { Err(ErrorKind::IsADirectory.into()) }
    }

    /// The folder at `path`, a driver path without its leading slash; the root where it is empty.
    pub(super) fn folder(&self, path: &str) -> io::Result<Dir> {
        open_folder(&self.root, if path.is_empty() { "." } else { path }, OFlags::empty())
    }

    /// Lets `make` make the entry of `path`, given the folder that it is to be in and its name there. That folder is
    /// made where it is missing. The entry and all folders are on the disk when this returns.
    pub(super) fn place(&self, path: &Path, make: impl Fn(&Dir, &str) -> io::Result<()>) -> io::Result<()> {
        let (above, name) = split(path.relative());
        let mut grown = Vec::new();
        let mut tries = 1;
        let placed = loop {
            match self.make(above, &mut grown).and_then(|folder| make(&folder, name).map(|()| folder)) {
                Err(error) if error.kind() == ErrorKind::NotFound && tries < TRIES => tries += 1,
                placed => break placed,
            }
        };
        // A folder that another writer has just made is synced by that writer, perhaps later. Journalling file systems
        // write a folder and its entry above as one step, so that syncing what is in the folder brings both.
        match placed {
            Ok(folder) => sync(&folder).and_then(|()| grown.iter().try_for_each(sync)),
            Err(error) => {
                if error.kind() == ErrorKind::AlreadyExists {
                    self.settle(path)?;
                } else if !grown.is_empty() {
                    // Empty folders do no harm, and the error that is known says more than that of the clearing up.
                    let _ = self.prune(above);
                }
                Err(error)
            }
        }
    }

    /// Brings to the disk the entry of `path`, which another may have made just now, and which our caller will build
    /// on.
    pub(super) fn settle(&self, path: &Path) -> io::Result<()> {
        match self.folder(split(path.relative()).0) {
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            folder => sync(&folder?),
        }
    }

    /// The folder at `path`, made where it is missing. Folders that got an entry are added to `grown`.
    fn make(&self, path: &str, grown: &mut Vec<Dir>) -> io::Result<Dir> {
        match self.folder(path) {
            Err(error) if error.kind() == ErrorKind::NotFound && !path.is_empty() => {}
            found => return found,
        }
        let (above, name) = split(path);
        let above = self.make(above, grown)?;
        match above.create_dir(name) {
            Ok(()) => grown.push(above),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        self.folder(path)
    }

    /// Removes the folder at `path` and those above it, as far as they are empty, and brings to the disk what was
    /// removed in the one that stays.
    pub(super) fn prune(&self, path: &str) -> io::Result<()> {
        let mut path = path;
        while !path.is_empty() {
            match self.root.remove_dir(path) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                // Not empty, or not ours to remove: it stays.
                Err(_) => break,
            }
            path = split(path).0;
        }
        loop {
            match self.folder(path) {
                Ok(folder) => return sync(&folder),
                // Another has removed it meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound && !path.is_empty() => path = split(path).0,
                Err(error) => return Err(error),
            }
        }
    }
}

/// The folder `name` in `folder`; [`ErrorKind::NotADirectory`] where a symbolic link is.
pub(super) fn open_entry(folder: &Dir, name: impl AsRef<SystemPath>) -> io::Result<Dir> {
    open_folder(folder, name, OFlags::NOFOLLOW)
}

/// Opens a folder such that it can be listed and synced; cap-std's own way does not allow the latter.
fn open_folder(folder: &Dir, path: impl AsRef<SystemPath>, how: OFlags) -> io::Result<Dir> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags(OFlags::DIRECTORY | how));
    Ok(Dir::from_std_file(folder.open_with(path, &options)?.into_std()))
}

/// Brings the entries of `folder` to the disk.
pub(super) fn sync(folder: &impl std::os::fd::AsFd) -> io::Result<()> {
    match rustix::io::retry_on_intr(|| rustix::fs::fsync(folder)) {
        // Some network file systems do not sync folders, and write them through instead.
        Ok(()) | Err(rustix::io::Errno::INVAL) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The path above `path`, empty for the root, and the last component.
pub(super) fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn flags(flags: OFlags) -> i32 {
    flags.bits() as i32
}
