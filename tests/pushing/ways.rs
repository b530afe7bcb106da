//! The ways that a blob goes, and what may happen on them.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use berth::{
    client::{Pushed, Source},
    context::Context,
    digest::Digest,
    distribution::{ByteStream, Created, NewUpload, Repository as _, Target, UploadError},
};
use berth_local::{Fault, Rule};
use bytes::Bytes;
use futures_util::TryStreamExt as _;

use crate::{
    house::{House, content, remote},
    support::registry::Registry,
    watched::Watched,
};

fn ctx() -> Context {
    Context::background("test")
}

/// Everything under `digest`, checked on the way.
async fn pulled(repository: &berth::client::RemoteRepository, digest: &Digest) -> Bytes {
    let reading = repository.blobs().open(&ctx(), digest, 0, None).await.unwrap();
    reading
        .stream
        .try_fold(Vec::new(), async |mut all, chunk| {
            all.extend_from_slice(&chunk);
            Ok(all)
        })
        .await
        .unwrap()
        .into()
}

#[tokio::test]
async fn a_blob_goes_past_the_registry() {
    let house = House::new().await;
    let (app, blob) = (house.alices(), Watched::new(content(1, 3_000_000)));
    assert_eq!(app.push_blob(&ctx(), &blob.digest(), &blob.source(), None).await.unwrap(), Pushed::Sent);
    let asked = house.gate.take();
    let methods: Vec<_> = asked.iter().map(|asked| asked.method.as_str()).collect();
    // The second POST is with the login that the first was asked for.
    assert_eq!(methods, ["POST", "POST", "PUT"]);
    assert!(asked.iter().all(|asked| asked.bytes == 0), "{asked:?}");
    assert_eq!(blob.read(), 3_000_000);
    assert!(pulled(&app, &blob.digest()).await == blob.content);

    // To announce a blob answers whether it is there.
    house.gate.take();
    let other = Watched::new(content(2, 3_000_000));
    assert_eq!(app.push_blob(&ctx(), &other.digest(), &other.source(), None).await.unwrap(), Pushed::Sent);
    assert_eq!(house.gate.methods(), ["POST", "PUT"]);
    assert_eq!(app.push_blob(&ctx(), &blob.digest(), &blob.source(), None).await.unwrap(), Pushed::Present);
    assert_eq!(house.gate.methods(), ["POST"]);
    assert_eq!(blob.read(), 3_000_000, "it was not read again");
}

#[tokio::test]
async fn a_small_blob_goes_with_a_request() {
    let house = House::new().await;
    let (app, blob) = (house.alices(), Watched::new(content(1, 2000)));
    assert_eq!(app.push_blob(&ctx(), &blob.digest(), &blob.source(), None).await.unwrap(), Pushed::Sent);
    let asked = house.gate.take();
    assert_eq!(asked.last().unwrap().bytes, 2000);
    let presigned = house.s3.requests().into_iter().filter(|request| request.presigned).count();
    assert_eq!(presigned, 0);
}

#[tokio::test]
async fn what_cannot_go_past_the_registry_goes_through_it() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = format!("version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}", folder.path().display());
    let registry = Registry::configured(&yaml).await;
    let options = berth::client::ClientOptions::new(registry.host().parse().unwrap());
    let app = remote(&berth::client::Registry::connect(options).unwrap(), "app");
    let blob = Watched::new(content(1, 9_000_000));
    assert_eq!(app.push_blob(&ctx(), &blob.digest(), &blob.source(), None).await.unwrap(), Pushed::Sent);
    assert_eq!(blob.read(), 9_000_000);
    assert!(pulled(&app, &blob.digest()).await == blob.content);
    // By the interfaces too: whoever announces and is offered nothing commits as ever.
    let announced = berth::distribution::Announced { digest: blob.digest(), size: 9_000_000, reads_all: false };
    let new = NewUpload { announced: Some(announced), ..NewUpload::default() };
    let Created::Session(mut session) = app.blobs().create(&ctx(), new).await.unwrap() else { panic!("no session") };
    assert_eq!(session.target(&ctx()).await.unwrap(), None);
    assert_eq!(session.commit_direct(&ctx(), &blob.digest()).await.unwrap(), None);
    session.cancel(&ctx()).await.unwrap();
}

#[tokio::test]
async fn what_storage_says_in_passing_is_got_over() {
    let error = |status, code: &str| Fault::Error { status, code: code.to_owned() };
    for (number, fault) in [
        error(409, "ConditionalRequestConflict"),
        error(400, "RequestTimeout"),
        error(400, "ExpiredToken"),
        Fault::Throttle,
        Fault::InternalError,
        Fault::AccessDenied,
        Fault::Reset,
        Fault::LoseAnswer,
    ]
    .into_iter()
    .enumerate()
    {
        let house = House::new().await;
        let (app, blob) = (house.alices(), Watched::new(content(number as u32, 2_000_000)));
        house.s3.inject(Rule::new(fault.clone()).operation("PutObject").presigned(true).times(1));
        let pushed = app.push_blob(&ctx(), &blob.digest(), &blob.source(), None).await;
        assert_eq!(pushed.unwrap(), Pushed::Sent, "{fault:?}");
        assert!(pulled(&app, &blob.digest()).await == blob.content, "{fault:?}");
        let asked = house.gate.methods();
        // The first of them all is asked to log in.
        let announced = asked.iter().filter(|method| *method == "POST").count() - 1;
        let is_anew = matches!(&fault, Fault::AccessDenied) || fault == error(400, "ExpiredToken");
        assert_eq!(announced, if is_anew { 2 } else { 1 }, "{fault:?}: {asked:?}");
    }
}

