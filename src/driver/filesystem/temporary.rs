//! Content on its way to its place.

use std::{
    io::{self, ErrorKind, Seek as _, SeekFrom, Write as _},
    sync::Arc,
    time::Duration,
};

use cap_std::fs::OpenOptions;
use uuid::Uuid;

use super::{batch::is_aligned, folder::Folder};
use crate::driver::Path;

/// Where temporary files lie: on the same file system as everything else, so that renaming and linking work.
const PLACE: &str = ".berth/tmp";

/// How old a temporary file is, since it was last written to, when it must be what a crash left behind.
const STALE: Duration = Duration::from_secs(24 * 3600);

/// How much is written before the disk is told to begin with it.
const WRITEBACK: u64 = 8 << 20;

/// Content that is longer than this goes past the kernel's cache: it would push out much that is asked for oftener,
/// and copying it there takes longer than hashing it.
const DIRECT: u64 = 16 << 20;

/// A file that nobody sees, and that is removed unless it is published. Every method may wait for the disk.
#[derive(Debug)]
pub(super) struct Temporary {
    folder: Arc<Folder>,
    name: String,
    file: std::fs::File,
    size: u64,
    on_its_way: u64,
    /// Whether writes go past the kernel's cache now; `None` where the file system does not let that be chosen.
    direct: Option<bool>,
}

impl Temporary {
    /// An empty one.
    pub(super) fn create(folder: &Arc<Folder>) -> io::Result<Self> {
        let name = format!("{PLACE}/{}", Uuid::new_v4().simple());
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        let file = match folder.root().open_with(&name, &options) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                folder.root().create_dir_all(PLACE)?;
                folder.root().open_with(&name, &options)?
            }
            opened => opened?,
        };
        Ok(Self { folder: folder.clone(), name, file: file.into_std(), size: 0, on_its_way: 0, direct: Some(false) })
    }

    /// Adds `bytes` at its end.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.go_direct(self.size >= DIRECT && is_aligned(bytes, self.size));
        match self.file.write_all(bytes) {
            // Some file systems take the flag, and then no write.
            Err(error) if error.kind() == ErrorKind::InvalidInput && self.direct == Some(true) => {
                self.go_direct(false);
                self.direct = None;
                self.file.seek(SeekFrom::Start(self.size))?;
                self.file.write_all(bytes)?;
            }
            written => written?,
        }
        self.grown(bytes.len() as u64);
        Ok(())
    }

    /// Adds what is left to read of `source` at its end, within the kernel where that can be; says how much it was.
    pub(super) fn append(&mut self, source: &mut std::fs::File) -> io::Result<u64> {
        let size = io::copy(source, &mut self.file)?;
        self.grown(size);
        Ok(size)
    }

    /// Has writes go past the kernel's cache, or through it, where that can be chosen.
    fn go_direct(&mut self, wanted: bool) {
        if self.direct.is_some_and(|direct| direct != wanted) {
            self.direct = set_direct(&self.file, wanted).ok().map(|()| wanted);
        }
    }

    fn grown(&mut self, by: u64) {
        self.size += by;
        if self.direct == Some(true) {
            self.on_its_way = self.size;
            return;
        }
        if self.size - self.on_its_way >= WRITEBACK {
            start_writeback(&self.file, self.on_its_way, self.size - self.on_its_way);
            self.on_its_way = self.size;
        }
    }

    /// Makes it the file at `path`. With `create_only`, [`ErrorKind::AlreadyExists`] where something is there.
    pub(super) fn publish(self, path: &Path, create_only: bool) -> io::Result<()> {
        let root = self.folder.root();
        // A look first, since the sync may take long. Of those who see nothing there, the linking below chooses one.
        if create_only && root.symlink_metadata(path.relative()).is_ok() {
            self.folder.settle(path)?;
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.file.sync_data()?;
        self.folder.place(path, |folder, name| {
            // A link, unlike a renaming, fails where something is; the temporary name goes when this is dropped.
            if create_only { root.hard_link(&self.name, folder, name) } else { root.rename(&self.name, folder, name) }
        })
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        match self.folder.root().remove_file(&self.name) {
            // Renamed to its place.
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(%error, file = %self.name, "a temporary file was not removed"),
            Ok(()) => {}
        }
    }
}

/// Removes what crashed writers left behind.
pub(super) fn sweep(folder: &Folder) -> io::Result<()> {
    let entries = match folder.root().read_dir(PLACE) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let written = entry.metadata().and_then(|metadata| metadata.modified());
        let age = written.map(|written| written.into_std().elapsed().unwrap_or_default());
        if age.is_ok_and(|age| age > STALE) {
            // Another process may sweep as well.
            let _ = entry.remove_file();
        }
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn set_direct(file: &std::fs::File, direct: bool) -> io::Result<()> {
    let mut flags = rustix::fs::fcntl_getfl(file)?;
    flags.set(rustix::fs::OFlags::DIRECT, direct);
    Ok(rustix::fs::fcntl_setfl(file, flags)?)
}

#[cfg(not(target_os = "linux"))]
fn set_direct(_: &std::fs::File, _: bool) -> io::Result<()> {
    Err(ErrorKind::Unsupported.into())
}

/// Has the kernel begin to write these bytes to the disk, so that the sync at the end finds little left to do. Linux
/// does so on this advice, and keeps in memory what is not yet written (posix_fadvise(2)); that the advice is about
/// something else in other systems' eyes does no harm.
#[cfg(target_os = "linux")]
fn start_writeback(file: &std::fs::File, offset: u64, length: u64) {
    // Only advice: what fails here fails again, and is reported, when the file is synced.
    let _ = rustix::fs::fadvise(file, offset, std::num::NonZeroU64::new(length), rustix::fs::Advice::DontNeed);
}

#[cfg(not(target_os = "linux"))]
fn start_writeback(_: &std::fs::File, _: u64, _: u64) {}
