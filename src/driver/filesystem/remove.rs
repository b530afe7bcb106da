//! Removing files, and the folders that they leave empty.

use std::{
    collections::BTreeSet,
    io::{self, ErrorKind},
};

use cap_std::fs::Dir;

use super::{
    error::{self, is_nothing},
    folder::{Folder, open_entry, split, sync},
};
use crate::driver::{DriverError, Path};

/// Deletes the files at `paths`.
pub(super) fn delete(folder: &Folder, paths: &[Path]) -> Result<(), DriverError> {
    let mut errors = Vec::new();
    // Each folder that lost files is tidied up and synced once.
    let mut touched = BTreeSet::new();
    for path in paths {
        match folder.root().remove_file(path.relative()) {
            Ok(()) => {
                touched.insert(split(path.relative()).0);
            }
            Err(error) if is_nothing(&error) => {}
            Err(error) => errors.push(error::reading(path, error)),
        }
    }
    // Deeper folders first.
    for above in touched.into_iter().rev() {
        if let Err(error) = folder.prune(above) {
            let path = format!("/{above}").parse().unwrap_or_else(|_| Path::root());
            errors.push(error::reading(&path, error));
        }
    }
    errors.into_iter().next().map_or(Ok(()), Err)
}

/// Deletes what is at and below `path`; [`ErrorKind::NotFound`] where there was no file.
pub(super) fn delete_tree(folder: &Folder, path: &Path) -> io::Result<()> {
    let path = path.relative();
    let files = if folder.root().symlink_metadata(path)?.is_dir() {
        let files = remove_below(&open_entry(folder.root(), path)?)?;
        folder.prune(path)?;
        files
    } else {
        folder.root().remove_file(path)?;
        folder.prune(split(path).0)?;
        1
    };
    if files == 0 { Err(ErrorKind::NotFound.into()) } else { Ok(()) }
}

/// Removes everything in `folder`, and says how many files that were. Symbolic links are removed, never followed.
/// What another writer adds meanwhile may stay.
fn remove_below(folder: &Dir) -> io::Result<u64> {
    let mut files = 0;
    // All names first: not every file system goes on listing reliably while entries are removed.
    for entry in folder.entries()?.collect::<io::Result<Vec<_>>>()? {
        let name = entry.file_name();
        let removed = if entry.file_type()?.is_dir() {
            remove_folder(folder, &name)
        } else {
            folder.remove_file(&name).map(|()| 1)
        };
        match removed {
            Err(error) if is_nothing(&error) => {}
            removed => files += removed?,
        }
    }
    Ok(files)
}

fn remove_folder(folder: &Dir, name: &std::ffi::OsStr) -> io::Result<u64> {
    let below = open_entry(folder, name)?;
    let files = remove_below(&below)?;
    match folder.remove_dir(name) {
        // It stays, and what it lost must be on the disk.
        Err(error) if error.kind() == ErrorKind::DirectoryNotEmpty => sync(&below)?,
        Err(error) if !is_nothing(&error) => return Err(error),
        _ => {}
    }
    Ok(files)
}