#[tokio::test]
async fn what_storage_says_for_good_ends_it() {
    let house = House::new().await;
    let (app, blob) = (house.alices(), Watched::new(content(1, 2_000_000)));
    for (fault, said) in [
        (Fault::AccessDenied, "AccessDenied"),
        (Fault::InternalError, "InternalError"),
        (Fault::Error { status: 400, code: "InvalidRequest".to_owned() }, "InvalidRequest"),
    ] {
        house.s3.inject(Rule::new(fault).operation("PutObject").presigned(true));
        let error = app.push_blob(&ctx(), &blob.digest(), &blob.source(), None).await.unwrap_err().to_string();
        assert!(error.contains(said) && !error.contains("X-Amz-Signature"), "{error}");
        house.s3.clear_faults();
    }
    assert!(!house.has_blob(&blob.digest()));
    assert_eq!(app.push_blob(&ctx(), &blob.digest(), &blob.source(), None).await.unwrap(), Pushed::Sent);
}

#[tokio::test]
async fn other_content_than_announced_is_refused_and_nothing_appears() {
    let house = House::new().await;
    let (app, blob) = (house.alices(), Watched::new(content(1, 2_000_000)));
    let announced = Digest::canonical(b"something else");
    let error = app.push_blob(&ctx(), &announced, &blob.source(), None).await.unwrap_err();
    assert!(matches!(error, UploadError::DigestMismatch { expected, .. } if expected == announced), "{error}");
    assert_eq!(blob.read(), 2_000_000, "it was sent once");
    assert!(!house.has_blob(&announced) && !house.has_blob(&blob.digest()));
}

/// Content of bob's that alice pushes first, in the very moment when bob begins to send it.
struct Overtaken {
    blob: Watched,
    alice: berth::client::RemoteRepository,
    is_overtaken: Mutex<bool>,
}

#[async_trait]
impl Source for Overtaken {
    fn size(&self) -> u64 {
        self.blob.size()
    }

    async fn open(&self, offset: u64, length: u64) -> std::io::Result<ByteStream> {
        let is_first = !std::mem::replace(&mut *self.is_overtaken.lock().unwrap(), true);
        if is_first {
            let (digest, source) = (self.blob.digest(), Arc::new(self.blob.content.clone()) as _);
            self.alice.push_blob(&ctx(), &digest, &source, None).await.unwrap();
        }
        self.blob.open(offset, length).await
    }
}

#[tokio::test]
async fn who_is_overtaken_sends_it_elsewhere() {
    let house = House::new().await;
    let blob = Watched::new(content(1, 2_000_000));
    let bob = remote(&house.client(Some("bob"), |_| {}), "b/app");
    let alice = house.alices();
    let source: Arc<dyn Source> =
        Arc::new(Overtaken { blob: blob.clone(), alice: house.alices(), is_overtaken: Mutex::default() });
    assert_eq!(bob.push_blob(&ctx(), &blob.digest(), &source, None).await.unwrap(), Pushed::Sent);
    for repository in [&alice, &bob] {
        assert!(pulled(repository, &blob.digest()).await == blob.content);
    }
    assert_eq!(blob.read(), 4_000_000, "once to the place that was taken, once to another");
}

#[tokio::test]
async fn the_interfaces_say_where_content_goes() {
    let house = House::new().await;
    let (app, blob) = (house.alices(), content(1, 2_000_000));
    let digest = Digest::canonical(&blob);
    let announced = berth::distribution::Announced { digest, size: 2_000_000, reads_all: false };
    let new = NewUpload { announced: Some(announced), ..NewUpload::default() };
    let Created::Session(mut session) = app.blobs().create(&ctx(), new).await.unwrap() else { panic!("no session") };
    let Some(Target::Put(put)) = session.target(&ctx()).await.unwrap() else { panic!("no target") };
    assert!(put.headers.iter().any(|(name, _)| name == "x-amz-checksum-sha256"), "{put:?}");
    let fault = session.commit_direct(&ctx(), &digest).await.unwrap_err();
    assert!(matches!(fault, UploadError::Direct(berth::distribution::DirectFault::Missing)), "{fault}");
    assert_eq!(session.commit_direct(&ctx(), &Digest::canonical(b"x")).await.unwrap(), None);
    // In another process, which knows no target any more, and closes all the same.
    let upload = session.upload();
    let mut later = app.blobs().resume(&ctx(), &upload.id, &upload.state).await.unwrap();
    let fault = later.commit_direct(&ctx(), &digest).await.unwrap_err();
    assert!(matches!(fault, UploadError::Direct(_)), "{fault}");
    later.cancel(&ctx()).await.unwrap();
}
