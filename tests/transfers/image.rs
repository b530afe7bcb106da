//! Images that are made here: layouts and archives of them, as others write them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use berth::digest::Digest;
use serde_json::{Value, json};

pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub(crate) const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// Content by its digest, and the manifest that names it.
#[derive(Clone, Default)]
pub(crate) struct Image {
    pub(crate) content: BTreeMap<Digest, Vec<u8>>,
    pub(crate) root: Option<Digest>,
    pub(crate) media_type: &'static str,
}

impl Image {
    pub(crate) fn digest(&self) -> Digest {
        self.root.unwrap()
    }

    /// Adds content; its descriptor.
    pub(crate) fn add(&mut self, media_type: &str, content: Vec<u8>) -> Value {
        let digest = Digest::canonical(&content);
        let size = content.len();
        self.content.insert(digest, content);
        json!({ "mediaType": media_type, "digest": digest, "size": size })
    }

    /// Adds a manifest, which is the root from then on; its descriptor.
    pub(crate) fn manifest(&mut self, media_type: &'static str, manifest: &Value) -> Value {
        let descriptor = self.add(media_type, manifest.to_string().into_bytes());
        self.root = descriptor["digest"].as_str().unwrap().parse().ok();
        self.media_type = media_type;
        descriptor
    }

    /// For linux on `architecture`, with layers of so many bytes.
    pub(crate) fn of(architecture: &str, sizes: &[usize]) -> Self {
        let mut image = Self::default();
        let layers: Vec<Value> =
            sizes.iter().enumerate().map(|(at, size)| image.add(LAYER, layer(architecture, at, *size))).collect();
        let diff_ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
        let config = json!({
            "os": "linux", "architecture": architecture, "rootfs": { "type": "layers", "diff_ids": diff_ids }, "config": {},
        });
        let config = image.add(CONFIG, config.to_string().into_bytes());
        image.manifest(IMAGE, &json!({ "schemaVersion": 2, "mediaType": IMAGE, "config": config, "layers": layers }));
        image
    }

    /// An index of `images`, each for its platform.
    pub(crate) fn index(images: &[(&str, &Self)]) -> Self {
        let mut index = Self::default();
        let mut manifests = Vec::new();
        for (architecture, image) in images {
            index.content.extend(image.content.clone());
            let size = image.content[&image.digest()].len();
            let platform = json!({ "os": "linux", "architecture": architecture });
            let (digest, media_type) = (image.digest(), image.media_type);
            manifests.push(json!({ "mediaType": media_type, "digest": digest, "size": size, "platform": platform }));
        }
        index.manifest(INDEX, &json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }));
        index
    }

    /// Two platforms, three blobs each.
    pub(crate) fn of_two_platforms() -> Self {
        let [amd, arm] = ["amd64", "arm64"].map(|architecture| Self::of(architecture, &[300_000, 70_000]));
        Self::index(&[("amd64", &amd), ("arm64", &arm)])
    }

    /// Something that refers to it, as a signature does.
    pub(crate) fn referrer(&self, artifact_type: &str) -> Self {
        let mut referrer = Self::default();
        let config = referrer.add("application/vnd.oci.empty.v1+json", b"{}".to_vec());
        let layer = referrer.add(artifact_type, format!("{artifact_type} of {}", self.digest()).into_bytes());
        let subject = json!({ "mediaType": self.media_type, "digest": self.digest(), "size": self.content[&self.digest()].len() });
        let manifest = json!({
            "schemaVersion": 2, "mediaType": IMAGE, "artifactType": artifact_type, "config": config, "layers": [layer],
            "subject": subject,
        });
        referrer.manifest(IMAGE, &manifest);
        referrer
    }

    fn descriptor(&self) -> Value {
        json!({ "mediaType": self.media_type, "digest": self.digest(), "size": self.content[&self.digest()].len() })
    }

    /// `index.json` of a layout in which it is called `name`.
    pub(crate) fn layout_index(&self, name: &str) -> Value {
        let mut entry = self.descriptor();
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
        json!({ "schemaVersion": 2, "manifests": [entry] })
    }

    /// The files of a layout.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let mut files = vec![
            ("oci-layout".to_owned(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec()),
            ("index.json".to_owned(), self.layout_index("1").to_string().into_bytes()),
        ];
        files.extend(self.content.iter().map(|(digest, content)| (blob(digest), content.clone())));
        files
    }

    /// The layout at `path`.
    pub(crate) fn write(&self, path: &Path) -> PathBuf {
        for (name, content) in self.files() {
            let file = path.join(name);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, content).unwrap();
        }
        path.to_owned()
    }

    /// What the manifest says, which is no index.
    pub(crate) fn parsed(&self) -> Value {
        serde_json::from_slice(&self.content[&self.digest()]).unwrap()
    }
}

/// A layer: a tar of one file whose content is random, but always the same.
fn layer(seed: &str, at: usize, size: usize) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed.bytes().fold(at as u64, |sum, byte| sum * 31 + u64::from(byte)));
    let content: Vec<u8> = (0..size).map(|_| random.u8(..)).collect();
    tar(&[(format!("file{at}"), content)])
}

/// Where a layout keeps content.
pub(crate) fn blob(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm().as_str(), digest.encoded())
}

/// A tar file of `files`.
pub(crate) fn tar(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, &**content).unwrap();
    }
    builder.into_inner().unwrap()
}

/// What is in the layout at `path`: the digest that its index lists under `name`, and all content, checked.
pub(crate) fn read_layout(path: &Path, name: &str) -> Image {
    let index: Value = serde_json::from_slice(&fs::read(path.join("index.json")).unwrap()).unwrap();
    assert!(path.join("oci-layout").is_file());
    let called = |entry: &&Value| entry["annotations"]["org.opencontainers.image.ref.name"] == name;
    let entries: Vec<&Value> = index["manifests"].as_array().unwrap().iter().filter(called).collect();
    assert_eq!(entries.len(), 1, "{index}");
    let mut image = Image { root: entries[0]["digest"].as_str().unwrap().parse().ok(), ..Image::default() };
    for entry in fs::read_dir(path.join("blobs/sha256")).unwrap() {
        let entry = entry.unwrap();
        let content = fs::read(entry.path()).unwrap();
        let digest = Digest::canonical(&content);
        assert_eq!(entry.file_name().to_str().unwrap(), digest.encoded(), "content is what its name says");
        image.content.insert(digest, content);
    }
    image
}

/// The files of a tar file, by their names.
pub(crate) fn read_tar(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(fs::File::open(path).unwrap());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        (name, content)
    });
    entries.collect()
}
