//! Referrers: also of a registry that lists none, where the client keeps them under a tag.

use std::collections::{BTreeMap, BTreeSet};

use berth::{
    digest::Digest,
    distribution::{Referrer, Repository},
    manifest::Manifest,
};

use crate::{
    content::{CONFIG, artifact, digest_of, image, noise, put, put_image, put_manifest},
    subject::Subject,
};

const SBOM: &str = "application/vnd.example.sbom";
const SIGNATURE: &str = "application/vnd.example.signature";

async fn listed(subject: &Subject, repository: &dyn Repository, of: &Manifest, kind: Option<&str>) -> Vec<Referrer> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let manifests = repository.manifests();
        let page = manifests.referrers(&subject.ctx, &digest_of(of), kind, after.as_ref()).await.unwrap();
        found.extend(page.referrers);
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

fn expected(manifest: &Manifest, kind: &str) -> Referrer {
    Referrer {
        media_type: manifest.media_type().as_str().to_owned(),
        digest: digest_of(manifest),
        size: manifest.bytes().len() as u64,
        artifact_type: Some(kind.to_owned()),
        annotations: BTreeMap::from([("org.example.kind".to_owned(), kind.to_owned())]),
    }
}

pub(crate) async fn they_are_found_by_their_subject(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("referrers/found"));
    let image = put_image(ctx, &repository, &noise(1, 1000), &["v1"]).await;
    assert_eq!(listed(subject, &*repository, &image, None).await, []);
    let (sbom, signature) = (artifact(&image, SBOM), artifact(&image, SIGNATURE));
    put_manifest(ctx, &repository, &sbom, &[]).await;
    put_manifest(ctx, &repository, &signature, &["signed"]).await;
    let mut both = vec![expected(&sbom, SBOM), expected(&signature, SIGNATURE)];
    both.sort_by_key(|referrer| referrer.digest);
    assert_eq!(listed(subject, &*repository, &image, None).await, both);
    let after = repository.manifests().referrers(ctx, &digest_of(&image), None, Some(&both[0].digest)).await.unwrap();
    assert_eq!(after.referrers, both[1..]);
    // The same once more changes nothing.
    put_manifest(ctx, &repository, &sbom, &[]).await;
    assert_eq!(listed(subject, &*repository, &image, None).await, both);
}

/// The subject need not be there.
pub(crate) async fn of_one_kind_alone(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("referrers/kinds"));
    put(ctx, &repository, &CONFIG).await;
    let absent = image(&[noise(2, 1000)]);
    let (sbom, signature) = (artifact(&absent, SBOM), artifact(&absent, SIGNATURE));
    for manifest in [&sbom, &signature] {
        put_manifest(ctx, &repository, manifest, &[]).await;
    }
    assert_eq!(listed(subject, &*repository, &absent, Some(SBOM)).await, [expected(&sbom, SBOM)]);
    assert_eq!(listed(subject, &*repository, &absent, Some("application/vnd.example.other")).await, []);
    let all: BTreeSet<Digest> =
        listed(subject, &*repository, &absent, None).await.into_iter().map(|referrer| referrer.digest).collect();
    assert_eq!(all, BTreeSet::from([digest_of(&sbom), digest_of(&signature)]));
}

pub(crate) async fn a_deleted_one_is_gone(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("referrers/deleted"));
    let image = put_image(ctx, &repository, &noise(3, 1000), &["v1"]).await;
    let (sbom, signature) = (artifact(&image, SBOM), artifact(&image, SIGNATURE));
    for manifest in [&sbom, &signature] {
        put_manifest(ctx, &repository, manifest, &[]).await;
    }
    repository.manifests().delete(ctx, &digest_of(&sbom)).await.unwrap();
    assert_eq!(listed(subject, &*repository, &image, None).await, [expected(&signature, SIGNATURE)]);
}
