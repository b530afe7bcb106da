//! Plays a step against a registry and against the model, and holds the answers and what is then visible together.

use std::{collections::BTreeSet, sync::Arc};

use berth::{
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{
        BlobError, BlobWriter, Content, Created, ManifestError, Namespace, NewUpload, Paging, Repository, TagError,
        UploadError,
    },
    name::{Reference, RepositoryName, Tag},
};
use bytes::Bytes;

use crate::{
    operation::{BLOBS, Operation, REPOSITORIES, TAGS, Way, Which},
    world::{World, blob_digest, blob_sha512},
};

/// A registry beside its model.
pub(crate) struct Play {
    registry: Arc<dyn Namespace>,
    /// Whether it says the canonical digest of content that is named by another: the API has no place for that.
    says_canonical: bool,
    ctx: Context,
    world: World,
    touched: BTreeSet<Which>,
}

impl Play {
    pub(crate) fn new(registry: Arc<dyn Namespace>, says_canonical: bool) -> Self {
        Self {
            registry,
            says_canonical,
            ctx: Context::background("model"),
            world: World::default(),
            touched: BTreeSet::new(),
        }
    }

    fn repository(&self, index: usize) -> Arc<dyn Repository> {
        self.registry.repository(&name(index))
    }

    /// Plays one step.
    pub(crate) async fn step(&mut self, operation: &Operation) {
        match operation {
            Operation::Push(to, blob, way) => self.push(*to, *blob, *way).await,
            Operation::Mount(to, from, blob) => self.mount(*to, *from, *blob).await,
            Operation::Put(to, which, tags, by_digest) => self.put(*to, *which, tags, *by_digest).await,
            Operation::Untag(from, tag) => self.untag(*from, *tag).await,
            Operation::DeleteManifest(from, which) => self.delete_manifest(*from, *which).await,
            Operation::DeleteBlob(from, blob) => self.delete_blob(*from, *blob).await,
            Operation::Cancel(to, blob) => self.cancel(*to, *blob).await,
            Operation::WrongDigest(to, blob, way) => self.wrong_digest(*to, *blob, *way).await,
        }
    }

    async fn push(&mut self, to: usize, blob: usize, way: Way) {
        let descriptor = self.upload(to, blob, way, None).await.expect("a whole upload is taken");
        let by_sha512 = matches!(way, Way::Sha512 | Way::Sha512Late);
        let digest = if by_sha512 && !self.says_canonical { blob_sha512(blob) } else { blob_digest(blob) };
        assert_eq!(descriptor, Descriptor::blob(digest, BLOBS[blob].len() as u64));
        self.world.stored.insert(blob);
        let repository = &mut self.world.repositories[to];
        repository.layers.insert(blob);
        if by_sha512 {
            repository.by_sha512.insert(blob);
        }
    }

    /// Sends blob `blob`, and closes with its digest or with `claimed`.
    async fn upload(
        &self,
        to: usize,
        blob: usize,
        way: Way,
        claimed: Option<Digest>,
    ) -> Result<Descriptor, UploadError> {
        let (content, ctx) = (Bytes::from_static(BLOBS[blob]), &self.ctx);
        let (first, rest) = (content.slice(..content.len() / 2), content.slice(content.len() / 2..));
        let sha512 = matches!(way, Way::Sha512 | Way::Sha512Late);
        let digest = claimed.unwrap_or(if sha512 { blob_sha512(blob) } else { blob_digest(blob) });
        let mut writer = self.open(to).await;
        match way {
            Way::AtOnce | Way::Sha512 => writer.commit(ctx, &digest, None, content.into()).await,
            Way::Append | Way::Sha512Late => {
                writer.append(ctx, None, content.into()).await?;
                writer.commit(ctx, &digest, None, Content::empty()).await
            }
            Way::Halves => {
                writer.append(ctx, Some(0), first.clone().into()).await?;
                let mut writer = self.reopen(to, &*writer).await?;
                writer.append(ctx, Some(first.len() as u64), rest.into()).await?;
                let writer = self.reopen(to, &*writer).await?;
                writer.commit(ctx, &digest, None, Content::empty()).await
            }
            Way::RestAtClose => {
                writer.append(ctx, None, first.clone().into()).await?;
                let writer = self.reopen(to, &*writer).await?;
                writer.commit(ctx, &digest, Some(first.len() as u64), rest.into()).await
            }
        }
    }

    async fn open(&self, to: usize) -> Box<dyn BlobWriter> {
        match self.repository(to).blobs().create(&self.ctx, NewUpload::default()).await {
            Ok(Created::Session(writer)) => writer,
            _ => panic!("an upload without a mount opens a session"),
        }
    }

