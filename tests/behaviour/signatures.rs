//! Detached signatures.

use berth::{digest::Digest, distribution::ManifestError};
use bytes::Bytes;

use crate::{
    content::{digest_of, noise, put_image},
    subject::{Ability, Subject},
};

pub(crate) async fn they_are_kept_beside_a_manifest(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("signatures/kept"));
    let digest = digest_of(&put_image(ctx, &repository, &noise(1, 1000), &["v1"]).await);
    let signature = Bytes::from_static(b"signed");
    let kept = repository.signatures().put(ctx, &digest, std::slice::from_ref(&signature)).await;
    if !subject.can(Ability::Signatures) {
        // Nobody is told that there are none, either.
        let got = repository.signatures().get(ctx, &digest).await;
        assert!(matches!((kept, got), (Err(ManifestError::Backend(_)), Err(ManifestError::Backend(_)))));
        return;
    }
    kept.unwrap();
    assert_eq!(repository.signatures().get(ctx, &digest).await.unwrap(), [signature]);
    let unknown = repository.signatures().get(ctx, &Digest::canonical(b"never pushed")).await;
    assert!(matches!(unknown, Err(ManifestError::Unknown { .. })), "{unknown:?}");
}
