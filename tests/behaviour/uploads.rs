//! Upload sessions.

use berth::{
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BlobWriter, Content, UploadError},
};
use bytes::Bytes;

use crate::{
    content::{is_unknown, noise, session, streamed},
    subject::{Ability, Subject},
};

pub(crate) async fn all_at_once(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("uploads/at-once"));
    for (seed, content) in [Bytes::new(), noise(1, 1), noise(2, 10_000)].into_iter().enumerate() {
        for streams in [false, true] {
            let writer = session(ctx, &repository).await;
            let sent = if streams { streamed(&content, false) } else { Content::from(content.clone()) };
            let digest = Digest::canonical(&content);
            let descriptor = writer.commit(ctx, &digest, None, sent).await.unwrap();
            assert_eq!(descriptor, Descriptor::blob(digest, content.len() as u64), "{seed} {streams}");
            assert!(repository.blobs().get(ctx, &digest, 10_000).await.unwrap() == content);
        }
    }
}

/// Appends each of `pieces` where it belongs.
async fn append(subject: &Subject, writer: &mut dyn BlobWriter, pieces: &[Bytes]) {
    for piece in pieces {
        let at = writer.upload().size;
        let upload = writer.append(&subject.ctx, Some(at), Content::from(piece.clone())).await.unwrap();
        assert_eq!(upload.size, at + piece.len() as u64);
        assert_eq!(upload, writer.upload());
    }
}

pub(crate) async fn in_pieces(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("uploads/pieces"));
    let content = noise(3, 30_000);
    let mut writer = session(ctx, &repository).await;
    assert_eq!(writer.upload().size, 0);
    append(subject, &mut *writer, &[content.slice(..1), content.slice(1..20_000), content.slice(20_000..)]).await;
    assert_eq!(writer.append(ctx, None, Content::empty()).await.unwrap().size, 30_000);
    let digest = Digest::canonical(&content);
    let descriptor = writer.commit(ctx, &digest, None, Content::empty()).await.unwrap();
    assert_eq!(descriptor, Descriptor::blob(digest, 30_000));
    assert!(repository.blobs().get(ctx, &digest, 30_000).await.unwrap() == content);
}

pub(crate) async fn the_rest_comes_with_the_close(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("uploads/rest"));
    let content = noise(4, 30_000);
    let mut writer = session(ctx, &repository).await;
    append(subject, &mut *writer, &[content.slice(..10_000)]).await;
    let digest = Digest::canonical(&content);
    let rest = Content::from(content.slice(10_000..));
    let descriptor = writer.commit(ctx, &digest, Some(10_000), rest).await.unwrap();
    assert_eq!(descriptor, Descriptor::blob(digest, 30_000));
    assert!(repository.blobs().get(ctx, &digest, 30_000).await.unwrap() == content);
}

/// More than goes into one request of any client here.
pub(crate) async fn longer_than_what_is_held_in_memory(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("uploads/long"));
    let content = noise(5, 20_000_000);
    let digest = Digest::canonical(&content);
    let writer = session(ctx, &repository).await;
    let descriptor = writer.commit(ctx, &digest, None, streamed(&content, false)).await.unwrap();
    assert_eq!(descriptor, Descriptor::blob(digest, 20_000_000));
    assert!(repository.blobs().get(ctx, &digest, 20_000_000).await.unwrap() == content);
}

pub(crate) async fn another_writer_goes_on(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("uploads/go-on"));
    let content = noise(6, 30_000);
    let mut writer = session(ctx, &repository).await;
    append(subject, &mut *writer, &[content.slice(..10_000)]).await;
    let upload = writer.upload();
    drop(writer);
    let mut writer = repository.blobs().resume(ctx, &upload.id, &upload.state).await.unwrap();
    assert_eq!(writer.refresh(ctx).await.unwrap().size, 10_000);
    let upload = writer.append(ctx, Some(10_000), Content::from(content.slice(10_000..))).await.unwrap();
    let writer = repository.blobs().resume(ctx, &upload.id, &upload.state).await.unwrap();
    let digest = Digest::canonical(&content);
    let descriptor = writer.commit(ctx, &digest, None, Content::empty()).await.unwrap();
    assert_eq!(descriptor, Descriptor::blob(digest, 30_000));
}

pub(crate) async fn any_earlier_state_goes_on(subject: &Subject) {
    if !subject.can(Ability::EarlierStates) {
        return;
    }
    let (ctx, repository) = (&subject.ctx, subject.repository("uploads/earlier"));
    let content = noise(7, 30_000);
    let mut writer = session(ctx, &repository).await;
    let first = writer.upload();
    append(subject, &mut *writer, &[content.slice(..10_000)]).await;
    let mut writer = repository.blobs().resume(ctx, &first.id, &first.state).await.unwrap();
    assert_eq!(writer.refresh(ctx).await.unwrap().size, 10_000);
    assert_eq!(writer.append(ctx, None, Content::from(content.slice(10_000..20_000))).await.unwrap().size, 20_000);
    let mut writer = repository.blobs().resume(ctx, &first.id, &first.state).await.unwrap();
    writer.refresh(ctx).await.unwrap();
    let digest = Digest::canonical(&content);
    writer.commit(ctx, &digest, Some(20_000), Content::from(content.slice(20_000..))).await.unwrap();
    assert!(repository.blobs().get(ctx, &digest, 30_000).await.unwrap() == content);
}

