//! The file system driver: the suite, and what only a folder can have.

#[path = "filesystem/folder.rs"]
mod folder;
#[path = "filesystem/leftovers.rs"]
mod leftovers;
#[path = "filesystem/links.rs"]
mod links;
#[path = "filesystem/processes.rs"]
mod processes;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use berth::driver::filesystem::FilesystemDriver;
use tempfile::TempDir;

use crate::store::Store;

async fn filesystem() -> Store {
    let Folder { store, outside } = Folder::new();
    Store { keep: Box::new(outside), ..store }
}

suite!(super::filesystem::filesystem);

/// A store in a folder `data` of a folder that is otherwise none of its business.
struct Folder {
    store: Store,
    outside: TempDir,
}

impl Folder {
    fn new() -> Self {
        let outside = TempDir::new().unwrap();
        let open = || Arc::new(FilesystemDriver::open(&outside.path().join("data")).unwrap());
        let store = Store { driver: open(), other: open(), keep: Box::new(()) };
        Self { store, outside }
    }

    /// A path in the data folder.
    fn inside(&self, path: &str) -> PathBuf {
        self.outside("data").join(path)
    }

    /// A path outside of the data folder, beside it.
    fn outside(&self, path: &str) -> PathBuf {
        self.outside.path().join(path)
    }

    /// The temporary files there are.
    fn temporary(&self) -> Vec<String> {
        names(&self.inside(".berth/tmp"))
    }
}

/// The names in a folder; none when it is not there.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
