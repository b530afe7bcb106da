//! A registry over an emulated S3, and the people who use it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use berth::{
    api::{DirectAnswer, PartsAnswer, SignedRequest},
    auth::{
        Rules,
        htpasswd::{Htpasswd, Users},
    },
    aws::{Account, Keys, http_client},
    cache::none::NoCache,
    digest::Digest,
    driver::{
        StorageDriver,
        s3::{S3Config, S3Driver, Sizes},
    },
    http::{App, Edge, Options, Timeouts, router, serve},
    storage::{self, DirectOptions, StorageRegistry},
};
use berth_local::{Limits, S3Emulator};
use bytes::Bytes;
use http::{Method, StatusCode};
use proptest::{prelude::*, test_runner::TestRunner};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::support::{
    http::{Answer, Http},
    registry::Registry as Configured,
};

/// Of "wonderland".
const HASH: &str = "$2y$04$jiJtvhzNaht1A.DuAMxGqO28xA5iWb0VS8GmE39hV3S/FuchCr1L2";

/// alice and bob have a corner each, and share one; carol may do everything; strangers may push, and read, in the open.
const RULES: &str = "allow user:alice to pull, push, delete on a/**; allow user:bob to pull, push on b/**; \
                     allow user:alice to pull, push on shared; allow user:bob to pull, push on shared; \
                     allow user:carol to pull, push, delete, catalog on **; allow anonymous to pull, push on open/**";

/// What an edge in front of it would share.
pub(crate) const EDGE_KEY: &str = "a key of the edge";

/// S3's least part: parts of tests are no larger.
pub(crate) const PART: usize = 5 << 20;

pub(crate) struct Registry {
    pub(crate) s3: Arc<S3Emulator>,
    pub(crate) driver: Arc<dyn StorageDriver>,
    /// Writes by one request, as an edge does.
    pub(crate) edge: Arc<dyn StorageDriver>,
    options: storage::Options,
    host: String,
    served: JoinHandle<()>,
}

impl Drop for Registry {
    fn drop(&mut self) {
        self.served.abort();
    }
}

/// Somebody who asks.
#[derive(Clone)]
pub(crate) struct Person {
    http: Http,
    login: Option<String>,
}

pub(crate) fn options() -> storage::Options {
    storage::Options { redirect: true, ..storage::Options::default() }
}

/// With parts as small as S3 takes them, for what is larger than a megabyte; each request does the least it may.
pub(crate) fn in_parts() -> storage::Options {
    let direct = DirectOptions {
        largest_put: 1 << 20,
        part: PART as u64,
        slice: Duration::ZERO,
        edge_slice: Duration::ZERO,
        ..DirectOptions::default()
    };
    storage::Options { direct, ..options() }
}

impl Registry {
    pub(crate) async fn start() -> Self {
        Self::with(options()).await
    }

    pub(crate) async fn with(options: storage::Options) -> Self {
        Self::at(S3Emulator::start().await.unwrap(), options).await
    }

    /// On a store that does not report the checksums of copied parts.
    pub(crate) async fn without_part_checksums(options: storage::Options) -> Self {
        Self::at(silent_s3().await, options).await
    }

    async fn at(s3: S3Emulator, options: storage::Options) -> Self {
        let s3 = Arc::new(s3);
        let driver = driver(&s3).await;
        Self::over(s3, driver, options).await
    }

    /// Another process of the same registry.
    pub(crate) async fn twin(&self) -> Self {
        Self::over(self.s3.clone(), driver(&self.s3).await, self.options.clone()).await
    }

