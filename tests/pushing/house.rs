//! A registry over an emulated S3, whose requests are counted and can be stopped.
#![allow(dead_code)] // others use a part of it

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{Router, extract::Request, response::Response};
use berth::{
    auth::{
        Rules,
        htpasswd::{Htpasswd, Users},
    },
    aws::{Account, Keys, http_client},
    cache::none::NoCache,
    client::{ClientOptions, Credential, KeptUploads, Registry as Client, RemoteRepository, RetryPolicy},
    config::Secret,
    digest::Digest,
    driver::s3::{S3Config, S3Driver, Sizes},
    http::{App, Options, Timeouts, router, serve},
    storage::{self, DirectOptions, StorageRegistry},
};
use berth_local::S3Emulator;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body::Body as _;
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle};
use tower::ServiceExt as _;

/// Of "wonderland".
const HASH: &str = "$2y$04$jiJtvhzNaht1A.DuAMxGqO28xA5iWb0VS8GmE39hV3S/FuchCr1L2";

/// alice and bob have a corner each; strangers may push, and read, in the open.
const RULES: &str = "allow user:alice to pull, push, delete on a/**; allow user:bob to pull, push on b/**; \
                     allow anonymous to pull, push on open/**";

/// S3's least part.
pub(crate) const PART: usize = 5 << 20;

/// A served registry and its storage.
pub(crate) struct House {
    pub(crate) s3: S3Emulator,
    pub(crate) gate: Arc<Gate>,
    host: String,
    served: JoinHandle<()>,
}

/// What every request to the registry goes through.
#[derive(Default)]
pub(crate) struct Gate {
    asked: Mutex<Vec<Asked>>,
    stop: Mutex<Option<Stop>>,
    pub(crate) stopped: Notify,
}

/// A request to the registry.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: String,
    /// Bytes of its body, as it says.
    pub(crate) bytes: u64,
}

/// Where requests are stopped: one is never answered.
#[derive(Clone, Copy)]
struct Stop {
    at: usize,
    /// Whether it is carried out.
    done: bool,
}

impl Gate {
    async fn pass(&self, inner: Router, request: Request) -> Response {
        let bytes = request.body().size_hint().exact().unwrap_or(u64::MAX);
        let number = {
            let mut asked = self.asked.lock().unwrap();
            asked.push(Asked { method: request.method().to_string(), bytes });
            asked.len() - 1
        };
        let stop = *self.stop.lock().unwrap();
        let is_stopped = stop.is_some_and(|stop| stop.at == number);
        if is_stopped && !stop.unwrap().done {
            self.stopped.notify_one();
            std::future::pending::<()>().await;
        }
        let response = inner.oneshot(request).await.unwrap();
        if is_stopped {
            self.stopped.notify_one();
            std::future::pending::<()>().await;
        }
        response
    }

    /// The `at`th request from now on is never answered; it is carried out when `done`.
    pub(crate) fn stop(&self, at: usize, done: bool) {
        *self.stop.lock().unwrap() = Some(Stop { at, done });
    }

    /// What was asked since the last call. Nothing is stopped any more.
    pub(crate) fn take(&self) -> Vec<Asked> {
        *self.stop.lock().unwrap() = None;
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    /// The same, by methods.
    pub(crate) fn methods(&self) -> Vec<String> {
        self.take().into_iter().map(|asked| asked.method).collect()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.served.abort();
    }
}

/// With parts as small as S3 takes them, for what is larger than a megabyte; each request does the least it may.
pub(crate) fn in_parts() -> DirectOptions {
    DirectOptions {
        largest_put: 1 << 20,
        part: PART as u64,
        slice: Duration::ZERO,
        edge_slice: Duration::ZERO,
        ..DirectOptions::default()
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        Self::with(DirectOptions::default()).await
    }

    pub(crate) async fn with(direct: DirectOptions) -> Self {
        let s3 = S3Emulator::start().await.unwrap();
        let options = s3.options();
        let keys = Keys { access: options.access_key.clone(), secret: options.secret_key.clone() };
        let config = S3Config {
            account: Account { region: Some(options.region.clone()), endpoint: Some(s3.endpoint()), keys: Some(keys) },
            force_path_style: true,
            sizes: Sizes { copied_part: 0, ..Sizes::default() },
            ..S3Config::new(s3.bucket())
        };
        let driver = Arc::new(S3Driver::new(config, &http_client()).await);
        let options = storage::Options { redirect: true, direct, ..storage::Options::default() };
        let users: String = ["alice", "bob"].map(|name| format!("{name}:{HASH}")).join(",");
        let rules: Rules = RULES.parse().unwrap();
        let app = App {
            access: Arc::new(Htpasswd::new("here", Users::parse_value(&users).unwrap()).with_rules(Arc::new(rules))),
            tokens: None,
            namespace: Arc::new(StorageRegistry::new(driver, Arc::new(NoCache::default()), options)),
            options: Options { access_log: false, ..Options::default() },
        };
        let (inner, gate) = (router(app), Arc::new(Gate::default()));
        let watched = gate.clone();
        let outer = Router::new().fallback(move |request: Request| {
            let (gate, inner) = (watched.clone(), inner.clone());
            async move { gate.pass(inner, request).await }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let served = tokio::spawn(serve(listener, outer, Timeouts::default(), std::future::pending()));
        Self { s3, gate, host, served }
    }

    /// Where it is, as in `127.0.0.1:5000`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// A client of that person, or of nobody; a program's run.
    pub(crate) fn client(&self, name: Option<&str>, set: impl FnOnce(&mut ClientOptions)) -> Client {
        let password = |name: &str| Credential::Password { name: name.to_owned(), password: Secret::new("wonderland") };
        let credential = name.map_or(Credential::Anonymous, password);
        let retry = RetryPolicy { pause: Arc::new(|_| std::future::ready(()).boxed()), ..RetryPolicy::default() };
        let host = self.host.parse().unwrap();
        let mut options = ClientOptions { credentials: Arc::new(credential), retry, ..ClientOptions::new(host) };
        set(&mut options);
        Client::connect(options).unwrap()
    }

    /// Alice's corner of it.
    pub(crate) fn alices(&self) -> RemoteRepository {
        remote(&self.client(Some("alice"), |_| {}), "a/app")
    }

    /// Whether there is a blob of that digest, whoever may see it.
    pub(crate) fn has_blob(&self, digest: &Digest) -> bool {
        let hex = digest.encoded();
        self.s3.objects().keys().any(|key| key.ends_with(&format!("/blobs/sha256/{}/{hex}/data", &hex[..2])))
    }
}

pub(crate) fn remote(client: &Client, repository: &str) -> RemoteRepository {
    client.remote(&repository.parse().unwrap())
}

/// Uploads that go on in a later run, noted in `folder`.
pub(crate) fn kept(folder: &Path) -> Option<KeptUploads> {
    Some(KeptUploads::in_folder(folder.join("uploads")))
}

/// Content that no other `number` has.
pub(crate) fn content(number: u32, size: usize) -> Bytes {
    let mut bytes: Vec<u8> = (0..size.div_ceil(4) as u32)
        .flat_map(|at| (at ^ number.rotate_left(16)).wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    bytes.truncate(size);
    bytes.into()
}
