//! What is in a tar file, and where: its headers are read, and its content is left where it is.
//!
//! By hand rather than by the crate's iterator, which reads names of any length into memory.

use std::{collections::HashMap, fs::File, io, os::unix::fs::FileExt as _, sync::Arc};

use tar::{EntryType, Header};

use crate::transfer::{members::Members, section::Section};

/// Bytes of a block.
const BLOCK: u64 = 512;
/// Bytes of an extended header: a name of that length is none.
const LONGEST: u64 = 64 << 10;
/// Bytes of all names together.
const NAMES: usize = 16 << 20;
/// Entries of one archive.
const ENTRIES: usize = 200_000;
/// Links from one name to the next that are followed.
const LINKS: usize = 8;

/// A tar file, by its names.
#[derive(Debug)]
pub(super) struct Tar {
    file: Arc<File>,
    entries: HashMap<String, Entry>,
}

#[derive(Debug)]
enum Entry {
    File {
        start: u64,
        size: u64,
    },
    /// To another name of the archive, or, which shows when it is followed, out of it.
    Link(Option<String>),
}

/// What extended headers say of the entry that follows them.
#[derive(Default)]
struct Extended {
    path: Option<String>,
    link: Option<String>,
    size: Option<u64>,
}

fn bad(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

impl Tar {
    /// Reads the headers of `file`.
    ///
    /// # Errors
    /// It is no tar file, broken, cut short, compressed, or holds a name that leads out of it.
    pub(super) fn scan(file: Arc<File>) -> io::Result<Self> {
        let length = file.metadata()?.len();
        check_magic(&file, length)?;
        let (mut entries, mut names, mut at) = (HashMap::new(), 0, 0);
        let mut extended = Extended::default();
        while let Some((header, start)) = next(&file, at, length)? {
            let kind = header.entry_type();
            let own = header.entry_size()?;
            let is_extension = kind.is_gnu_longname() || kind.is_gnu_longlink() || is_pax(kind);
            let size = extended.size.filter(|_| !is_extension).unwrap_or(own);
            let end = start.checked_add(size).filter(|end| *end <= length);
            let Some(end) = end else {
                let name = String::from_utf8_lossy(&header.path_bytes()).escape_default().to_string();
                return Err(bad(format!(
                    "the archive is cut short: {name} should have {size} bytes, and {} are there",
                    length - start
                )));
            };
            at = end.div_ceil(BLOCK) * BLOCK;
            if is_extension {
                extended.read(kind, &file, start, size)?;
                continue;
            }
            let Extended { path, link, .. } = std::mem::take(&mut extended);
            let path = match path {
                Some(path) => path,
                None => text(header.path_bytes().into_owned())?,
            };
            let name = normal("", &path).ok_or_else(|| {
                bad(format!(
                    "the archive holds the name {:?}, which leads out of it",
                    path.escape_default().to_string()
                ))
            })?;
            let entry = match kind {
                EntryType::Regular | EntryType::Continuous => Entry::File { start, size },
                EntryType::Symlink | EntryType::Link => {
                    let target = match link {
                        Some(link) => link,
                        None => text(header.link_name_bytes().unwrap_or_default().into_owned())?,
                    };
                    // A hard link's is a name of the archive, a symbolic link's is relative to where it lies.
                    let folder = name.rsplit_once('/').map_or("", |(folder, _)| folder);
                    Entry::Link(normal(if kind == EntryType::Symlink { folder } else { "" }, &target))
                }
                EntryType::GNUSparse => return Err(bad(format!("the archive holds {name} with holes (sparse)"))),
                _ => continue,
            };
            names += name.len();
            if names > NAMES || entries.len() >= ENTRIES {
                return Err(bad(format!("the archive holds more than {ENTRIES} files, or too long names")));
            }
            entries.insert(name, entry);
        }
        Ok(Self { file, entries })
    }
}

impl Members for Tar {
    fn open(&self, path: &str) -> io::Result<Option<Section>> {
        let Some(mut name) = normal("", path) else {
            return Err(bad(format!("{:?} leads out of the archive", path.escape_default().to_string())));
        };
        for _ in 0..LINKS {
            match self.entries.get(&name) {
                None => return Ok(None),
                Some(Entry::File { start, size }) => return Ok(Some(Section::new(self.file.clone(), *start, *size))),
                Some(Entry::Link(Some(target))) => name.clone_from(target),
                Some(Entry::Link(None)) => return Err(bad(format!("{path} is a link that leads out of the archive"))),
            }
        }
        Err(bad(format!("{path} is a link to a link to a link, and so on")))
    }
}

/// The header at `at`, and where its content begins; `None` at the end of the archive.
fn next(file: &File, at: u64, length: u64) -> io::Result<Option<(Header, u64)>> {
    // Whoever writes one to its end ends it with an empty block.
    if length.checked_sub(at).is_none_or(|left| left < BLOCK) {
        return Err(bad(format!("the archive is cut short, at byte {length}")));
    }
    let mut header = Header::new_old();
    file.read_exact_at(header.as_mut_bytes(), at)?;
    let bytes = header.as_bytes();
    if bytes.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    // The sum of all bytes, its own counted as spaces (POSIX.1, "ustar Interchange Format").
    let sum: u32 =
        bytes.iter().enumerate().map(|(at, byte)| u32::from(if (148..156).contains(&at) { b' ' } else { *byte })).sum();
    if header.cksum().ok() != Some(sum) {
        let what = if at == 0 { "it is no tar file".to_owned() } else { format!("the archive is broken at byte {at}") };
        return Err(bad(what));
    }
    Ok(Some((header, at + BLOCK)))
}

/// That the file is not compressed.
fn check_magic(file: &File, length: u64) -> io::Result<()> {
    let mut magic = [0; 4];
    let head = &mut magic[..usize::try_from(length).unwrap_or(4).min(4)];
    file.read_exact_at(head, 0)?;
    match *head {
        [] => Err(bad("it is empty; where a program was to write it, that has failed")),
        [0x1f, 0x8b, ..] => Err(bad("it is compressed; undo that first, as in: gunzip -c FILE | berth push - IMAGE")),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            Err(bad("it is compressed; undo that first, as in: zstd -dc FILE | berth push - IMAGE"))
        }
        _ => Ok(()),
    }
}

