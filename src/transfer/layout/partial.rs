//! Content that is being written into a layout: it has its name only once it is whole and checked.

use std::{fs::File, io, sync::Arc};

use cap_std::fs::{Dir, OpenOptions};

use super::blob_path;
use crate::{
    client::Source,
    manifest::ContentReference,
    transfer::{
        Outcome, TransferError,
        members::Folder,
        pour::{Place, Spilt, blocking, pour},
    },
};

/// Where content lies until it is whole, within the layout. What a run leaves there the next one goes on with.
pub(super) const FOLDER: &str = ".berth";
/// How often that folder may vanish because another process has just cleared up.
const TRIES: usize = 100;

/// A file that is being written. Other processes that want to write the same wait for it.
struct Partial {
    file: Arc<File>,
    path: String,
    written: u64,
}

/// Puts `blob`, whose content is `source`, into `folder`, the layout `place`.
pub(super) async fn keep(
    folder: &Arc<Folder>,
    place: &str,
    blob: &ContentReference,
    source: &dyn Source,
    origin: &str,
) -> Result<Outcome, TransferError> {
    let local = |cause| TransferError::local(place, cause);
    let (wanted, inside) = (blob.clone(), folder.clone());
    let Some(partial) = blocking(move || begin(inside.dir(), &wanted)).await.map_err(local)? else {
        return Ok(Outcome::Present);
    };
    let Partial { file, path, mut written } = partial;
    loop {
        match pour(blob, source, Place { file: &file, start: 0, written, name: place }, origin).await {
            Ok(()) => break,
            Err(Spilt::Failed(error)) => return Err(error),
            Err(Spilt::Other(actual)) => {
                // What an earlier run left may be of something else; it is not looked at twice.
                file.set_len(0).map_err(local)?;
                if written == 0 {
                    let what = format!("it is {actual}");
                    return Err(TransferError::Corrupt { place: origin.to_owned(), digest: blob.digest, what });
                }
                written = 0;
            }
        }
    }
    let (digest, inside) = (blob.digest, folder.clone());
    let placed = blocking(move || {
        let (dir, name) = (inside.dir(), blob_path(&digest));
        dir.create_dir_all(name.rsplit_once('/').map_or("", |(above, _)| above))?;
        dir.rename(&path, dir, &name)
    });
    placed.await.map_err(local)?;
    Ok(Outcome::Sent)
}

/// The file to write `blob` into, or nothing where the blob is there.
fn begin(dir: &Dir, blob: &ContentReference) -> io::Result<Option<Partial>> {
    if is_there(dir, blob)? {
        return Ok(None);
    }
    let path = format!("{FOLDER}/{}-{}", blob.digest.algorithm().as_str(), blob.digest.encoded());
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true);
    let mut tries = 1;
    let file = loop {
        dir.create_dir_all(FOLDER)?;
        match dir.open_with(&path, &options) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && tries < TRIES => tries += 1,
            opened => break opened?.into_std(),
        }
    };
    file.lock()?;
    // Whoever had the lock may have made it whole.
    if is_there(dir, blob)? {
        let _ = dir.remove_file(&path);
        return Ok(None);
    }
    let mut written = file.metadata()?.len();
    if written > blob.size {
        file.set_len(0)?;
        written = 0;
    }
    Ok(Some(Partial { file: Arc::new(file), path, written }))
}

/// Whether `blob` is there, as far as its size tells: it was checked before it got its name.
fn is_there(dir: &Dir, blob: &ContentReference) -> io::Result<bool> {
    match dir.metadata(blob_path(&blob.digest)) {
        Ok(metadata) => Ok(metadata.is_file() && metadata.len() == blob.size),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
