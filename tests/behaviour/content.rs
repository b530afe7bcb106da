//! What is stored, and storing it tersely.

use std::sync::Arc;

use berth::{
    context::Context,
    descriptor::Descriptor,
    digest::{Algorithm, Digest},
    distribution::{BlobError, BlobWriter, Content, Created, NewUpload, Reading, Repository},
    manifest::{Manifest, MediaType},
    name::Tag,
};
use bytes::{Bytes, BytesMut};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

pub(crate) use crate::image::noise;

pub(crate) fn sha512(content: &[u8]) -> Digest {
    Digest::of(Algorithm::Sha512, content)
}

pub(crate) fn tag(text: &str) -> Tag {
    text.parse().unwrap()
}

/// Content without a length, that breaks off where `broken`.
pub(crate) fn streamed(content: &Bytes, broken: bool) -> Content {
    let end = broken.then(|| Err(std::io::Error::other("the sender is gone")));
    let chunks: Vec<_> = content.chunks(100_000).map(|chunk| Ok(content.slice_ref(chunk))).chain(end).collect();
    Content { length: None, stream: stream::iter(chunks).boxed() }
}

/// All that `reading` gives.
pub(crate) async fn all(reading: Reading) -> Bytes {
    let bytes: BytesMut = reading.stream.try_collect().await.unwrap();
    bytes.freeze()
}

/// A fresh session of `repository`.
pub(crate) async fn session(ctx: &Context, repository: &Arc<dyn Repository>) -> Box<dyn BlobWriter> {
    match repository.blobs().create(ctx, NewUpload::default()).await.unwrap() {
        Created::Session(writer) => writer,
        Created::Mounted(_) => panic!("an upload without a mount opens a session"),
    }
}

/// Stores `content`.
pub(crate) async fn put(ctx: &Context, repository: &Arc<dyn Repository>, content: &Bytes) -> Digest {
    let descriptor = repository.blobs().put(ctx, "application/octet-stream", content.clone()).await.unwrap();
    assert_eq!(descriptor, Descriptor::blob(Digest::canonical(content), content.len() as u64));
    descriptor.digest
}

pub(crate) fn is_unknown<T: std::fmt::Debug>(result: Result<T, BlobError>, digest: &Digest) {
    match result {
        Err(BlobError::Unknown(named)) => assert_eq!(named, *digest),
        other => panic!("{other:?} of a blob that is not there"),
    }
}

fn entry(media_type: &str, content: &[u8]) -> serde_json::Value {
    serde_json::json!({ "mediaType": media_type, "digest": Digest::canonical(content), "size": content.len() })
}

fn manifest(media_type: MediaType, mut fields: serde_json::Value) -> Manifest {
    fields["schemaVersion"] = 2.into();
    fields["mediaType"] = media_type.as_str().into();
    Manifest::parse(Some(media_type.as_str()), Bytes::from(fields.to_string())).unwrap()
}

/// The configuration of every image here.
pub(crate) const CONFIG: Bytes = Bytes::from_static(b"{}");

/// An image of `layers`; nothing of it is stored.
pub(crate) fn image(layers: &[Bytes]) -> Manifest {
    let layers: Vec<_> = layers.iter().map(|layer| entry("application/vnd.oci.image.layer.v1.tar", layer)).collect();
    let config = entry("application/vnd.oci.image.config.v1+json", &CONFIG);
    manifest(MediaType::OciImage, serde_json::json!({ "config": config, "layers": layers }))
}

/// An index of `images`.
pub(crate) fn index(images: &[&Manifest]) -> Manifest {
    let images: Vec<_> = images.iter().map(|image| entry(image.media_type().as_str(), image.bytes())).collect();
    manifest(MediaType::OciIndex, serde_json::json!({ "manifests": images }))
}

/// An artifact of type `kind` that refers to `subject`.
pub(crate) fn artifact(subject: &Manifest, kind: &str) -> Manifest {
    let fields = serde_json::json!({
        "artifactType": kind,
        "config": entry("application/vnd.oci.empty.v1+json", &CONFIG),
        "layers": [],
        "subject": entry(subject.media_type().as_str(), subject.bytes()),
        "annotations": { "org.example.kind": kind },
    });
    manifest(MediaType::OciImage, fields)
}

/// Stores an image of one layer, `layer`, under `tags`.
pub(crate) async fn put_image(
    ctx: &Context,
    repository: &Arc<dyn Repository>,
    layer: &Bytes,
    tags: &[&str],
) -> Manifest {
    put(ctx, repository, &CONFIG).await;
    put(ctx, repository, layer).await;
    let image = image(std::slice::from_ref(layer));
    put_manifest(ctx, repository, &image, tags).await;
    image
}

pub(crate) async fn put_manifest(
    ctx: &Context,
    repository: &Arc<dyn Repository>,
    manifest: &Manifest,
    tags: &[&str],
) -> Digest {
    let tags: Vec<Tag> = tags.iter().map(|text| tag(text)).collect();
    let digest = repository.manifests().put(ctx, manifest, None, &tags).await.unwrap();
    assert_eq!(digest, digest_of(manifest));
    digest
}

pub(crate) fn digest_of(manifest: &Manifest) -> Digest {
    Digest::canonical(manifest.bytes())
}
