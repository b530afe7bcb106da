//! The wire contract that server and client share (OCI distribution specification, "Endpoints").

mod carried;
mod direct;
mod edge;
mod error;
mod query;
mod range;
mod route;

pub use carried::{BERTH_CHALLENGE, BERTH_LENGTH, BERTH_RANGE, BERTH_STATUS, REMAPPED_CHALLENGE};
pub use direct::{
    BERTH_BLOB_DIGEST, BERTH_BLOB_SIZE, BERTH_DIRECT_UPLOAD, DirectAnswer, DirectProblem, PARTS, PartEntry,
    PartsAnswer, SignedRequest,
};
pub use edge::{BERTH_ORIGIN, BY_EDGE, COMMIT, SIZE, TICKET, TICKET_LIFE, is_secret, ticket};
pub use error::{ErrorBody, ErrorCode, ErrorEntry};
pub use query::Query;
pub use range::{ByteRange, ContentRange, RangeFault, Ranged};
pub use route::{Route, RouteFault};