    async fn reopen(&self, to: usize, writer: &dyn BlobWriter) -> Result<Box<dyn BlobWriter>, UploadError> {
        let upload = writer.upload();
        self.repository(to).blobs().resume(&self.ctx, &upload.id, &upload.state).await
    }

    async fn mount(&mut self, to: usize, from: Option<usize>, blob: usize) {
        let had = match from {
            Some(from) => self.world.repositories[from].layers.contains(&blob),
            None => self.world.stored.contains(&blob),
        };
        let new = NewUpload { mount: Some((blob_digest(blob), from.map(name))), ..NewUpload::default() };
        let created = self.repository(to).blobs().create(&self.ctx, new).await.expect("a mount never fails");
        assert_eq!(matches!(created, Created::Mounted(_)), had, "mount of blob {blob} from {from:?}");
        if had {
            self.world.repositories[to].layers.insert(blob);
        }
    }

    async fn put(&mut self, to: usize, which: Which, tags: &[usize], by_digest: bool) {
        let manifest = which.manifest();
        let texts: Vec<Tag> = tags.iter().map(|tag| TAGS[*tag].parse().unwrap()).collect();
        let named = by_digest.then(|| which.digest());
        let result = self.repository(to).manifests().put(&self.ctx, &manifest, named.as_ref(), &texts).await;
        let repository = &mut self.world.repositories[to];
        let blobs = which.blobs().into_iter().filter(|blob| !repository.layers.contains(blob)).map(blob_digest);
        let manifests = which.children().into_iter().filter(|child| !repository.manifests.contains(child));
        let expected: BTreeSet<Digest> = blobs.chain(manifests.map(Which::digest)).collect();
        match result {
            Ok(digest) => {
                assert_eq!(digest, which.digest());
                assert!(expected.is_empty(), "{which:?} was taken without {expected:?}");
                repository.manifests.insert(which);
                repository.tags.extend(tags.iter().map(|tag| (*tag, which)));
                self.touched.insert(which);
            }
            Err(ManifestError::ReferencesUnknown(missing)) => {
                assert_eq!(missing.into_iter().map(|missing| missing.digest).collect::<BTreeSet<_>>(), expected);
            }
            Err(other) => panic!("putting {which:?}: {other}"),
        }
    }

    async fn untag(&mut self, from: usize, tag: usize) {
        let result = self.repository(from).tags().untag(&self.ctx, &TAGS[tag].parse().unwrap()).await;
        match self.world.repositories[from].tags.remove(&tag) {
            Some(_) => result.expect("a tag that is there is removed"),
            None => assert!(matches!(result, Err(TagError::Unknown { .. })), "{result:?}"),
        }
    }

    async fn delete_manifest(&mut self, from: usize, which: Which) {
        let result = self.repository(from).manifests().delete(&self.ctx, &which.digest()).await;
        let repository = &mut self.world.repositories[from];
        if !repository.manifests.contains(&which) {
            assert!(matches!(result, Err(ManifestError::Unknown { .. })), "{result:?}");
        } else if repository.names_manifest(which) {
            assert!(matches!(result, Err(ManifestError::InUse { .. })), "{result:?}");
        } else {
            result.expect("a manifest that nothing names is deleted");
            repository.manifests.remove(&which);
            repository.tags.retain(|_, target| *target != which);
        }
    }

    async fn delete_blob(&mut self, from: usize, blob: usize) {
        let result = self.repository(from).blobs().delete(&self.ctx, &blob_digest(blob)).await;
        let repository = &mut self.world.repositories[from];
        if !repository.layers.contains(&blob) {
            assert!(matches!(result, Err(BlobError::Unknown(_))), "{result:?}");
        } else if repository.names_blob(blob) {
            assert!(matches!(result, Err(BlobError::InUse { .. })), "{result:?}");
        } else {
            result.expect("a blob that nothing names is deleted");
            repository.layers.remove(&blob);
            repository.by_sha512.remove(&blob);
        }
    }

    async fn cancel(&mut self, to: usize, blob: usize) {
        let mut writer = self.open(to).await;
        let fresh = writer.upload();
        let half = Bytes::from_static(&BLOBS[blob][..BLOBS[blob].len() / 2]);
        let appended = writer.append(&self.ctx, None, half.into()).await.expect("a fresh session takes bytes");
        writer.cancel(&self.ctx).await.expect("an open session is cancelled");
        for upload in [fresh, appended] {
            let result = match self.repository(to).blobs().resume(&self.ctx, &upload.id, &upload.state).await {
                Ok(mut writer) => writer.refresh(&self.ctx).await,
                Err(error) => Err(error),
            };
            assert!(matches!(result, Err(UploadError::Unknown(_))), "a cancelled session is over: {result:?}");
        }
    }

