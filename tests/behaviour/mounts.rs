//! Mounts: blobs that are elsewhere in the registry.

use std::sync::Arc;

use berth::{
    digest::Digest,
    distribution::{Content, Created, NewUpload, Repository},
    name::RepositoryName,
};

use crate::{
    content::{is_unknown, noise, put},
    subject::{Ability, Subject},
};

async fn mount(subject: &Subject, to: &Arc<dyn Repository>, digest: Digest, from: Option<RepositoryName>) -> Created {
    to.blobs().create(&subject.ctx, NewUpload { mount: Some((digest, from)), ..NewUpload::default() }).await.unwrap()
}

pub(crate) async fn from_where_it_is(subject: &Subject) {
    let (ctx, to) = (&subject.ctx, subject.repository("mounts/to"));
    let content = noise(1, 1000);
    let digest = put(ctx, &subject.repository("mounts/from"), &content).await;
    match mount(subject, &to, digest, Some(subject.name("mounts/from"))).await {
        Created::Mounted(descriptor) => assert_eq!((descriptor.digest, descriptor.size), (digest, 1000)),
        Created::Session(_) => panic!("it is there"),
    }
    assert!(to.blobs().get(ctx, &digest, 1000).await.unwrap() == content);
}

pub(crate) async fn what_is_not_there_is_sent(subject: &Subject) {
    let (ctx, to) = (&subject.ctx, subject.repository("mounts/missing"));
    let content = noise(2, 1000);
    let digest = Digest::canonical(&content);
    put(ctx, &subject.repository("mounts/elsewhere"), &content).await;
    match mount(subject, &to, digest, Some(subject.name("mounts/nowhere"))).await {
        Created::Session(writer) => {
            is_unknown(to.blobs().stat(ctx, &digest).await, &digest);
            writer.commit(ctx, &digest, None, Content::from(content)).await.unwrap();
        }
        Created::Mounted(_) => panic!("it is not there"),
    }
    to.blobs().stat(ctx, &digest).await.unwrap();
}

pub(crate) async fn from_anywhere(subject: &Subject) {
    if !subject.can(Ability::MountFromAnywhere) {
        return;
    }
    let (ctx, to) = (&subject.ctx, subject.repository("mounts/anyhow"));
    let digest = put(ctx, &subject.repository("mounts/somewhere"), &noise(3, 1000)).await;
    assert!(matches!(mount(subject, &to, digest, None).await, Created::Mounted(_)));
    to.blobs().stat(ctx, &digest).await.unwrap();
}
