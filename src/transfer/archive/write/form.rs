//! Which files an archive has, in which order.

use std::collections::HashMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;
use tar::{EntryType, Header};

use crate::{
    digest::Digest,
    manifest::{ContentReference, Manifest, ReferenceKind},
    transfer::{
        Names, Plan, Planned, TransferError,
        index::{Index, MARKER},
        layout::blob_path,
    },
};

/// Bytes of a block of a tar file.
const BLOCK: u64 = 512;
/// The longest name that stands in a header itself, in bytes.
const LONGEST: usize = 100;

/// What an archive is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveForm {
    /// An OCI layout in a tar file.
    Oci,
    /// The same, and `manifest.json` beside, as Docker writes it since version 25: every `docker load` takes it. It holds
    /// one image for one platform.
    Docker,
}

/// A file of an archive.
#[derive(Debug, Clone)]
pub(super) struct Member {
    /// Where its header begins.
    pub(super) at: u64,
    /// Its header; with a long name, that before it.
    pub(super) header: Bytes,
    /// Bytes of its content.
    pub(super) size: u64,
}

/// All of them.
pub(super) struct Contents {
    /// Those whose content is known beforehand. The first tells one archive from another.
    pub(super) small: Vec<(Member, Bytes)>,
    pub(super) blobs: HashMap<Digest, Member>,
    /// Where the last one ends.
    pub(super) end: u64,
}

impl Member {
    /// The file `name`, whose header begins at `at`.
    fn new(name: &str, at: u64, size: u64) -> Self {
        let mut bytes = Vec::new();
        if name.len() > LONGEST {
            let mut long = header("././@LongLink", EntryType::GNULongName, name.len() as u64 + 1);
            bytes.append(&mut long);
            bytes.extend(name.as_bytes());
            bytes.resize(usize::try_from(2 * BLOCK).unwrap_or_default(), 0);
        }
        bytes.extend(header(&name[..name.len().min(LONGEST)], EntryType::Regular, size));
        Self { at, header: bytes.into(), size }
    }

    /// Where its content begins.
    pub(super) fn start(&self) -> u64 {
        self.at + self.header.len() as u64
    }

    /// Where the next file begins.
    fn next(&self) -> u64 {
        (self.start() + self.size).div_ceil(BLOCK) * BLOCK
    }
}

/// A header, of which nothing depends on when and by whom it is written.
fn header(name: &str, kind: EntryType, size: u64) -> Vec<u8> {
    let mut header = Header::new_gnu();
    // Our own names are short and relative.
    let field = &mut header.as_old_mut().name;
    field[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// The files of an archive of `plan`, in which the image is called by `names`.
pub(super) fn contents(plan: &Plan, form: ArchiveForm, names: &Names) -> Result<Contents, TransferError> {
    let mut index = Index::empty();
    for referrer in plan.referrers() {
        index.list(referrer, &Names::default());
    }
    index.list(plan.root(), names);
    let mut small = vec![("index.json", index.bytes()), (MARKER.0, Bytes::from_static(MARKER.1.as_bytes()))];
    if form == ArchiveForm::Docker {
        small.push(("manifest.json", docker(plan.root(), names)?));
    }
    let mut at = 0;
    let mut place = |name: &str, size: u64| {
        let member = Member::new(name, at, size);
        at = member.next();
        member
    };
    let small = small.into_iter().map(|(name, bytes)| (place(name, bytes.len() as u64), bytes)).collect();
    let mut blobs = HashMap::new();
    for Planned { digest, manifest } in plan.manifests() {
        let named = manifest.references().iter().filter(|reference| reference.kind == ReferenceKind::Blob);
        let named = named.map(|ContentReference { digest, size, .. }| (*digest, *size));
        for (digest, size) in named.chain([(*digest, manifest.bytes().len() as u64)]) {
            blobs.entry(digest).or_insert_with(|| place(&blob_path(&digest), size));
        }
    }
    Ok(Contents { small, blobs, end: at })
}

/// `manifest.json` of the image `root`.
fn docker(root: &Planned, names: &Names) -> Result<Bytes, TransferError> {
    #[derive(Deserialize)]
    struct Image {
        config: Layer,
        layers: Vec<Layer>,
    }
    #[derive(Deserialize)]
    struct Layer {
        digest: Digest,
        #[serde(default)]
        urls: Option<Vec<String>>,
    }
    let unfit = |what: &str| {
        let all = "; an OCI archive takes it (--format oci-archive)";
        TransferError::Choice(format!("{} {what}{all}", root.digest))
    };
    let image: Image = parse(&root.manifest).ok_or_else(|| unfit("is no image that `docker load` takes"))?;
    if image.layers.iter().any(|layer| layer.urls.as_ref().is_some_and(|urls| !urls.is_empty())) {
        return Err(unfit("has layers that are to be fetched elsewhere, which an archive for Docker cannot lack"));
    }
    let layers: Vec<String> = image.layers.iter().map(|layer| blob_path(&layer.digest)).collect();
    let tags: Option<Vec<&str>> = names.image.as_deref().map(|name| vec![name]);
    let entry = json!([{ "Config": blob_path(&image.config.digest), "RepoTags": tags, "Layers": layers }]);
    Ok(entry.to_string().into())
}

fn parse<T: for<'a> Deserialize<'a>>(manifest: &Manifest) -> Option<T> {
    serde_json::from_slice(manifest.bytes()).ok()
}
