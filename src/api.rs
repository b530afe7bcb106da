//! The wire contract that server and client share (OCI distribution specification, "Endpoints").

mod error;
mod query;
mod range;
mod route;

pub use error::{ErrorBody, ErrorCode, ErrorEntry};
pub use query::Query;
pub use range::{ByteRange, ContentRange, RangeFault, Ranged};
pub use route::{Route, RouteFault};