pub(crate) async fn a_state_is_good_for_its_own_session(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("uploads/states"));
    let (one, other) = (session(ctx, &repository).await.upload(), session(ctx, &repository).await.upload());
    for (id, state) in [(&one.id, &other.state), (&one.id, &String::new()), (&one.id, &"%&/".repeat(20))] {
        let result = match repository.blobs().resume(ctx, id, state).await {
            Ok(mut writer) => writer.refresh(ctx).await,
            Err(error) => Err(error),
        };
        assert!(matches!(result, Err(UploadError::StateInvalid)), "{state}: {result:?}");
    }
    let elsewhere = subject.repository("uploads/elsewhere");
    let result = elsewhere.blobs().resume(ctx, &one.id, &one.state).await.map(drop);
    assert!(matches!(result, Err(UploadError::StateInvalid | UploadError::Unknown(_))), "{result:?}");
}

pub(crate) async fn what_is_out_of_place_is_refused(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("uploads/places"));
    let content = noise(8, 30_000);
    let mut writer = session(ctx, &repository).await;
    append(subject, &mut *writer, &[content.slice(..10_000)]).await;
    for at in [0, 9_999, 10_001] {
        let result = writer.append(ctx, Some(at), Content::from(content.slice(..10))).await;
        assert!(matches!(result, Err(UploadError::RangeInvalid { stored: 10_000 })), "{at}: {result:?}");
    }
    append(subject, &mut *writer, &[content.slice(10_000..)]).await;
    writer.commit(ctx, &Digest::canonical(&content), Some(30_000), Content::empty()).await.unwrap();
}

/// Two hold one session: what the slower one sends is refused, and nothing of it is kept.
pub(crate) async fn a_writer_that_knows_less_is_told(subject: &Subject) {
    if !subject.can(Ability::Places) {
        return;
    }
    let (ctx, repository) = (&subject.ctx, subject.repository("uploads/two"));
    let content = noise(9, 30_000);
    let mut slow = session(ctx, &repository).await;
    let upload = slow.upload();
    let mut quick = repository.blobs().resume(ctx, &upload.id, &upload.state).await.unwrap();
    quick.append(ctx, Some(0), Content::from(content.slice(..10_000))).await.unwrap();
    let late = slow.append(ctx, Some(0), Content::from(content.slice(..500))).await;
    assert!(matches!(late, Err(UploadError::RangeInvalid { stored: 10_000 })), "{late:?}");
    assert_eq!(slow.refresh(ctx).await.unwrap().size, 10_000);
    slow.append(ctx, Some(10_000), Content::from(content.slice(10_000..))).await.unwrap();
    let digest = Digest::canonical(&content);
    slow.commit(ctx, &digest, None, Content::empty()).await.unwrap();
    assert!(repository.blobs().get(ctx, &digest, 30_000).await.unwrap() == content);
}

pub(crate) async fn content_of_another_length_is_refused(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("uploads/length"));
    let content = noise(10, 10_000);
    let mut writer = session(ctx, &repository).await;
    for length in [9_999, 10_001] {
        let sent = Content { length: Some(length), ..streamed(&content, false) };
        let result = writer.append(ctx, Some(0), sent).await;
        assert!(matches!(result, Err(UploadError::SizeInvalid(_) | UploadError::Interrupted(_))), "{result:?}");
        assert_eq!(writer.refresh(ctx).await.unwrap().size, 0);
    }
    writer.commit(ctx, &Digest::canonical(&content), Some(0), Content::from(content)).await.unwrap();
}

pub(crate) async fn content_that_breaks_off_is_not_kept(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("uploads/broken"));
    let content = noise(11, 150_000);
    let mut writer = session(ctx, &repository).await;
    let result = writer.append(ctx, Some(0), streamed(&content, true)).await;
    assert!(matches!(result, Err(UploadError::Interrupted(_))), "{result:?}");
    assert_eq!(writer.refresh(ctx).await.unwrap().size, 0);
    let digest = Digest::canonical(&content);
    let result = writer.commit(ctx, &digest, Some(0), streamed(&content, true)).await;
    assert!(matches!(result, Err(UploadError::Interrupted(_))), "{result:?}");
    is_unknown(repository.blobs().stat(ctx, &digest).await, &digest);
}

pub(crate) async fn a_wrong_digest_stores_nothing(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("uploads/wrong"));
    let (content, other) = (noise(12, 10_000), noise(13, 10_000));
    let digest = Digest::canonical(&other);
    for in_pieces in [false, true] {
        let mut writer = session(ctx, &repository).await;
        let mut rest = content.clone();
        if in_pieces {
            append(subject, &mut *writer, &[rest.split_to(5_000)]).await;
        }
        let result = writer.commit(ctx, &digest, None, Content::from(rest)).await;
        match result {
            Err(UploadError::DigestMismatch { expected, .. }) => assert_eq!(expected, digest),
            other => panic!("{other:?}"),
        }
        for digest in [digest, Digest::canonical(&content)] {
            is_unknown(repository.blobs().stat(ctx, &digest).await, &digest);
        }
    }
}

pub(crate) async fn a_cancelled_session_is_over(subject: &Subject) {
    let (ctx, repository) = (&subject.ctx, subject.repository("uploads/cancelled"));
    let content = noise(14, 1000);
    let mut writer = session(ctx, &repository).await;
    append(subject, &mut *writer, std::slice::from_ref(&content)).await;
    let upload = writer.upload();
    writer.cancel(ctx).await.unwrap();
    let result = match repository.blobs().resume(ctx, &upload.id, &upload.state).await {
        Ok(writer) => writer.commit(ctx, &Digest::canonical(&content), None, Content::empty()).await.map(drop),
        Err(error) => Err(error),
    };
    assert!(matches!(result, Err(UploadError::Unknown(_))), "{result:?}");
    let digest = Digest::canonical(&content);
    is_unknown(repository.blobs().stat(ctx, &digest).await, &digest);
}
