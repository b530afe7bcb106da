//! The folder where content waits until it is known what it is.

use std::{
    env,
    fs::{File, Permissions},
    io,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use tokio::task::spawn_blocking;

use crate::distribution::{BackendError, BackendErrorKind};

/// A folder for files that have no name there: nobody else can open them, and nothing is left of them when the process
/// ends, however it ends (`O_TMPFILE`: open(2); elsewhere they are removed from the folder as soon as they are open).
#[derive(Debug, Clone)]
pub struct Spool(PathBuf);

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{path} cannot hold what is pushed: {cause}; --spool DIR names another folder", path = path.display())]
pub struct SpoolError {
    path: PathBuf,
    cause: io::Error,
}

impl Spool {
    /// The folder `path`, else `TMPDIR`, else the one for large files that do not last ("TMPDIR" and "/var/tmp", Linux
    /// file-hierarchy(7)): /tmp is memory on many systems.
    ///
    /// # Errors
    /// [`SpoolError`] when no file can be made there.
    pub fn open(path: Option<&Path>) -> Result<Self, SpoolError> {
        let var_tmp = || Some(PathBuf::from("/var/tmp")).filter(|path| path.is_dir());
        let told = path.map(Path::to_owned).or_else(|| env::var_os("TMPDIR").map(PathBuf::from));
        let path = told.or_else(var_tmp).unwrap_or_else(env::temp_dir);
        match nameless(&path) {
            Ok(_) => Ok(Self(path)),
            Err(cause) => Err(SpoolError { path, cause }),
        }
    }

    /// A new file.
    pub(super) async fn file(&self) -> Result<File, BackendError> {
        let folder = self.0.clone();
        let made = spawn_blocking(move || nameless(&folder)).await;
        made.unwrap_or_else(|panic| Err(io::Error::other(panic))).map_err(|error| self.fault(&error))
    }

    /// What `error`, met with one of its files, is to a client.
    pub(super) fn fault(&self, error: &io::Error) -> BackendError {
        let message = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => format!(
                "the gateway has no room in {} for what is pushed ({error}); have it started with --spool and another folder",
                self.0.display()
            ),
            _ => format!("the gateway cannot keep what is pushed in {}: {error}", self.0.display()),
        };
        BackendError::new(BackendErrorKind::Failed, message)
    }
}

/// A file in `folder` that is its user's alone.
fn nameless(folder: &Path) -> io::Result<File> {
    let file = tempfile::tempfile_in(folder)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}
