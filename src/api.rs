//! The wire contract that server and client share (OCI distribution specification, "Endpoints").

mod direct;
mod error;
mod query;
mod range;
mod route;

pub use direct::{
    BERTH_BLOB_DIGEST, BERTH_BLOB_SIZE, BERTH_DIRECT_UPLOAD, DirectAnswer, DirectProblem, PARTS, PartEntry,
    PartsAnswer, SignedRequest,
};
pub use error::{ErrorBody, ErrorCode, ErrorEntry};
pub use query::Query;
pub use range::{ByteRange, ContentRange, RangeFault, Ranged};
pub use route::{Route, RouteFault};
