//! Manifests of a repository: revisions, their content, their referrers.

mod contents;
mod referrers;
mod revisions;
mod service;

pub(super) use contents::Contents;
pub(super) use referrers::Referrers;
pub(super) use revisions::Revisions;
pub(super) use service::RepositoryManifests;
