//! A registry under test, served on a loopback socket through the real router and the real wiring.

use berth::{
    config::Config,
    http::{Timeouts, router, serve},
    wire::Adapters,
};
use berth_local::Emulators;
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};

use super::http::Http;

/// A served registry. It stops when it is dropped.
pub(crate) struct Registry {
    host: String,
    stop: Option<oneshot::Sender<()>>,
    _served: JoinHandle<()>,
}

impl Registry {
    /// The registry that `yaml` configures.
    pub(crate) async fn configured(yaml: &str) -> Self {
        let config = Config::parse("test.yml", yaml, []).expect("the test's configuration is good");
        let router =
            router(Adapters::open(&config).await.expect("the storage can be used").app().await.expect("all is open"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel();
        let shutdown = async { drop(stopped.await) };
        let served = tokio::spawn(serve(listener, router, Timeouts::default(), shutdown));
        Self { host, stop: Some(stop), _served: served }
    }

    /// A registry on the bucket and the table of `emulators`.
    pub(crate) async fn on_aws(emulators: &Emulators) -> Self {
        Self::configured(&on_aws(emulators, "")).await
    }

    /// Where it is, as in `127.0.0.1:5000`.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    pub(crate) fn http(&self) -> Http {
        Http::new(&self.host)
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.stop.take());
    }
}

/// The configuration of a registry on the bucket and the table of `emulators`; `storage` is added to that section.
pub(crate) fn on_aws(emulators: &Emulators, storage: &str) -> String {
    let options = emulators.options();
    format!(
        "version: 0.1
storage:
  s3:
    bucket: {}
    region: {}
    regionendpoint: {}
    accesskey: {}
    secretkey: {}
  cache: {{blobdescriptor: dynamodb}}
{storage}
dynamodb: {{table: {}, endpoint: {}}}
",
        options.bucket,
        options.region,
        emulators.s3().endpoint(),
        options.access_key,
        options.secret_key,
        options.table,
        emulators.dynamodb().endpoint(),
    )
}
