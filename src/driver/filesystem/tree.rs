//! What lies in folders.

use std::{
    ffi::CStr,
    io::{self, ErrorKind},
    os::fd::{AsFd, OwnedFd},
};

use rustix::fs::{AtFlags, Dir, DirEntry, FileType, Mode, OFlags, openat, statat};

use super::{RESERVED, error::is_nothing, folder::Folder};
use crate::driver::{Entry, Path};

/// Whether a file lies below `path`, at any depth.
pub(super) fn is_folder(folder: &Folder, path: &Path) -> io::Result<bool> {
    match folder.folder(path.relative()) {
        Err(error) if is_nothing(&error) => Ok(false),
        below => holds_file(below?.into_std_file().into()),
    }
}

/// The entries of the folder at `path`, in order.
///
/// Each folder in it is looked into, as deep as its first file. That costs some microseconds for each, and in return
/// what others left empty, or are just about to fill, does not appear as a tag or a repository.
pub(super) fn list(folder: &Folder, path: &Path) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    visit(folder.folder(path.relative())?.into_std_file().into(), |listed, entry, kind| {
        // A name that is no UTF-8 is no part of any path.
        let Ok(name) = entry.file_name().to_str() else { return Ok(true) };
        let is_folder = match kind {
            FileType::RegularFile => Some(false),
            FileType::Directory if name == RESERVED && path.relative().is_empty() => None,
            FileType::Directory => entry_holds_file(listed, entry.file_name())?.then_some(true),
            FileType::Symlink => behind_link(folder, &format!("{}/{name}", path.relative())),
            _ => None,
        };
        entries.extend(is_folder.map(|is_folder| Entry { name: name.to_owned(), is_folder }));
        Ok(true)
    })?;
    if entries.is_empty() {
        return Err(ErrorKind::NotFound.into());
    }
    entries.sort();
    Ok(entries)
}

/// Whether the symbolic link at `path` leads to a folder, or a file; `None` when to nothing that this driver would
/// read. It must not make the whole folder unreadable.
fn behind_link(folder: &Folder, path: &str) -> Option<bool> {
    let path = path.trim_start_matches('/');
    let target = folder.root().metadata(path).ok()?;
    if target.is_dir() {
        let below = folder.folder(path).and_then(|below| holds_file(below.into_std_file().into()));
        below.ok().filter(|holds_file| *holds_file)
    } else {
        target.is_file().then_some(false)
    }
}

/// Whether a file lies in `folder`, at any depth. Links are not followed, for they may lead in a circle.
fn holds_file(folder: OwnedFd) -> io::Result<bool> {
    let mut found = false;
    visit(folder, |folder, entry, kind| {
        found = match kind {
            FileType::RegularFile => true,
            FileType::Directory => entry_holds_file(folder, entry.file_name())?,
            _ => false,
        };
        Ok(!found)
    })?;
    Ok(found)
}

/// The same of the folder `name` in `folder`. What vanishes meanwhile is not there.
fn entry_holds_file(folder: &dyn AsFd, name: &CStr) -> io::Result<bool> {
    // A single name that is no link does not lead out.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(folder.as_fd(), name, flags, Mode::empty()).map_err(io::Error::from) {
        Err(error) if is_nothing(&error) => Ok(false),
        below => holds_file(below?),
    }
}

/// Gives `see` each entry of `folder`, with its kind, for as long as it wants more.
///
/// cap-std opens a folder twice to list it, which shows where thousands of tags are listed.
fn visit(folder: OwnedFd, mut see: impl FnMut(&dyn AsFd, &DirEntry, FileType) -> io::Result<bool>) -> io::Result<()> {
    let mut folder = Dir::new(folder)?;
    while let Some(entry) = folder.read() {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let folder = folder.fd()?;
        let kind = match entry.file_type() {
            // Not every file system says it in the listing.
            FileType::Unknown => match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(rustix::io::Errno::NOENT) => continue,
                Err(error) => return Err(error.into()),
            },
            kind => kind,
        };
        if !see(&folder, &entry, kind)? {
            break;
        }
    }
    Ok(())
}
