//! The interfaces of a registry, and the errors each may return.
//!
//! Storage implements them; so does a client over HTTP. Code written against them does not know whether the
//! registry is local or remote. Descriptors are the handle: opening a blob is an access check (stat) and a path.

mod blobs;
mod content;
mod direct;
mod error;
mod manifests;
mod registry;
mod signatures;
mod tags;

pub use blobs::{
    BlobDescriptorService, BlobIngester, BlobProvider, BlobServer, BlobService, BlobStatter, BlobWriter, Created,
    NewUpload, Served, Upload, Wish,
};
pub use content::{ByteStream, Content, Reading};
pub use direct::{
    Announced, DirectCommit, DirectFault, PartPlan, PartStanding, PartState, PartsPage, SignedPut, StagedCommit, Target,
};
pub use error::{BackendError, BackendErrorKind, BlobError, ManifestError, Missing, TagError, UploadError};
pub use manifests::{ManifestService, Referrer, ReferrersPage, StoredManifest};
pub use registry::{Namespace, Page, Paging, Repository};
pub use signatures::SignatureService;
pub use tags::TagService;
