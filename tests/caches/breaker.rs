//! The breaker before DynamoDB.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use berth::{
    cache::{
        DescriptorCache, LinkSet,
        breaker::{Breaker, FAILURES, PAUSE},
    },
    context::Context,
    descriptor::Descriptor,
    digest::Digest,
    distribution::{BlobDescriptorService, BlobError, BlobStatter},
    name::RepositoryName,
};
use berth_local::{Fault, Rule};

use crate::subject::{self, Subject, Time, ctx, known, layer, sha512};

async fn before_dynamodb() -> Subject {
    let subject = subject::dynamodb().await;
    Subject { cache: Arc::new(Breaker::new(subject.cache, subject.time.clock())), ..subject }
}

suite!(super::before_dynamodb);

/// How many requests `call` makes.
async fn requests<T>(subject: &Subject, call: impl Future<Output = T>) -> usize {
    subject.emulator().reset();
    call.await;
    subject.emulator().requests().len()
}

/// Denied is not tried again, so that a call is a request.
fn deny(subject: &Subject) {
    subject.emulator().inject(Rule::new(Fault::AccessDenied));
}

async fn open(subject: &Subject) {
    deny(subject);
    for _ in 0..FAILURES {
        subject.layers("a").stat(&ctx(), &layer(9).digest).await.unwrap_err();
    }
}

#[tokio::test]
async fn a_cache_that_keeps_failing_is_left_alone_in_every_scope() {
    let subject = before_dynamodb().await;
    let layers = subject.layers("a");
    layers.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    deny(&subject);
    for _ in 1..FAILURES {
        assert_eq!(requests(&subject, layers.stat(&ctx(), &layer(1).digest)).await, 1);
    }
    assert!(matches!(layers.stat(&ctx(), &layer(1).digest).await, Err(BlobError::Backend(_))));
    subject.emulator().clear_faults();
    for cache in [&layers, &subject.manifests("b"), &subject.global()] {
        assert_eq!(requests(&subject, known(cache, &layer(1).digest)).await, 0);
        assert_eq!(known(cache, &layer(1).digest).await, None);
        let many = [(layer(2).digest, layer(2)), (sha512(3), layer(3))];
        assert_eq!(requests(&subject, cache.set_many(&ctx(), &many)).await, 0);
        cache.set_many(&ctx(), &many).await.unwrap();
        cache.set_descriptor(&ctx(), &layer(4).digest, &layer(4)).await.unwrap();
    }
    subject.time.pass(PAUSE - Duration::from_millis(1));
    assert_eq!(requests(&subject, layers.stat(&ctx(), &layer(1).digest)).await, 0);
    subject.time.pass(Duration::from_millis(1));
    assert_eq!(known(&layers, &layer(1).digest).await, Some(layer(1)));
    assert_eq!(requests(&subject, layers.stat(&ctx(), &layer(1).digest)).await, 1);
    for n in [2, 3, 4] {
        assert_eq!(known(&layers, &layer(n).digest).await, None, "it was set while the cache was left alone");
    }
}

#[tokio::test]
async fn failures_count_in_a_row_and_of_every_kind_of_call() {
    let subject = before_dynamodb().await;
    let layers = subject.layers("a");
    for _ in 0..3 {
        deny(&subject);
        for _ in 1..FAILURES {
            layers.stat(&ctx(), &layer(1).digest).await.unwrap_err();
        }
        subject.emulator().clear_faults();
        // That it does not know is an answer.
        assert_eq!(known(&layers, &layer(1).digest).await, None);
    }
    deny(&subject);
    layers.stat_many(&ctx(), &[layer(1).digest]).await.unwrap_err();
    layers.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap_err();
    layers.set_many(&ctx(), &[(sha512(1), layer(1))]).await.unwrap_err();
    // A fault of the caller's is none of the cache's.
    layers.set_descriptor(&ctx(), &layer(2).digest, &layer(1)).await.unwrap_err();
    for _ in 0..FAILURES {
        layers.stat(&ctx(), &layer(1).digest).await.unwrap_err();
    }
    assert_eq!(requests(&subject, layers.stat(&ctx(), &layer(1).digest)).await, 0);
}

#[tokio::test]
async fn a_trial_that_fails_is_the_only_one_for_a_while() {
    let subject = before_dynamodb().await;
    let layers = subject.layers("a");
    open(&subject).await;
    for _ in 0..3 {
        subject.time.pass(PAUSE);
        assert_eq!(requests(&subject, layers.stat(&ctx(), &layer(1).digest)).await, 1);
        assert_eq!(requests(&subject, layers.stat(&ctx(), &layer(1).digest)).await, 0);
    }
}

