//! What the system's errors mean to a caller of the driver.

use std::io::{self, ErrorKind};

use crate::driver::{DriverError, DriverErrorKind, Path};

/// What it means that `path` could not be read, or deleted.
pub(super) fn reading(path: &Path, error: io::Error) -> DriverError {
    if is_nothing(&error) { DriverError::new(DriverErrorKind::NotFound, path, "") } else { other(path, error) }
}

/// Whether it means that there is no such file.
pub(super) fn is_nothing(error: &io::Error) -> bool {
    // A file where a folder was looked for has nothing below it; a name that no file can have, no file has.
    matches!(
        error.kind(),
        ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::InvalidFilename
    )
}

/// What it means that `path` could not be written.
pub(super) fn writing(path: &Path, error: io::Error) -> DriverError {
    let failed = |message: &str| DriverError::new(DriverErrorKind::Failed, path, message);
    match error.kind() {
        ErrorKind::AlreadyExists => DriverError::new(DriverErrorKind::Precondition, path, ""),
        ErrorKind::NotADirectory => failed("a file lies where a folder on the way to it must be"),
        ErrorKind::IsADirectory => failed("a folder lies there"),
        ErrorKind::InvalidFilename => failed("the name is too long for the file system"),
        ErrorKind::StorageFull => failed("no space is left on the disk"),
        ErrorKind::QuotaExceeded => failed("the disk quota is used up"),
        ErrorKind::FileTooLarge => failed("the file is too large for the file system, or for the limit set on files"),
        _ => other(path, error),
    }
}

fn other(path: &Path, error: io::Error) -> DriverError {
    let denied = |message: String| DriverError::new(DriverErrorKind::Denied, path, message);
    match error.kind() {
        // cap-std's own error has no number: the path was to leave the folder.
        ErrorKind::PermissionDenied if error.raw_os_error().is_none() => {
            denied("a symbolic link leads out of the data folder".to_owned())
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => denied(error.to_string()),
        ErrorKind::CrossesDevices => denied("the data folder does not lie on one file system".to_owned()),
        _ if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            denied("symbolic links lead in a circle".to_owned())
        }
        _ => DriverError::new(DriverErrorKind::Failed, path, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use rustix::io::Errno;

    use super::*;

    #[test]
    fn the_errors_of_the_system_are_told_apart() {
        use DriverErrorKind::{Denied, Failed, NotFound, Precondition};
        let path: Path = "/a".parse().unwrap();
        let (read, write) = (|errno: Errno| reading(&path, errno.into()), |errno: Errno| writing(&path, errno.into()));
        for (errno, reading, writing) in [
            (Errno::NOENT, NotFound, Failed),
            (Errno::NOTDIR, NotFound, Failed),
            (Errno::ISDIR, NotFound, Failed),
            (Errno::NAMETOOLONG, NotFound, Failed),
            (Errno::EXIST, Failed, Precondition),
            (Errno::ACCESS, Denied, Denied),
            (Errno::PERM, Denied, Denied),
            (Errno::ROFS, Denied, Denied),
            (Errno::XDEV, Denied, Denied),
            (Errno::LOOP, Denied, Denied),
            (Errno::NOSPC, Failed, Failed),
            (Errno::IO, Failed, Failed),
        ] {
            assert_eq!((read(errno).kind, write(errno).kind), (reading, writing), "{errno}");
        }
        assert_eq!(write(Errno::NOSPC).message, "no space is left on the disk");
        assert_eq!(write(Errno::DQUOT).message, "the disk quota is used up");
    }
}
