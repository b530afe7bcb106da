//! Amazon CloudFront before a registry: functions at the edge, origins, signed URLs.

mod function;

pub use function::{
    CODE_LIMIT, Context, EdgeFunction, Event, EventRequest, EventResponse, EventType, Failure, Field, FieldValue,
    Fields, Forwarded, LoadError, Outcome, Ran, Viewer,
};
