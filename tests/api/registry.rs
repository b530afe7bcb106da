//! A registry behind the real server, and what its storage holds.

use std::{collections::BTreeMap, net::SocketAddr, sync::Arc};

use berth::{
    auth::{AccessController, Anyone, token::TokenService},
    cache::none::NoCache,
    context::Context,
    driver::{Path, StorageDriver, memory::MemoryDriver},
    http::{App, Options, Timeouts, router, serve},
    storage::{self, StorageRegistry},
};
use bytes::Bytes;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use crate::{
    client::{Body, Client},
    doctored::Doctored,
};

/// A registry that serves until it is dropped.
pub(crate) struct Registry {
    pub(crate) addr: SocketAddr,
    pub(crate) driver: Arc<Doctored>,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<()>,
}

/// How a registry is set up.
pub(crate) struct Setup {
    pub(crate) access: Arc<dyn AccessController>,
    pub(crate) tokens: Option<Arc<TokenService>>,
    pub(crate) http: Options,
    pub(crate) storage: storage::Options,
    pub(crate) timeouts: Timeouts,
    pub(crate) driver: Arc<Doctored>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            access: Arc::new(Anyone),
            tokens: None,
            http: Options { access_log: false, ..Options::default() },
            storage: storage::Options::default(),
            timeouts: Timeouts::default(),
            driver: Arc::new(Doctored::new(MemoryDriver::new())),
        }
    }
}

impl Setup {
    pub(crate) async fn start(self) -> Registry {
        let registry = StorageRegistry::new(self.driver.clone(), Arc::new(NoCache::default()), self.storage);
        let app = App { access: self.access, tokens: self.tokens, namespace: Arc::new(registry), options: self.http };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(serve(listener, router(app), self.timeouts, async {
            let _ = stopped.await;
        }));
        Registry { addr, driver: self.driver, stop: Some(stop), server }
    }
}

impl Registry {
    pub(crate) async fn start() -> Self {
        Setup::default().start().await
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.addr).await
    }

    /// Tells the server to stop.
    pub(crate) fn stop(&mut self) {
        let _ = self.stop.take().expect("told once").send(());
    }

    /// Waits until the server has stopped.
    pub(crate) async fn stopped(self) {
        self.server.await.expect("the server ends well");
    }

    /// Everything that storage holds.
    pub(crate) async fn holds(&self) -> BTreeMap<String, Bytes> {
        let ctx = Context::background("test");
        let mut files = BTreeMap::new();
        let mut folders: Vec<Path> = ["/docker", "/berth"].iter().map(|root| root.parse().unwrap()).collect();
        while let Some(folder) = folders.pop() {
            let Ok(entries) = self.driver.list(&ctx, &folder).await else { continue };
            for entry in entries {
                let path = folder.join(&entry.name).unwrap();
                if entry.is_folder {
                    folders.push(path);
                } else {
                    files.insert(path.to_string(), self.driver.get(&ctx, &path, u64::MAX).await.unwrap());
                }
            }
        }
        files
    }

    /// Pushes a blob to `name` by one PUT, and returns its digest.
    pub(crate) async fn push_blob(&self, name: &str, content: &[u8]) -> String {
        let mut client = self.client().await;
        let digest = berth::digest::Digest::canonical(content).to_string();
        let opened = client.post(&format!("/v2/{name}/blobs/uploads/")).await;
        opened.is(202);
        client.put(&opened.closing(&digest), content).await.is(201);
        digest
    }

    /// Pushes a manifest to `name` by `reference`.
    pub(crate) async fn push_manifest(&self, name: &str, reference: &str, media_type: &str, manifest: &[u8]) {
        let target = format!("/v2/{name}/manifests/{reference}");
        let headers = [("content-type", media_type)];
        self.client().await.ask("PUT", &target, &headers, Body::Sized(manifest)).await.is(201);
    }
}
