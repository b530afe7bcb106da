//! A registry that remembers what it was asked, and holds back answers where a test wants it to.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use axum::{Router, body::Body, extract::Request, response::Response};
use berth::{
    config::Config,
    digest::Digest,
    http::{Timeouts, router, serve},
    wire::Adapters,
};
use futures_util::StreamExt as _;
use http::StatusCode;
use serde_json::Value;
use tokio::{net::TcpListener, sync::Notify, sync::oneshot};
use tower::ServiceExt as _;

use crate::image::Image;

/// Where a request stops, for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Before the registry heard of it.
    Asked,
    /// When it is done, before the client hears so.
    Answered,
    /// With half of the answer.
    HalfSent,
}

/// A request that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) range: Option<String>,
    /// Of the answer; none where that was held back.
    pub(crate) status: Option<u16>,
}

type Held = dyn Fn(usize, &Seen) -> Option<Moment> + Send + Sync;

#[derive(Default)]
struct State {
    seen: Mutex<Vec<Seen>>,
    held: Mutex<Option<Arc<Held>>>,
    reached: Notify,
    count: AtomicUsize,
}

pub(crate) struct Watched {
    host: String,
    state: Arc<State>,
    router: Router,
    _stop: oneshot::Sender<()>,
}

impl Watched {
    /// A registry that keeps everything in memory.
    pub(crate) async fn start() -> Self {
        Self::configured("version: 0.1\nstorage: {inmemory: {}}\n").await
    }

    pub(crate) async fn configured(yaml: &str) -> Self {
        let config = Config::parse("test.yml", yaml, []).unwrap();
        let inner = router(Adapters::open(&config).await.unwrap().app().await.unwrap());
        let state = Arc::new(State::default());
        let (watching, to) = (state.clone(), inner.clone());
        let outer = Router::new().fallback(move |request: Request| answer(watching.clone(), to.clone(), request));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(serve(listener, outer, Timeouts::default(), async { drop(stopped.await) }));
        Self { host, state, router: inner, _stop: stop }
    }

    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// What was asked since this was last called.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.count.store(0, Ordering::SeqCst);
        std::mem::take(&mut *self.state.seen.lock().unwrap())
    }

    /// Holds back what `held` says, given how many requests came before it.
    pub(crate) fn hold(&self, held: impl Fn(usize, &Seen) -> Option<Moment> + Send + Sync + 'static) {
        *self.state.held.lock().unwrap() = Some(Arc::new(held));
    }

    /// Holds back nothing any more.
    pub(crate) fn let_go(&self) {
        *self.state.held.lock().unwrap() = None;
    }

    /// Waits until a request is held back.
    pub(crate) async fn reached(&self) {
        self.state.reached.notified().await;
    }

    /// GET, without its being seen.
    pub(crate) async fn get(&self, target: &str) -> (StatusCode, Vec<u8>) {
        let request = Request::get(target).body(Body::empty()).unwrap();
        let answer = self.router.clone().oneshot(request).await.unwrap();
        let status = answer.status();
        (status, axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec())
    }

    /// Puts a manifest, without its being seen.
    pub(crate) async fn put_manifest(&self, place: &str, media_type: &str, content: &[u8]) {
        let request = Request::put(format!("/v2/{place}")).header("content-type", media_type);
        let request = request.body(Body::from(content.to_vec())).unwrap();
        assert_eq!(self.router.clone().oneshot(request).await.unwrap().status(), StatusCode::CREATED);
    }

    pub(crate) async fn tags(&self, name: &str) -> Vec<String> {
        let (status, body) = self.get(&format!("/v2/{name}/tags/list")).await;
        if status == StatusCode::NOT_FOUND {
            return Vec::new();
        }
        let list: Value = serde_json::from_slice(&body).unwrap();
        list["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned()).collect()
    }

    /// Whether repository `name` has blob `digest`.
    pub(crate) async fn has(&self, name: &str, digest: &Digest) -> bool {
        self.get(&format!("/v2/{name}/blobs/{digest}")).await.0 == StatusCode::OK
    }

    /// That `name` has `image` under `tag`, byte for byte.
    pub(crate) async fn holds(&self, name: &str, tag: &str, image: &Image) {
        let (status, body) = self.get(&format!("/v2/{name}/manifests/{tag}")).await;
        assert_eq!((status, Digest::canonical(&body)), (StatusCode::OK, image.digest()), "{name}:{tag}");
        for (digest, content) in &image.content {
            let is_manifest = content.starts_with(b"{") && String::from_utf8_lossy(content).contains("schemaVersion");
            let kind = if is_manifest { "manifests" } else { "blobs" };
            let (status, body) = self.get(&format!("/v2/{name}/{kind}/{digest}")).await;
            assert_eq!((status, &body == content), (StatusCode::OK, true), "{kind}/{digest}");
        }
    }
}

impl Seen {
    /// Whether it is a request of `method` for a `kind`, as in "blobs".
    pub(crate) fn is(&self, method: &str, kind: &str) -> bool {
        self.method == method && self.target.contains(&format!("/{kind}/"))
    }
}

async fn answer(state: Arc<State>, to: Router, request: Request) -> Response {
    let range = request.headers().get("range").map(|range| range.to_str().unwrap().to_owned());
    let mut seen =
        Seen { method: request.method().to_string(), target: request.uri().to_string(), range, status: None };
    let nth = state.count.fetch_add(1, Ordering::SeqCst);
    let held = state.held.lock().unwrap().clone();
    let moment = held.and_then(|held| held(nth, &seen));
    if moment == Some(Moment::Asked) {
        state.seen.lock().unwrap().push(seen);
        state.reached.notify_one();
        return std::future::pending().await;
    }
    let answer = to.oneshot(request).await.unwrap();
    seen.status = (moment != Some(Moment::Answered)).then(|| answer.status().as_u16());
    state.seen.lock().unwrap().push(seen);
    match moment {
        None | Some(Moment::Asked) => answer,
        Some(Moment::Answered) => {
            state.reached.notify_one();
            std::future::pending().await
        }
        Some(Moment::HalfSent) => {
            let (parts, body) = answer.into_parts();
            let body = axum::body::to_bytes(body, usize::MAX).await.unwrap();
            let half = body.slice(..body.len() / 2);
            let stopped = futures_util::stream::once(async move {
                state.reached.notify_one();
                std::future::pending::<()>().await;
                unreachable!("it never goes on")
            });
            let stream = futures_util::stream::iter([Ok::<_, std::io::Error>(half)]).chain(stopped);
            Response::from_parts(parts, Body::from_stream(stream))
        }
    }
}
