//! Amazon CloudFront before a registry: a distribution on a loopback port, with its functions, origins and signed URLs.
//!
//! | file | plays |
//! |---|---|
//! | `function` | CloudFront Functions |
//! | `distribution`, `behavior`, `origin`, `options` | what is configured, and what AWS leaves open |
//! | `deployed` | the same, as a template deploys it |
//! | `server`, `request`, `response`, `body` | a request's way to an origin and back |
//! | `sigv4` | origin access control: how requests to a bucket are signed |
//! | `signed` | signed URLs of viewers |
//! | `refusal` | what CloudFront answers by itself |
//! | `log` | what is seen of it |
//!
//! Sources: the Amazon CloudFront Developer Guide, whose pages each file names. Nothing is cached.

mod behavior;
mod body;
mod deployed;
mod distribution;
mod function;
mod log;
mod options;
mod origin;
mod refusal;
mod request;
mod response;
mod server;
mod signed;
mod sigv4;

pub use behavior::{Behavior, Forwarding};
pub use distribution::Distribution;
pub use function::{
    CODE_LIMIT, Context, EdgeFunction, Event, EventRequest, EventResponse, EventType, Failure, Field, FieldValue,
    Fields, Forwarded, LoadError, Outcome, Ran, Viewer,
};
pub use log::{EdgeRequest, Handled};
pub use options::{ContentSha256, EarlyAnswers, EdgeOptions, Sees};
pub use origin::{Origin, bucket_policy};
pub use server::Edge;
pub use signed::{KeyError, PublicKey};

use crate::{PolicyError, TemplateError};

/// Why there is no such distribution.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EdgeError {
    /// It cannot listen.
    #[error(transparent)]
    Start(#[from] crate::Error),
    /// An origin's URL is not of the form `http://HOST:PORT`.
    #[error("{0} is not the URL of an origin: http://HOST:PORT")]
    Url(String),
    /// A behavior or a function names an origin that there is not.
    #[error("there is no origin {0}")]
    Origin(String),
    /// A function's code is none.
    #[error(transparent)]
    Function(#[from] LoadError),
    /// A public key is none.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A bucket's policy is not understood.
    #[error("the bucket's policy: {0}")]
    Policy(#[from] PolicyError),
    /// A template says something else than is emulated.
    #[error(transparent)]
    Template(#[from] TemplateError),
}
