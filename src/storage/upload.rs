//! Upload sessions.
//!
//! A session is a log. Each `PATCH` first writes its bytes to a chunk of its own, under a name that no one else uses,
//! then creates the next record; creating it is what appends, so of two writers one wins and the other's bytes are
//! dropped. A record holds everything that a process needs to go on: the chunks so far and the saved hash states. The
//! last record's content also travels in the signed state of the session's URL, so that a process that is handed a
//! fresh URL need not read it. Closing composes the chunks into the blob; cancelling makes a record that says so.
//! A session that holds nothing has nothing stored.
//!
//! Content that was announced may go to the backend without passing through the registry (`direct`): then the signed
//! state says where, and how far the closing of it has come. So may content that an edge in front of the registry takes
//! from clients that know nothing of all this (`staged`).

mod chunk;
mod closing;
mod direct;
mod record;
mod secrets;
mod session;
mod staged;
mod state;
mod writer;

pub use direct::DirectOptions;
pub(super) use direct::{DirectWay, Opened};
pub use secrets::UploadSecrets;
pub(super) use session::Sessions;
pub use state::UploadSecret;
pub(super) use writer::UploadWriter;
