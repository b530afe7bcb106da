//! Images on their way between a registry, an OCI layout and an archive, whichever is at which end.
//!
//! An [`Origin`] gives content by its digest, a [`Destination`] takes it. A [`Plan`] says what there is; [`run`] moves
//! what the destination lacks: blobs first, then the manifests that name them, then what names those, and last the name
//! under which all of it is seen. Whoever stops in between leaves nothing half visible, and the next run moves the rest.

mod archive;
mod counted;
mod ends;
mod engine;
mod error;
mod image_name;
mod index;
mod layout;
mod members;
mod plan;
mod platform;
mod pour;
mod registry;
mod report;
mod section;

pub use archive::{Archive, ArchiveDestination, ArchiveForm};
pub use ends::{Destination, Origin, Progress};
pub use engine::{Options, run};
pub use error::TransferError;
pub use image_name::{ImageName, ImageNameError};
pub use index::Names;
pub use layout::{LayoutDestination, LayoutOrigin};
pub use plan::{Plan, Planned};
pub use platform::{Child, Platform, PlatformError, children, configured, select};
pub use registry::{RegistryDestination, RegistryOrigin};
pub use report::{Kind, Outcome, Report, Settled};
