//! Making a file of others, without their bytes passing through this process.

use std::{
    io::{self, ErrorKind},
    sync::Arc,
};

use super::{error, folder::Folder, temporary::Temporary};
use crate::driver::{DriverError, DriverErrorKind, Path};

/// Makes `destination` of `sources`.
pub(super) fn compose(folder: &Arc<Folder>, sources: &[(Path, u64)], destination: &Path) -> Result<(), DriverError> {
    let failed = |error| error::writing(destination, error);
    // A look first, since copying may take long; what decides is the linking at the end.
    if folder.root().symlink_metadata(destination.relative()).is_ok() {
        folder.settle(destination).map_err(failed)?;
        return Err(failed(ErrorKind::AlreadyExists.into()));
    }
    for (source, size) in sources {
        same_size(source, *size, folder.size(source).map_err(|error| error::reading(source, error))?)?;
    }
    if let [(source, _)] = sources
        && link(folder, source, destination).map_err(failed)?
    {
        return Ok(());
    }
    let mut whole = Temporary::create(folder).map_err(failed)?;
    for (source, size) in sources {
        let (file, _) = folder.file(source).map_err(|error| error::reading(source, error))?;
        same_size(source, *size, whole.append(&mut file.into_std()).map_err(failed)?)?;
    }
    whole.publish(destination, true).map_err(failed)
}

fn same_size(source: &Path, expected: u64, actual: u64) -> Result<(), DriverError> {
    if actual == expected {
        return Ok(());
    }
    Err(DriverError::new(DriverErrorKind::Content, source, format!("{actual} bytes, {expected} expected")))
}

/// Gives the file at `source` a second name, which costs no copy: files are never changed in place. `false` when that
/// cannot be.
fn link(folder: &Folder, source: &Path, destination: &Path) -> io::Result<bool> {
    let root = folder.root();
    // A symbolic link would get the second name itself, and not what it leads to.
    if !root.symlink_metadata(source.relative())?.is_file() {
        return Ok(false);
    }
    match folder.place(destination, |folder, name| root.hard_link(source.relative(), folder, name)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(error),
        // The file system has no second names, or no more of them for this file. The copy that is made instead says
        // what is wrong, if anything else is.
        Err(_) => Ok(false),
    }
}
