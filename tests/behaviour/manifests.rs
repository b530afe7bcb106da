//! Manifests.

use std::collections::BTreeSet;

use berth::{
    digest::Digest,
    distribution::{ManifestError, Missing, StoredManifest, TagError},
    name::Reference,
};
use bytes::Bytes;

use crate::{
    content::{CONFIG, digest_of, image, index, noise, put, put_image, put_manifest, sha512, tag},
    subject::{Ability, Subject},
};

pub(crate) async fn what_is_put_is_got_by_tag_and_digest(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("manifests/put"));
    let image = put_image(ctx, &repository, &noise(1, 1000), &["latest"]).await;
    let stored = StoredManifest {
        media_type: image.media_type().as_str().to_owned(),
        digest: digest_of(&image),
        bytes: image.bytes().clone(),
    };
    for reference in [Reference::Digest(stored.digest), Reference::Tag(tag("latest"))] {
        assert_eq!(repository.manifests().get(ctx, &reference).await.unwrap(), stored);
    }
    assert_eq!(repository.tags().resolve(ctx, &tag("latest")).await.unwrap(), stored.digest);
    // And again, without a tag.
    put_manifest(ctx, &repository, &image, &[]).await;
}

pub(crate) async fn an_index_is_as_good(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("manifests/index"));
    let one = put_image(ctx, &repository, &noise(2, 1000), &[]).await;
    let other = put_image(ctx, &repository, &noise(3, 1000), &[]).await;
    let index = index(&[&one, &other]);
    let digest = put_manifest(ctx, &repository, &index, &["all"]).await;
    let stored = repository.manifests().get(ctx, &Reference::Tag(tag("all"))).await.unwrap();
    assert_eq!((stored.digest, &stored.bytes), (digest, index.bytes()));
    assert_eq!(stored.media_type, index.media_type().as_str());
}

pub(crate) async fn what_is_not_there_is_unknown(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("manifests/unknown"));
    put_image(ctx, &repository, &noise(4, 1000), &["v1"]).await;
    let digest = Digest::canonical(b"never pushed");
    for reference in [Reference::Digest(digest), Reference::Tag(tag("v2"))] {
        match repository.manifests().get(ctx, &reference).await {
            Err(ManifestError::Unknown { name, reference: named }) => {
                assert_eq!((name, named), (repository.name().clone(), reference.to_string()));
            }
            other => panic!("{other:?}"),
        }
    }
    let result = repository.manifests().delete(ctx, &digest).await;
    assert!(matches!(result, Err(ManifestError::Unknown { .. })), "{result:?}");
}

pub(crate) async fn all_that_is_missing_is_said(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("manifests/missing"));
    let layers = [noise(5, 1000), noise(6, 1000), noise(7, 1000)];
    put(ctx, &repository, &layers[1]).await;
    let image = image(&layers);
    match repository.manifests().put(ctx, &image, None, &[tag("v1")]).await {
        Err(ManifestError::ReferencesUnknown(missing)) => {
            assert!(missing.iter().all(|missing| !missing.manifest), "{missing:?}");
            let missing: BTreeSet<Digest> = missing.into_iter().map(|missing| missing.digest).collect();
            let expected = [&CONFIG, &layers[0], &layers[2]].map(|blob| Digest::canonical(blob));
            assert_eq!(missing, BTreeSet::from(expected));
        }
        other => panic!("{other:?}"),
    }
    let result = repository.tags().resolve(ctx, &tag("v1")).await;
    assert!(matches!(result, Err(TagError::Unknown { .. })), "{result:?}");
}