    pub(crate) async fn over(s3: Arc<S3Emulator>, driver: Arc<dyn StorageDriver>, options: storage::Options) -> Self {
        let users: String = ["alice", "bob", "carol"].map(|name| format!("{name}:{HASH}")).join(",");
        let rules: Rules = RULES.parse().unwrap();
        let access = Htpasswd::new("here", Users::parse_value(&users).unwrap()).with_rules(Arc::new(rules));
        let registry = StorageRegistry::new(driver.clone(), Arc::new(NoCache::default()), options.clone());
        let edge = Edge { upload_key: Some(EDGE_KEY.to_owned()), ..Edge::default() };
        let app = App {
            access: Arc::new(access),
            tokens: None,
            namespace: Arc::new(registry),
            options: Options { access_log: false, edge, ..Options::default() },
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let served = tokio::spawn(serve(listener, router(app), Timeouts::default(), std::future::pending()));
        let edge = driver_of(&s3, Sizes { part: 128 << 20, ..Sizes::default() }).await;
        Self { s3, driver, edge, options, host, served }
    }

    /// The one who logs in by that name.
    pub(crate) fn person(&self, name: &str) -> Person {
        let login = format!("Basic {}", STANDARD.encode(format!("{name}:wonderland")));
        Person { http: Http::new(&self.host), login: Some(login) }
    }

    pub(crate) fn stranger(&self) -> Person {
        Person { http: Http::new(&self.host), login: None }
    }

    /// What lies in the bucket, but for the registry's own secret.
    pub(crate) fn keys(&self) -> Vec<String> {
        let short = |key: String| key.replace("docker/registry/v2/", "");
        self.s3.objects().into_keys().filter(|key| !key.starts_with("berth/")).map(short).collect()
    }

    /// Whether there is a blob of that digest, whoever may see it.
    pub(crate) fn has_blob(&self, digest: &Digest) -> bool {
        self.keys().contains(&blob_key(digest))
    }

    /// What the registry asked of S3 since the last call.
    pub(crate) fn asked(&self) -> BTreeMap<String, u64> {
        let counts = self.s3.counts();
        self.s3.reset();
        counts
    }
}

/// An S3 that does not report the checksums of copied parts.
pub(crate) async fn silent_s3() -> S3Emulator {
    let limits = Limits { part_checksums: false, ..Limits::default() };
    S3Emulator::start_with(berth_local::Options { limits, ..berth_local::Options::default() }).await.unwrap()
}

pub(crate) async fn driver(s3: &S3Emulator) -> Arc<dyn StorageDriver> {
    // The least there is, so that a small copy has parts too.
    driver_of(s3, Sizes { copied_part: 0, ..Sizes::default() }).await
}

pub(crate) async fn driver_of(s3: &S3Emulator, sizes: Sizes) -> Arc<dyn StorageDriver> {
    let options = s3.options();
    let keys = Keys { access: options.access_key.clone(), secret: options.secret_key.clone() };
    let config = S3Config {
        account: Account { region: Some(options.region.clone()), endpoint: Some(s3.endpoint()), keys: Some(keys) },
        force_path_style: true,
        sizes,
        ..S3Config::new(s3.bucket())
    };
    Arc::new(S3Driver::new(config, &http_client()).await)
}

pub(crate) fn blob_key(digest: &Digest) -> String {
    let hex = digest.encoded();
    format!("blobs/sha256/{}/{hex}/data", &hex[..2])
}

impl Person {
    pub(crate) async fn ask(&self, method: Method, target: &str, headers: &[(&str, &str)], body: &Bytes) -> Answer {
        let login = self.login.as_deref().map(|login| ("authorization", login));
        let headers: Vec<_> = headers.iter().copied().chain(login).collect();
        self.http.send(method, target, &headers, body.clone()).await
    }

    /// Asks for a target.
    pub(crate) async fn announce(&self, repository: &str, content: &Bytes) -> Answer {
        self.announce_as(repository, &Digest::canonical(content).to_string(), &content.len().to_string(), "").await
    }

    pub(crate) async fn announce_as(&self, repository: &str, digest: &str, size: &str, query: &str) -> Answer {
        let target = format!("/v2/{repository}/blobs/uploads/{query}");
        self.ask(Method::POST, &target, &[("berth-blob-digest", digest), ("berth-blob-size", size)], &Bytes::new())
            .await
    }

    /// Closes a session, with nothing.
    pub(crate) async fn close(&self, opened: &Answer, digest: &Digest) -> Answer {
        self.ask(Method::PUT, &opened.closing(digest), &[], &Bytes::new()).await
    }

    pub(crate) async fn pull(&self, repository: &str, digest: &Digest) -> Answer {
        let answer = self.ask(Method::GET, &format!("/v2/{repository}/blobs/{digest}"), &[], &Bytes::new()).await;
        if answer.status != StatusCode::TEMPORARY_REDIRECT {
            return answer;
        }
        self.http.get(answer.header("location")).await
    }

    /// Sends content to a signed target, and nothing of the registry's with it.
    pub(crate) async fn send(&self, put: &SignedRequest, content: &Bytes) -> Answer {
        self.send_with(put, &[], content).await
    }

