//! CloudFront Functions: JavaScript runtime 2.0 in QuickJS, held to what CloudFront allows.
//!
//! | file | does |
//! |---|---|
//! | `event`, `fields` | what a function is given and gives back |
//! | `engine`, `native`, `*.js` | runs it: no evaluation of text, no timers, no network; so many steps, so much memory |
//! | `headers` | names that a function may not see, or not change |
//! | `verdict`, `returned` | what CloudFront makes of what it returned |
//!
//! Sources, of the Amazon CloudFront Developer Guide: "Restrictions on CloudFront Functions", "Restrictions on all edge
//! functions", "CloudFront Functions event structure", "JavaScript runtime 2.0 features for CloudFront Functions", "Helper methods
//! for key value stores", "Helper methods for origin modification", "Quotas on CloudFront Functions".

mod engine;
mod event;
mod fields;
mod headers;
mod native;
mod returned;
mod verdict;

pub use event::{Context, Event, EventRequest, EventResponse, EventType, Viewer};
pub use fields::{Field, FieldValue, Fields};
pub(super) use headers::is_disallowed;
pub use verdict::{Failure, Forwarded, Outcome};

use std::collections::BTreeMap;
use std::time::SystemTime;

/// Bytes of code that a function may have ("Quotas on CloudFront Functions": 10 KB).
pub const CODE_LIMIT: usize = 10_240;

/// A function that has been found to be one.
///
/// ```
/// use berth_local::edge::{EdgeFunction, Event, Outcome};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let code = "import cf from 'cloudfront';
///     async function handler(event) { cf.selectRequestOriginById('bucket'); return event.request; }";
/// let function = EdgeFunction::load(code)?.origins(["registry", "bucket"]);
/// let event = Event::parse(r#"{"version": "1.0", "context": {"eventType": "viewer-request"}, "viewer": {"ip": "::1"},
///     "request": {"method": "GET", "uri": "/", "querystring": {}, "headers": {}, "cookies": {}}}"#)?;
/// let Ok(Outcome::Forward(forwarded)) = function.run(&event).outcome else { return Err("not forwarded".into()) };
/// assert_eq!(forwarded.origin.as_deref(), Some("bucket"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct EdgeFunction {
    code: String,
    keys: Option<BTreeMap<String, String>>,
    origins: Vec<String>,
    clock: Option<SystemTime>,
}

/// Why there is no such function.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// `FunctionSizeLimitExceeded`.
    #[error("the code has {0} bytes, more than {CODE_LIMIT}")]
    TooLarge(usize),
    /// It cannot be compiled, fails before any event, or has no function `handler`.
    #[error("the code is of no use: {0}")]
    Code(String),
}

/// What became of one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// What CloudFront makes of it.
    pub outcome: Result<Outcome, Failure>,
    /// Lines that the function wrote to its console.
    pub log: Vec<String>,
    /// Steps that it took, as a percentage of those that it may: counted in loops and calls, not the same as CloudFront's
    /// compute utilization, whose measure is time and is not documented.
    pub utilization: u32,
}

impl EdgeFunction {
    /// Reads the code: an ES module with a function `handler`, as the console takes it. It has no key value store, and knows no
    /// origins, until told.
    ///
    /// # Errors
    /// [`LoadError`]; what CloudFront's runtime lacks of the language is not looked for.
    pub fn load(code: impl Into<String>) -> Result<Self, LoadError> {
        let code = code.into();
        if code.len() > CODE_LIMIT {
            return Err(LoadError::TooLarge(code.len()));
        }
        let function = Self { code, keys: None, origins: Vec::new(), clock: None };
        engine::check(&function).map_err(LoadError::Code)?;
        Ok(function)
    }

    /// Associates a key value store with these entries.
    #[must_use]
    pub fn keys<K: Into<String>, V: Into<String>>(mut self, entries: impl IntoIterator<Item = (K, V)>) -> Self {
        self.keys = Some(entries.into_iter().map(|(key, value)| (key.into(), value.into())).collect());
        self
    }

    /// The Ids of the origins that it may choose.
    #[must_use]
    pub fn origins<I: Into<String>>(mut self, ids: impl IntoIterator<Item = I>) -> Self {
        self.origins = ids.into_iter().map(Into::into).collect();
        self
    }

    /// Stops its clock: `Date.now()` is this, in milliseconds.
    #[must_use]
    pub fn clock(mut self, now: SystemTime) -> Self {
        self.clock = Some(now);
        self
    }

    /// Bytes of its code.
    pub fn size(&self) -> usize {
        self.code.len()
    }

    /// Runs it for one event, in an engine of its own: nothing is kept from one event to the next. Takes a thread's time: some
    /// milliseconds.
    pub fn run(&self, event: &Event) -> Ran {
        let engine::Returned { result, log, origin, utilization } = engine::run(self, event);
        let outcome = result.and_then(|returned| verdict::of(event, returned, origin));
        Ran { outcome, log, utilization }
    }
}