    async fn wrong_digest(&mut self, to: usize, blob: usize, way: Way) {
        let other = match way {
            Way::Sha512 | Way::Sha512Late => Digest::of(berth::digest::Algorithm::Sha512, b"something else"),
            _ => Digest::canonical(b"something else"),
        };
        let result = self.upload(to, blob, way, Some(other)).await;
        assert!(matches!(result, Err(UploadError::DigestMismatch { .. })), "{result:?}");
        let seen = self.repository(to).blobs().stat(&self.ctx, &other).await;
        assert!(matches!(seen, Err(BlobError::Unknown(_))), "nothing is stored under a wrong digest: {seen:?}");
    }

    /// Holds everything that can be seen against the model.
    pub(crate) async fn compare(&self) {
        let catalog = self.registry.repositories(&self.ctx, &Paging::default()).await.unwrap();
        let catalog: Vec<String> = catalog.entries.iter().map(ToString::to_string).collect();
        let existing = (0..REPOSITORIES.len()).filter(|index| self.world.repositories[*index].exists());
        assert_eq!(catalog, existing.map(|index| REPOSITORIES[index].to_owned()).collect::<Vec<_>>());
        for index in 0..REPOSITORIES.len() {
            self.compare_tags(index).await;
            self.compare_blobs(index).await;
            self.compare_manifests(index).await;
        }
    }

    async fn compare_tags(&self, index: usize) {
        let (model, repository) = (&self.world.repositories[index], self.repository(index));
        let mut expected: Vec<&str> = model.tags.keys().map(|tag| TAGS[*tag]).collect();
        expected.sort_unstable();
        match repository.tags().list(&self.ctx, &Paging::default()).await {
            Ok(page) => {
                assert!(model.exists(), "{index} has tags without anything in it");
                assert_eq!(page.entries.iter().map(Tag::as_str).collect::<Vec<_>>(), expected);
            }
            Err(TagError::RepositoryUnknown(_)) => assert!(!model.exists(), "{index} is unknown"),
            Err(other) => panic!("{other}"),
        }
        for (tag, which) in &model.tags {
            let tag: Tag = TAGS[*tag].parse().unwrap();
            let stored = repository.manifests().get(&self.ctx, &Reference::Tag(tag)).await.expect("a tag resolves");
            assert_eq!((stored.digest, stored.bytes), (which.digest(), which.bytes()));
        }
    }

    async fn compare_blobs(&self, index: usize) {
        let (model, repository) = (&self.world.repositories[index], self.repository(index));
        for (blob, content) in BLOBS.iter().enumerate() {
            let known = model.layers.contains(&blob);
            match repository.blobs().get(&self.ctx, &blob_digest(blob), 1 << 20).await {
                Ok(bytes) => assert!(known && bytes == *content, "blob {blob} of {index}"),
                Err(BlobError::Unknown(_)) => assert!(!known, "blob {blob} of {index} is unknown"),
                Err(other) => panic!("{other}"),
            }
            let seen = repository.blobs().stat(&self.ctx, &blob_sha512(blob)).await;
            assert_eq!(seen.is_ok(), model.by_sha512.contains(&blob), "blob {blob} of {index} by sha512: {seen:?}");
        }
    }

    async fn compare_manifests(&self, index: usize) {
        let (model, repository) = (&self.world.repositories[index], self.repository(index));
        for which in &self.touched {
            let reference = Reference::Digest(which.digest());
            match repository.manifests().get(&self.ctx, &reference).await {
                Ok(stored) => assert!(model.manifests.contains(which) && stored.bytes == which.bytes()),
                Err(ManifestError::Unknown { .. }) => assert!(!model.manifests.contains(which), "{which:?} of {index}"),
                Err(other) => panic!("{other}"),
            }
        }
        for image in 0..8 {
            let (subject, artifact) = (Which::Image(image), Which::Artifact(image));
            let page = repository.manifests().referrers(&self.ctx, &subject.digest(), None, None).await.unwrap();
            let found: Vec<Digest> = page.referrers.iter().map(|referrer| referrer.digest).collect();
            let expected = if model.manifests.contains(&artifact) { vec![artifact.digest()] } else { Vec::new() };
            assert_eq!(found, expected, "referrers of {subject:?} in {index}");
            debug_assert_eq!(artifact.subject(), Some(subject));
        }
    }
}

fn name(index: usize) -> RepositoryName {
    REPOSITORIES[index].parse().unwrap()
}
