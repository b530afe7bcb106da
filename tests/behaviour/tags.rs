//! Tags.

use berth::{
    distribution::{Paging, TagError},
    name::{Reference, Tag},
};

use crate::{
    content::{digest_of, noise, put_image, put_manifest, tag},
    subject::{Ability, Subject},
};

pub(crate) async fn they_are_listed_in_order_and_in_parts(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("tags/listed"));
    let image = put_image(ctx, &repository, &noise(1, 1000), &[]).await;
    // As they sort, which is not as they are pushed.
    let sorted = ["V1", "a", "v1", "v1-rc", "v1.0", "v10", "v2"];
    for name in ["v10", "v1-rc", "a", "v2", "v1.0", "V1", "v1"] {
        put_manifest(ctx, &repository, &image, &[name]).await;
    }
    for (limit, after, expected, more) in [
        (None, None, &sorted[..], false),
        (Some(7), None, &sorted[..], false),
        (Some(100), None, &sorted[..], false),
        (Some(3), None, &sorted[..3], true),
        (Some(3), Some("v1"), &sorted[3..6], true),
        (Some(4), Some("v1"), &sorted[3..], false),
        (None, Some("v1-rc"), &sorted[4..], false),
        (Some(2), Some("uuu"), &sorted[2..4], true),
        (Some(2), Some("zzz"), &[], false),
        (Some(0), None, &[], false),
    ] {
        let paging = Paging { limit, after: after.map(str::to_owned) };
        let page = repository.tags().list(ctx, &paging).await.unwrap();
        assert_eq!(page.entries.iter().map(Tag::as_str).collect::<Vec<_>>(), expected, "{paging:?}");
        assert_eq!(page.more, more, "{paging:?}");
    }
}

pub(crate) async fn one_moves(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("tags/moves"));
    let one = put_image(ctx, &repository, &noise(2, 1000), &["latest"]).await;
    let other = put_image(ctx, &repository, &noise(3, 1000), &["latest"]).await;
    assert_eq!(repository.tags().resolve(ctx, &tag("latest")).await.unwrap(), digest_of(&other));
    repository.manifests().get(ctx, &Reference::Digest(digest_of(&one))).await.unwrap();
}

pub(crate) async fn of_an_unknown_repository_there_are_none(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("tags/nobody"));
    match repository.tags().list(ctx, &Paging::default()).await {
        Err(TagError::RepositoryUnknown(name)) => assert_eq!(name, *repository.name()),
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn what_is_not_there_is_unknown(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("tags/unknown"));
    put_image(ctx, &repository, &noise(4, 1000), &["v1"]).await;
    let mut results = vec![repository.tags().resolve(ctx, &tag("v2")).await.map(drop)];
    if subject.can(Ability::TagDeletion) {
        results.push(repository.tags().untag(ctx, &tag("v2")).await);
    }
    for result in results {
        match result {
            Err(TagError::Unknown { name, tag: unknown }) => {
                assert_eq!((name, unknown), (repository.name().clone(), tag("v2")));
            }
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) async fn removing_one_leaves_the_manifest(subject: &Subject) {
    if !subject.can(Ability::TagDeletion) {
        return;
    }
    let (ctx, repository) = (&subject.ctx, subject.repository("tags/removed"));
    let image = put_image(ctx, &repository, &noise(5, 1000), &["v1", "v2"]).await;
    repository.tags().untag(ctx, &tag("v1")).await.unwrap();
    let result = repository.tags().resolve(ctx, &tag("v1")).await;
    assert!(matches!(result, Err(TagError::Unknown { .. })), "{result:?}");
    assert_eq!(repository.tags().resolve(ctx, &tag("v2")).await.unwrap(), digest_of(&image));
    repository.tags().untag(ctx, &tag("v2")).await.unwrap();
    repository.manifests().get(ctx, &Reference::Digest(digest_of(&image))).await.unwrap();
    if subject.can(Ability::EmptyLists) {
        assert_eq!(repository.tags().list(ctx, &Paging::default()).await.unwrap().entries, []);
    }
}