fn is_pax(kind: EntryType) -> bool {
    kind.is_pax_local_extensions() || kind.is_pax_global_extensions()
}

impl Extended {
    fn read(&mut self, kind: EntryType, file: &File, start: u64, size: u64) -> io::Result<()> {
        if kind.is_pax_global_extensions() {
            return Ok(());
        }
        if size > LONGEST {
            return Err(bad(format!("the archive holds a name of {size} bytes")));
        }
        let mut content = vec![0; usize::try_from(size).map_err(io::Error::other)?];
        file.read_exact_at(&mut content, start)?;
        if kind.is_gnu_longname() || kind.is_gnu_longlink() {
            let end = content.iter().position(|byte| *byte == 0).unwrap_or(content.len());
            content.truncate(end);
            let said = Some(text(content)?);
            *(if kind.is_gnu_longname() { &mut self.path } else { &mut self.link }) = said;
            return Ok(());
        }
        self.pax(&content)
    }

    /// Reads records of the form `LENGTH KEY=VALUE\n` (POSIX.1, "pax Extended Header").
    fn pax(&mut self, mut rest: &[u8]) -> io::Result<()> {
        let broken = || bad("the archive holds a broken extended header");
        while !rest.is_empty() {
            let space = rest.iter().position(|byte| *byte == b' ').ok_or_else(broken)?;
            let length = std::str::from_utf8(&rest[..space]).ok().and_then(|digits| digits.parse::<usize>().ok());
            let length = length.filter(|length| (space + 2..=rest.len()).contains(length)).ok_or_else(broken)?;
            let (record, behind) = rest.split_at(length);
            rest = behind;
            let record = record[space + 1..].strip_suffix(b"\n").ok_or_else(broken)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(broken)?;
            let (key, value) = (&record[..equals], record[equals + 1..].to_vec());
            match key {
                b"path" => self.path = Some(text(value)?),
                b"linkpath" => self.link = Some(text(value)?),
                b"size" => self.size = Some(text(value)?.parse().map_err(|_| broken())?),
                key if key.starts_with(b"GNU.sparse.") => {
                    return Err(bad("the archive holds a file with holes (sparse)"));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| bad("the archive holds a name that is no UTF-8"))
}

/// `path` as seen from `folder`, without what means nothing; `None` where it leads out.
fn normal(folder: &str, path: &str) -> Option<String> {
    if path.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.is_empty() => return None,
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_within_and_out_of_an_archive() {
        for (folder, path, expected) in [
            ("", "./blobs//sha256/x", Some("blobs/sha256/x")),
            ("a/b", "../c/layer.tar", Some("a/c/layer.tar")),
            ("a", "../../etc/passwd", None),
            ("", "..", None),
            ("a", "/etc/passwd", None),
            ("", "a/../..", None),
            ("", "", Some("")),
        ] {
            assert_eq!(normal(folder, path).as_deref(), expected, "{folder} {path}");
        }
    }
}
