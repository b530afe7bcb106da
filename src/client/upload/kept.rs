//! Direct uploads that a later run goes on with (`docs/direct-upload.md`, "Going on in a later run").

use std::{
    env, fs, io,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use tokio::task::spawn_blocking;

use crate::{digest::Digest, name::RepositoryName};

/// How long a session lives at the registry, and a day.
const LIFE: Duration = Duration::from_secs(8 * 24 * 3600);
/// The longest `Location` that is read back, in bytes.
const LONGEST: u64 = 64 << 10;

/// A folder with a file for each upload that has begun and has not ended. A `Location` lets whoever may push go on with
/// the upload, so that its user alone may read it. What cannot be kept is not gone on with: no push fails for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptUploads(PathBuf);

/// One of them.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    folder: PathBuf,
    file: PathBuf,
}

impl KeptUploads {
    /// Those in `folder`, which is made when it is needed.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// Those of whoever runs this process, below `XDG_STATE_HOME` or `~/.local/state` ("XDG Base Directory
    /// Specification"); `None` for a user without a home.
    pub fn of_user() -> Option<Self> {
        let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
        let state = absolute("XDG_STATE_HOME").or_else(|| Some(absolute("HOME")?.join(".local/state")))?;
        Some(Self(state.join("berth/uploads")))
    }

    /// The place of the upload of `digest` to repository `name` of the registry at `base`.
    pub(super) fn of(&self, base: &str, name: &RepositoryName, digest: &Digest) -> Kept {
        let file = Digest::canonical(format!("{base}\n{name}\n{digest}").as_bytes());
        Kept { folder: self.0.clone(), file: self.0.join(file.encoded()) }
    }
}

impl Kept {
    /// Where the upload goes on.
    pub(super) async fn read(&self) -> Option<String> {
        let file = self.file.clone();
        let read = move || {
            let text = fs::metadata(&file).ok().filter(|file| file.len() <= LONGEST)?;
            let is_fresh = text.modified().ok()?.elapsed().is_ok_and(|age| age < LIFE);
            fs::read_to_string(&file).ok().filter(|_| is_fresh)
        };
        spawn_blocking(read).await.ok().flatten()
    }

    /// The upload goes on at `location`.
    pub(super) async fn write(&self, location: &str) {
        let (this, location) = (self.clone(), location.to_owned());
        let written = spawn_blocking(move || this.replace(&location)).await;
        if let Ok(Err(error)) = written {
            tracing::debug!(%error, folder = %self.folder.display(), "an upload cannot be gone on with in a later run");
        }
    }

    /// The upload is over.
    pub(super) async fn forget(&self) {
        let file = self.file.clone();
        let _ = spawn_blocking(move || fs::remove_file(file)).await;
    }

    fn replace(&self, location: &str) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        sweep(&self.folder);
        let new = self.file.with_extension(format!("{}-{:x}", std::process::id(), fastrand::u64(..)));
        let mut options = fs::OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(&new);
        let written = file.and_then(|mut file| io::Write::write_all(&mut file, location.as_bytes()));
        written.and_then(|()| fs::rename(&new, &self.file)).inspect_err(|_| drop(fs::remove_file(&new)))
    }
}

/// Removes what no registry knows any more.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let changed = entry.metadata().and_then(|file| file.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
        if changed.elapsed().is_ok_and(|age| age > LIFE) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_kept_is_read_back_by_its_user_alone_until_it_is_over() {
        let temp = tempfile::tempdir().unwrap();
        let uploads = KeptUploads::in_folder(temp.path().join("berth/uploads"));
        let (name, digest) = ("team/app".parse().unwrap(), Digest::canonical(b"a"));
        let kept = uploads.of("https://r.example", &name, &digest);
        assert_eq!(kept.read().await, None);
        kept.write("https://r.example/1").await;
        kept.write("https://r.example/2").await;
        assert_eq!(uploads.of("https://r.example", &name, &digest).read().await.unwrap(), "https://r.example/2");
        for other in [
            uploads.of("https://s.example", &name, &digest),
            uploads.of("https://r.example", &"team/b".parse().unwrap(), &digest),
            uploads.of("https://r.example", &name, &Digest::canonical(b"b")),
        ] {
            assert_eq!(other.read().await, None);
        }
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&kept.folder), mode(&kept.file)), (0o700, 0o600));

        let long_ago = SystemTime::now() - LIFE - Duration::from_secs(60);
        fs::File::options().write(true).open(&kept.file).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(kept.read().await, None, "too old");
        uploads.of("https://s.example", &name, &digest).write("https://s.example/1").await;
        assert_eq!(fs::read_dir(&kept.folder).unwrap().count(), 1, "what is too old is swept away");
        uploads.of("https://s.example", &name, &digest).forget().await;
        assert_eq!(fs::read_dir(&kept.folder).unwrap().count(), 0);
    }
}
