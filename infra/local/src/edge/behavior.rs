//! Cache behaviors, without the cache.

use http::Method;

use super::function::{EdgeFunction, EventType};
use super::signed::PublicKey;
use crate::iam::like;

/// What of a viewer's request goes on to an origin: CloudFront's managed policies ("Use managed origin request policies").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Forwarding {
    /// `AllViewerExceptHostHeader`: all headers but Host, all of the query string, all cookies.
    #[default]
    AllExceptHost,
    /// `AllViewer`.
    All,
    /// No origin request policy: the headers that CloudFront forwards by itself, no query string, no cookies.
    Nothing,
}

/// How requests to paths of one form are handled.
#[derive(Clone, Debug)]
pub struct Behavior {
    pub(super) path: String,
    pub(super) origin: String,
    pub(super) methods: Vec<Method>,
    pub(super) forwarding: Forwarding,
    pub(super) viewer_request: Option<EdgeFunction>,
    pub(super) viewer_response: Option<EdgeFunction>,
    pub(super) signers: Vec<PublicKey>,
}

/// The most methods that a behavior can allow ("Allowed HTTP methods").
pub(super) const ALL: [Method; 7] =
    [Method::GET, Method::HEAD, Method::OPTIONS, Method::PUT, Method::POST, Method::PATCH, Method::DELETE];

impl Behavior {
    /// For all paths, to the origin of this Id, by every method; no functions, no signers.
    pub fn to(origin: impl Into<String>) -> Self {
        Self {
            path: "*".to_owned(),
            origin: origin.into(),
            methods: ALL.to_vec(),
            forwarding: Forwarding::default(),
            viewer_request: None,
            viewer_response: None,
            signers: Vec::new(),
        }
    }

    /// For paths of this form alone, where `*` is any run of characters and `?` any one ("Path pattern").
    #[must_use]
    pub fn path(mut self, pattern: impl Into<String>) -> Self {
        self.path = pattern.into();
        self
    }

    /// By these methods alone.
    #[must_use]
    pub fn methods(mut self, methods: impl IntoIterator<Item = Method>) -> Self {
        self.methods = methods.into_iter().collect();
        self
    }

    /// What goes on to the origin.
    #[must_use]
    pub fn forwarding(mut self, forwarding: Forwarding) -> Self {
        self.forwarding = forwarding;
        self
    }

    /// Runs a function at both events.
    #[must_use]
    pub fn function(self, function: EdgeFunction) -> Self {
        self.on(EventType::ViewerRequest, function.clone()).on(EventType::ViewerResponse, function)
    }

    /// Runs a function at one event.
    #[must_use]
    pub fn on(mut self, event: EventType, function: EdgeFunction) -> Self {
        match event {
            EventType::ViewerRequest => self.viewer_request = Some(function),
            EventType::ViewerResponse => self.viewer_response = Some(function),
        }
        self
    }

    /// Lets in signed URLs alone, of one of these keys.
    #[must_use]
    pub fn signers(mut self, keys: impl IntoIterator<Item = PublicKey>) -> Self {
        self.signers = keys.into_iter().collect();
        self
    }

    /// Patterns may be written without the slash at their beginning.
    pub(super) fn matches(&self, path: &str) -> bool {
        like(&self.path, path) || like(&self.path, path.strip_prefix('/').unwrap_or(path))
    }
}
