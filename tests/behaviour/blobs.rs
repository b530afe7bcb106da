//! Blobs: stat, read, delete.

use berth::{
    digest::Digest,
    distribution::{BlobError, Content, Served, Wish},
};
use bytes::Bytes;

use crate::{
    content::{all, is_unknown, noise, put, put_image, session, sha512},
    subject::{Ability, Subject},
};

pub(crate) async fn what_is_put_is_read_back(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("blobs/put"));
    let content = noise(1, 700_000);
    let digest = put(ctx, &repository, &content).await;
    let blobs = repository.blobs();
    let descriptor = blobs.stat(ctx, &digest).await.unwrap();
    assert_eq!((descriptor.digest, descriptor.size), (digest, 700_000));
    assert!(blobs.get(ctx, &digest, 1 << 20).await.unwrap() == content);
    let reading = blobs.open(ctx, &digest, 0, None).await.unwrap();
    assert_eq!(reading.size, 700_000);
    assert!(all(reading).await == content);
    // A second time it is no less there.
    put(ctx, &repository, &content).await;
}

pub(crate) async fn parts_are_read(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("blobs/parts"));
    let content = noise(2, 100_000);
    let digest = put(ctx, &repository, &content).await;
    for (offset, length) in [
        (0, Some(1)),
        (0, Some(100_000)),
        (0, Some(u64::MAX)),
        (1, None),
        (50_000, Some(25_000)),
        (99_999, None),
        (99_999, Some(7)),
        (100_000, None),
        (100_001, Some(5)),
        (3, Some(0)),
    ] {
        let reading = repository.blobs().open(ctx, &digest, offset, length).await.unwrap();
        assert_eq!(reading.size, 100_000, "{offset} {length:?}");
        let start = (offset as usize).min(100_000);
        let end = start.saturating_add(length.map_or(usize::MAX, |length| length as usize)).min(100_000);
        assert!(all(reading).await == content.slice(start..end), "{offset} {length:?}");
    }
}

pub(crate) async fn the_empty_blob_is_a_blob(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("blobs/empty"));
    let digest = put(ctx, &repository, &Bytes::new()).await;
    assert_eq!(repository.blobs().stat(ctx, &digest).await.unwrap().size, 0);
    assert_eq!(repository.blobs().get(ctx, &digest, 0).await.unwrap(), Bytes::new());
    let reading = repository.blobs().open(ctx, &digest, 0, None).await.unwrap();
    assert_eq!((reading.size, all(reading).await), (0, Bytes::new()));
}

pub(crate) async fn what_is_not_there_is_unknown(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("blobs/unknown"));
    let (digest, blobs) = (Digest::canonical(b"never pushed"), repository.blobs());
    is_unknown(blobs.stat(ctx, &digest).await, &digest);
    is_unknown(blobs.get(ctx, &digest, 100).await, &digest);
    is_unknown(blobs.open(ctx, &digest, 0, None).await.map(drop), &digest);
    is_unknown(blobs.open(ctx, &digest, 5, Some(0)).await.map(drop), &digest);
    for head in [false, true] {
        is_unknown(blobs.serve(ctx, &digest, Wish { head, origin: None }).await, &digest);
    }
    is_unknown(blobs.delete(ctx, &digest).await, &digest);
}

pub(crate) async fn no_more_than_the_limit_is_taken(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("blobs/limit"));
    let digest = put(ctx, &repository, &noise(3, 1000)).await;
    assert_eq!(repository.blobs().get(ctx, &digest, 1000).await.unwrap().len(), 1000);
    let refused = repository.blobs().get(ctx, &digest, 999).await;
    assert!(matches!(refused, Err(BlobError::Backend(_))), "{refused:?}");
}

pub(crate) async fn repositories_are_apart(subject: &Subject) {
    let ctx = &subject.ctx;
    let digest = put(ctx, &subject.repository("blobs/here"), &noise(4, 1000)).await;
    let elsewhere = subject.repository("blobs/here/below");
    is_unknown(elsewhere.blobs().stat(ctx, &digest).await, &digest);
    is_unknown(elsewhere.blobs().get(ctx, &digest, 1000).await, &digest);
}

pub(crate) async fn many_are_asked_for_in_their_order(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("blobs/many"));
    let one = put(ctx, &repository, &Bytes::from_static(b"one")).await;
    let other = put(ctx, &repository, &Bytes::from_static(b"another")).await;
    let missing = Digest::canonical(b"missing");
    let found = repository.blobs().stat_many(ctx, &[other, missing, one]).await.unwrap();
    let found: Vec<_> = found.into_iter().map(|found| found.map(|blob| (blob.digest, blob.size))).collect();
    assert_eq!(found, [Some((other, 7)), None, Some((one, 3))]);
}

pub(crate) async fn it_is_served_from_somewhere(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("blobs/served"));
    let digest = put(ctx, &repository, &noise(5, 1000)).await;
    for head in [false, true] {
        match repository.blobs().serve(ctx, &digest, Wish { head, origin: None }).await.unwrap() {
            Served::Here(descriptor) => assert_eq!((descriptor.digest, descriptor.size), (digest, 1000)),
            Served::Redirect(url) => assert!(url.starts_with("http"), "{url}"),
        }
    }
}

pub(crate) async fn what_is_deleted_is_unknown(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("blobs/deleted"));
    let content = noise(6, 1000);
    let digest = put(ctx, &repository, &content).await;
    repository.blobs().delete(ctx, &digest).await.unwrap();
    is_unknown(repository.blobs().stat(ctx, &digest).await, &digest);
    is_unknown(repository.blobs().delete(ctx, &digest).await, &digest);
    put(ctx, &repository, &content).await;
    assert!(repository.blobs().get(ctx, &digest, 1000).await.unwrap() == content);
}

pub(crate) async fn what_is_in_use_stays(subject: &Subject) {
    if !subject.can(Ability::Guards) {
        return;
    }
    let (ctx, repository) = (&subject.ctx, subject.repository("blobs/in-use"));
    let layer = noise(7, 1000);
    let image = put_image(ctx, &repository, &layer, &["v1"]).await;
    match repository.blobs().delete(ctx, &Digest::canonical(&layer)).await {
        Err(BlobError::InUse { blob, manifest }) => {
            assert_eq!((blob, manifest), (Digest::canonical(&layer), Digest::canonical(image.bytes())));
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn another_algorithm_names_the_same_content(subject: &Subject) {
    if !subject.can(Ability::OtherAlgorithms) {
        return;
    }
    let (ctx, repository) = (&subject.ctx, subject.repository("blobs/sha512"));
    let content = noise(8, 1000);
    let (canonical, other) = (Digest::canonical(&content), sha512(&content));
    let writer = session(ctx, &repository).await;
    let committed = writer.commit(ctx, &other, None, Content::from(content.clone())).await.unwrap();
    let found = repository.blobs().stat(ctx, &other).await.unwrap();
    let expected = if subject.can(Ability::CanonicalNames) { canonical } else { other };
    assert_eq!((committed.digest, found.digest, found.size), (expected, expected, 1000));
    for digest in [canonical, other] {
        assert!(repository.blobs().get(ctx, &digest, 1000).await.unwrap() == content, "{digest}");
    }
}