#[tokio::test]
async fn a_clock_set_back_does_not_prolong_the_pause() {
    let subject = before_dynamodb().await;
    let layers = subject.layers("a");
    open(&subject).await;
    subject.emulator().clear_faults();
    subject.time.turn_back(Duration::from_secs(3600));
    assert_eq!(requests(&subject, layers.stat(&ctx(), &layer(1).digest)).await, 1);
}

#[tokio::test]
async fn what_is_cleared_is_cleared_there_in_any_case() {
    let subject = before_dynamodb().await;
    let layers = subject.layers("a");
    layers.set_descriptor(&ctx(), &layer(1).digest, &layer(1)).await.unwrap();
    open(&subject).await;
    assert!(matches!(layers.clear(&ctx(), &layer(1).digest).await, Err(BlobError::Backend(_))));
    subject.emulator().clear_faults();
    layers.clear(&ctx(), &layer(1).digest).await.unwrap();
    assert_eq!(requests(&subject, layers.stat(&ctx(), &layer(1).digest)).await, 0, "that it cleared closes nothing");
    subject.time.pass(PAUSE);
    assert_eq!(known(&layers, &layer(1).digest).await, None);
}

/// Lines of a log.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn it_says_once_that_it_opens_and_once_that_it_closes() {
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _here = tracing::subscriber::set_default(lines);
    let subject = before_dynamodb().await;
    let layers = subject.layers("a");
    open(&subject).await;
    for _ in 0..3 {
        layers.stat(&ctx(), &layer(1).digest).await.unwrap_err();
        subject.time.pass(PAUSE);
    }
    subject.emulator().clear_faults();
    subject.time.pass(PAUSE);
    for _ in 0..3 {
        known(&layers, &layer(1).digest).await;
    }
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let said = |level: &str| log.lines().filter(|line| line.contains(level)).collect::<Vec<_>>();
    assert!(matches!(&said(" WARN ")[..], [line] if line.contains("DynamoDB denies access")), "{log}");
    assert!(matches!(&said(" INFO ")[..], [line] if line.contains("answers again")), "{log}");
}

/// While one request tries the cache, the others do without; one that is given up leaves the next its turn.
#[tokio::test]
async fn one_request_tries_at_a_time() {
    let (time, asked) = (Time::default(), Arc::new(AtomicUsize::new(0)));
    let breaker = Breaker::new(Arc::new(Failing(asked.clone())), time.clock());
    let cache = breaker.global();
    for _ in 0..FAILURES {
        cache.stat(&ctx(), &layer(1).digest).await.unwrap_err();
    }
    for turn in 1..=2 {
        time.pass(PAUSE);
        let context = ctx();
        let digest = layer(1).digest;
        let mut trial = cache.stat(&context, &digest);
        assert!(matches!(futures_util::poll!(&mut trial), Poll::Pending));
        let other = cache.stat(&context, &digest);
        assert!(matches!(futures_util::poll!(other), Poll::Ready(Err(BlobError::Unknown(_)))));
        assert_eq!(asked.load(Ordering::SeqCst), FAILURES as usize + turn);
    }
}

/// Fails as often as it takes to be left alone, then does not answer at all.
struct Failing(Arc<AtomicUsize>);

impl DescriptorCache for Failing {
    fn global(&self) -> Arc<dyn BlobDescriptorService> {
        Arc::new(Self(self.0.clone()))
    }

    fn scoped(&self, _: &RepositoryName, _: LinkSet) -> Arc<dyn BlobDescriptorService> {
        self.global()
    }

    fn near(&self, _: &RepositoryName, _: LinkSet) -> Arc<dyn BlobDescriptorService> {
        self.global()
    }
}

#[async_trait]
impl BlobStatter for Failing {
    async fn stat(&self, _: &Context, _: &Digest) -> Result<Descriptor, BlobError> {
        if self.0.fetch_add(1, Ordering::SeqCst) >= FAILURES as usize {
            std::future::pending::<()>().await;
        }
        Err(berth::distribution::BackendError::new(berth::distribution::BackendErrorKind::Failed, "no").into())
    }
}

#[async_trait]
impl BlobDescriptorService for Failing {
    async fn set_descriptor(&self, _: &Context, _: &Digest, _: &Descriptor) -> Result<(), BlobError> {
        Ok(())
    }

    async fn clear(&self, _: &Context, _: &Digest) -> Result<(), BlobError> {
        Ok(())
    }
}
