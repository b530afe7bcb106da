//! AWS Lambda around the real `bootstrap`: processes that are started, frozen, thawed and killed as Lambda does it, and the
//! HTTP front doors before them.
//!
//! | file | plays |
//! |---|---|
//! | `function`, `settings` | what a caller has in hand |
//! | `pool`, `tenant` | which instance handles which event, and when one starts or ends |
//! | `process`, `environment`, `memory`, `logs` | one process, and what is seen of it |
//! | `runtime_api` | the HTTP interface that a process polls |
//! | `door` | a function URL or an HTTP API |
//!
//! Sources: the AWS Lambda Developer Guide, "Using the Lambda runtime API" and "Understanding the Lambda execution environment
//! lifecycle"; for the doors see [`DoorOptions`].

mod admin;
mod counters;
mod door;
mod environment;
mod error;
mod event;
mod function;
mod logs;
mod memory;
mod payload;
mod pool;
mod process;
mod runtime_api;
mod settings;
mod tenant;

pub use admin::Functions;
pub(crate) use admin::answer as administer;
pub use counters::{Counters, InstanceView, Start, State};
pub(crate) use door::is_hop_by_hop;
pub use door::{
    Bodies, ChunkedRequests, Door, DoorOptions, Front, HeadLength, MappingError, Renaming, RepeatedAuthorization,
    ResponseParameters, Scheme, TrailingSlash,
};
pub use error::InvokeError;
pub use function::Function;
pub use logs::{LogLine, Stream};
pub use settings::{FunctionBuilder, Scaling, WhenBusy};

/// Bytes of an event, and of an answer: 6 MiB and 100 bytes ("Lambda quotas": 6 MB each; the number is that of Lambda's own
/// message about answers).
pub const PAYLOAD_LIMIT: usize = 6_291_556;