pub(crate) async fn an_index_needs_its_manifests(subject: &Subject) {
    if !subject.can(Ability::CompleteIndexes) {
        return;
    }
    let (ctx, repository) = (&subject.ctx, subject.repository("manifests/incomplete"));
    let here = put_image(ctx, &repository, &noise(8, 1000), &[]).await;
    let missing = image(&[noise(9, 1000)]);
    match repository.manifests().put(ctx, &index(&[&here, &missing]), None, &[]).await {
        Err(ManifestError::ReferencesUnknown(found)) => {
            assert_eq!(found, [Missing { digest: digest_of(&missing), manifest: true }]);
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn a_wrong_digest_is_refused(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("manifests/wrong"));
    let image = put_image(ctx, &repository, &noise(10, 1000), &[]).await;
    let wrong = Digest::canonical(b"something else");
    match repository.manifests().put(ctx, &image, Some(&wrong), &[]).await {
        Err(ManifestError::DigestMismatch { expected, actual }) => {
            assert_eq!((expected, actual), (wrong, digest_of(&image)));
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn many_tags_are_set_at_once(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("manifests/tags"));
    let image = put_image(ctx, &repository, &noise(11, 1000), &["a", "b", "c"]).await;
    for name in ["a", "b", "c"] {
        assert_eq!(repository.tags().resolve(ctx, &tag(name)).await.unwrap(), digest_of(&image), "{name}");
    }
    let digest = digest_of(&image);
    let named = repository.manifests().put(ctx, &image, Some(&digest), &[tag("d"), tag("e")]).await.unwrap();
    assert_eq!(named, digest);
    assert_eq!(repository.tags().resolve(ctx, &tag("e")).await.unwrap(), digest);
}

pub(crate) async fn another_algorithm_names_the_same_manifest(subject: &Subject) {
    if !subject.can(Ability::ManifestAlgorithms) {
        return;
    }
    let (ctx, repository) = (&subject.ctx, subject.repository("manifests/sha512"));
    let image = put_image(ctx, &repository, &noise(12, 1000), &[]).await;
    let digest = sha512(image.bytes());
    assert_eq!(repository.manifests().put(ctx, &image, Some(&digest), &[tag("v1")]).await.unwrap(), digest);
    let stored = repository.manifests().get(ctx, &Reference::Digest(digest)).await.unwrap();
    assert_eq!((stored.digest, &stored.bytes), (digest, image.bytes()));
}

pub(crate) async fn what_is_deleted_is_unknown_by_every_name(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("manifests/deleted"));
    let image = put_image(ctx, &repository, &noise(13, 1000), &["v1"]).await;
    put_image(ctx, &repository, &noise(14, 1000), &["other"]).await;
    repository.manifests().delete(ctx, &digest_of(&image)).await.unwrap();
    for reference in [Reference::Digest(digest_of(&image)), Reference::Tag(tag("v1"))] {
        let result = repository.manifests().get(ctx, &reference).await;
        assert!(matches!(result, Err(ManifestError::Unknown { .. })), "{result:?}");
    }
    let left: Vec<String> = repository
        .tags()
        .list(ctx, &Default::default())
        .await
        .unwrap()
        .entries
        .iter()
        .map(ToString::to_string)
        .collect();
    if subject.can(Ability::TagsGoWithManifests) {
        assert_eq!(left, ["other"]);
    }
    put_manifest(ctx, &repository, &image, &["v1"]).await;
    repository.manifests().get(ctx, &Reference::Tag(tag("v1"))).await.unwrap();
}

pub(crate) async fn what_an_index_names_stays(subject: &Subject) {
    if !subject.can(Ability::Guards) {
        return;
    }
    let (ctx, repository) = (&subject.ctx, subject.repository("manifests/in-use"));
    let image = put_image(ctx, &repository, &Bytes::from_static(b"layer"), &[]).await;
    let all = put_manifest(ctx, &repository, &index(&[&image]), &["all"]).await;
    match repository.manifests().delete(ctx, &digest_of(&image)).await {
        Err(ManifestError::InUse { manifest, index }) => assert_eq!((manifest, index), (digest_of(&image), all)),
        other => panic!("{other:?}"),
    }
}
