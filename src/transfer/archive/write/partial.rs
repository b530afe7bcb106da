//! The file beside an archive, as long as that is not whole.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::form::Member;

/// Two empty blocks end a tar file.
const END: u64 = 1024;

pub(super) struct Partial {
    pub(super) file: File,
    /// Its name; a file without one is gone with this process.
    pub(super) path: Option<PathBuf>,
}

impl Partial {
    /// The file beside the archive `path`, with `small` in it. What else is in it stays if that is of the same archive.
    pub(super) fn open(path: Option<&Path>, small: &[(Member, Bytes)]) -> io::Result<Self> {
        let partial = match path {
            None => Self { file: tempfile::tempfile()?, path: None },
            Some(path) => {
                if path.is_dir() {
                    return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder, not an archive"));
                }
                let beside = beside(path)?;
                let mut options = OpenOptions::new();
                let file = options.read(true).write(true).create(true).truncate(false).open(&beside)?;
                if file.try_lock().is_err() {
                    let what = format!("another process writes it ({})", beside.display());
                    return Err(io::Error::new(io::ErrorKind::WouldBlock, what));
                }
                Self { file, path: Some(beside) }
            }
        };
        let first = small.first();
        let is_same = match first {
            Some((member, bytes)) => {
                has(&partial.file, member)? && content(&partial.file, member, bytes.len())? == bytes
            }
            None => false,
        };
        if !is_same {
            partial.file.set_len(0)?;
        }
        for (member, bytes) in small {
            partial.file.write_all_at(bytes, member.start())?;
            mark(&partial.file, member)?;
        }
        Ok(partial)
    }
}

/// `.NAME.partial` beside `path`.
fn beside(path: &Path) -> io::Result<PathBuf> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))?);
    name.push(".partial");
    Ok(path.with_file_name(name))
}

fn content(file: &File, member: &Member, length: usize) -> io::Result<Bytes> {
    let mut buffer = vec![0; length];
    match file.read_exact_at(&mut buffer, member.start()) {
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => Err(error),
        _ => Ok(buffer.into()),
    }
}

/// Whether `member` was marked as whole.
pub(super) fn has(file: &File, member: &Member) -> io::Result<bool> {
    // Its content may end the file, cut short.
    if file.metadata()?.len() < member.start() + member.size {
        return Ok(false);
    }
    let mut buffer = vec![0; member.header.len()];
    file.read_exact_at(&mut buffer, member.at)?;
    Ok(buffer == member.header)
}

/// Marks `member` as whole, by its header.
pub(super) fn mark(file: &File, member: &Member) -> io::Result<()> {
    file.write_all_at(&member.header, member.at)
}

/// Ends the archive after byte `end`.
pub(super) fn end(file: &File, end: u64) -> io::Result<()> {
    file.set_len(end)?;
    file.set_len(end + END)
}

/// Writes all of it to standard output.
pub(super) fn print(mut file: &File) -> io::Result<()> {
    io::Seek::rewind(&mut file)?;
    let mut output = io::stdout().lock();
    io::copy(&mut file, &mut output)?;
    io::Write::flush(&mut output)
}
