//! What lies in folders.

use std::io::{self, ErrorKind};

use cap_std::fs::Dir;

use super::{
    RESERVED,
    error::is_nothing,
    folder::{Folder, open_entry},
};
use crate::driver::{Entry, Path};

/// Whether a file lies below `path`, at any depth.
pub(super) fn is_folder(folder: &Folder, path: &Path) -> io::Result<bool> {
    match folder.folder(path.relative()) {
        Err(error) if is_nothing(&error) => Ok(false),
        below => holds_file(&below?),
    }
}

/// The entries of the folder at `path`, in order.
///
/// Each folder in it is looked into, as deep as its first file. That costs some microseconds for each, and in return
/// what others left empty, or are just about to fill, does not appear as a tag or a repository.
pub(super) fn list(folder: &Folder, path: &Path) -> io::Result<Vec<Entry>> {
    let listed = folder.folder(path.relative())?;
    let mut entries = Vec::new();
    for entry in listed.entries()? {
        let entry = entry?;
        // A name that is no UTF-8 is no part of any path.
        let Ok(name) = entry.file_name().into_string() else { continue };
        let file_type = entry.file_type()?;
        let is_folder = if file_type.is_dir() {
            let hidden = name == RESERVED && path.relative().is_empty();
            (!hidden && entry_holds_file(&listed, &name)?).then_some(true)
        } else if file_type.is_symlink() {
            behind_link(folder, &format!("{}/{name}", path.relative()))
        } else {
            file_type.is_file().then_some(false)
        };
        entries.extend(is_folder.map(|is_folder| Entry { name, is_folder }));
    }
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
        folder.folder(path).and_then(|below| holds_file(&below)).ok().filter(|holds_file| *holds_file)
    } else {
        target.is_file().then_some(false)
    }
}

/// Whether a file lies in `folder`, at any depth. What vanishes meanwhile is not there; links are not followed, for
/// they may lead in a circle.
fn holds_file(folder: &Dir) -> io::Result<bool> {
    for entry in folder.entries()? {
        let entry = entry?;
        let file_type = entry.file_type()?;
        if file_type.is_file() || (file_type.is_dir() && entry_holds_file(folder, entry.file_name())?) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn entry_holds_file(folder: &Dir, name: impl AsRef<std::path::Path>) -> io::Result<bool> {
    match open_entry(folder, name) {
        Err(error) if is_nothing(&error) => Ok(false),
        below => holds_file(&below?),
    }
}