    /// The same, with some headers otherwise: left out where empty.
    pub(crate) async fn send_with(&self, put: &SignedRequest, otherwise: &[(&str, &str)], content: &Bytes) -> Answer {
        let mut headers = put.headers.clone();
        for (name, value) in otherwise {
            headers.insert((*name).to_owned(), (*value).to_owned());
        }
        // The client sets it by itself, to what the content really has.
        headers.remove("content-length");
        headers.retain(|_, value| !value.is_empty());
        let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.http.send(put.method.parse().unwrap(), &put.url, &headers, content.clone()).await
    }

    /// All of a direct push, as a client should do it; the final answer.
    pub(crate) async fn push(&self, repository: &str, content: &Bytes) -> Answer {
        let opened = self.announce(repository, content).await;
        if opened.status == StatusCode::CREATED {
            return opened;
        }
        let sent = self.send(&put_of(&opened), content).await;
        assert_eq!(sent.status, StatusCode::OK, "{sent:?}");
        self.close(&opened, &Digest::canonical(content)).await
    }

    /// Where parts stand.
    pub(crate) async fn parts(&self, opened: &Answer, range: &str) -> PartsAnswer {
        let answer = self.parts_answer(opened, range).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        assert_eq!(answer.header("cache-control"), "no-store");
        serde_json::from_slice(&answer.body).unwrap()
    }

    pub(crate) async fn parts_answer(&self, opened: &Answer, range: &str) -> Answer {
        let target = format!("{}&parts={range}", opened.header("location"));
        self.ask(Method::GET, &target, &[], &Bytes::new()).await
    }
}

/// The body of an answer that has a target.
pub(crate) fn direct(opened: &Answer) -> DirectAnswer {
    assert_eq!(opened.status, StatusCode::ACCEPTED, "{opened:?}");
    let said: DirectAnswer = serde_json::from_slice(&opened.body).unwrap();
    assert_eq!(opened.header("berth-direct-upload"), said.kind());
    assert_eq!(opened.header("cache-control"), "no-store");
    said
}

pub(crate) fn put_of(opened: &Answer) -> SignedRequest {
    match direct(opened) {
        DirectAnswer::Put { put, .. } => put,
        other => panic!("no request: {other:?}"),
    }
}

/// Whether the target is the blob's own place.
pub(crate) fn goes_to_blob(put: &SignedRequest, digest: &Digest) -> bool {
    put.url.contains(&blob_key(digest))
}

/// The code of an error, and what it says of a direct upload.
pub(crate) fn refusal(answer: &Answer) -> (u16, String, String) {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let error = &body["errors"][0];
    assert_ne!(error["message"], "", "an error says what happened");
    (answer.status.as_u16(), text(&error["code"]), text(&error["detail"]["direct"]))
}

#[track_caller]
pub(crate) fn refused(answer: &Answer, status: u16, code: &str, direct: &str) {
    assert_eq!(refusal(answer), (status, code.to_owned(), direct.to_owned()), "{answer:?}");
}

/// 201, under that digest.
#[track_caller]
pub(crate) fn created(answer: &Answer, digest: &Digest) {
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    assert_eq!(answer.header("docker-content-digest"), digest.to_string());
    assert!(answer.header("location").ends_with(&format!("/blobs/{digest}")), "{answer:?}");
    assert_eq!(answer.header("berth-direct-upload"), "");
}

/// Content that no other `number` has.
pub(crate) fn content(number: u32, size: usize) -> Bytes {
    let mut bytes: Vec<u8> = (0..size.div_ceil(4) as u32)
        .flat_map(|at| (at ^ number.rotate_left(16)).wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    bytes.truncate(size);
    bytes.into()
}

/// Plays sequences of up to 40 steps that chance chooses; the shortest that fails is told.
pub(crate) fn in_any_order<S: std::fmt::Debug + Clone>(step: impl Strategy<Value = S>, play: impl AsyncFn(Vec<S>)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(ProptestConfig {
        cases: 24,
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let tested = runner.run(&prop::collection::vec(step, 1..40), |steps| {
        runtime.block_on(play(steps));
        Ok(())
    });
    tested.unwrap();
}

/// Registries whose storage takes nothing but from their own process: a folder, which is `folder`, and memory.
pub(crate) async fn of_one_process(folder: &std::path::Path) -> [Configured; 2] {
    let folder = format!("filesystem: {{rootdirectory: {}}}", folder.display());
    let configured =
        async |storage: &str| Configured::configured(&format!("version: 0.1\nstorage:\n  {storage}\n")).await;
    [configured(&folder).await, configured("inmemory:").await]
}
