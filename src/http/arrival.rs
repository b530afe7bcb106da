//! How a request came in, as far as only the door that it came through knows.

use std::{net::IpAddr, time::Instant};

/// What the server, or Lambda's runtime, knows of a request. It travels as an extension of the request; without one,
/// nothing is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrival {
    /// The other end of the connection.
    pub remote: Option<IpAddr>,
    /// When the answer must have been given, if ever.
    pub deadline: Option<Instant>,
    /// Whether the client spoke TLS to the door, so that URLs begin with `https`.
    pub secure: bool,
    /// Whether it came through the registry's own edge, which says truly by what host the client asked. The router finds
    /// that out itself.
    pub through_edge: bool,
}
