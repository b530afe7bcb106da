//! Records of a session's log.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{direct::Direct, staged::Staged};
use crate::{
    context::Context,
    digest::HashState,
    driver::{DriverError, DriverErrorKind, PutOptions, StorageDriver},
    name::RepositoryName,
    storage::{path, path_spec::PathSpec},
};

/// The most that a record may have: 10,000 chunks and more.
const LONGEST: u64 = 4 << 20;

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Record {
    /// The session holds these bytes.
    Open(Progress),
    /// The session is over.
    Cancelled,
}

/// How far a session has come.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Progress {
    /// The number of the last record; 0 when nothing is stored.
    pub(super) number: u64,
    /// Bytes stored.
    pub(super) size: u64,
    /// The hash of those bytes, saved: canonical first. Empty when nothing is stored.
    pub(super) hashes: Vec<HashState>,
    /// Where they are, in order. Left out of a URL when there are several; the record has them all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) chunks: Vec<Chunk>,
    /// Content that its sender hands to the backend itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) direct: Option<Direct>,
    /// How far content has come that the edge stored for the session; never in a record.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) staged: Option<Box<Staged>>,
}

/// Bytes of a session, in a file of their own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chunk {
    /// The file's name.
    pub(super) name: String,
    /// Its size in bytes.
    pub(super) size: u64,
}

/// The log of one session.
pub(super) struct Log<'a> {
    pub(super) driver: &'a dyn StorageDriver,
    pub(super) repository: &'a RepositoryName,
    pub(super) id: &'a str,
}

impl Log<'_> {
    /// Record `number`, if there is one.
    pub(super) async fn read(&self, ctx: &Context, number: u64) -> Result<Option<Record>, DriverError> {
        let path = path(PathSpec::UploadRecord(self.repository, self.id, number))?;
        match self.driver.get(ctx, &path, LONGEST).await {
            Ok(content) => serde_json::from_slice(&content).map(Some).map_err(|error| {
                DriverError::new(DriverErrorKind::Failed, &path, format!("unreadable record: {error}"))
            }),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes record `number`; `false` when another writer has made it before.
    pub(super) async fn append(&self, ctx: &Context, number: u64, record: &Record) -> Result<bool, DriverError> {
        match self.write(ctx, number, record, true).await {
            Ok(()) => Ok(true),
            Err(error) if error.kind == DriverErrorKind::Precondition => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Puts `record` in the place of record `number`.
    pub(super) async fn replace(&self, ctx: &Context, number: u64, record: &Record) -> Result<(), DriverError> {
        self.write(ctx, number, record, false).await
    }

    async fn write(&self, ctx: &Context, number: u64, record: &Record, create: bool) -> Result<(), DriverError> {
        let path = path(PathSpec::UploadRecord(self.repository, self.id, number))?;
        let content = serde_json::to_vec(record)
            .map_err(|error| DriverError::new(DriverErrorKind::Failed, &path, error.to_string()))?;
        let options = PutOptions { create_only: create, checksum: None };
        self.driver.put(ctx, &path, Bytes::from(content).into(), options).await.map(|_| ())
    }

    /// Removes records `numbers` and the files of `chunks`.
    pub(super) async fn remove(
        &self,
        ctx: &Context,
        numbers: std::ops::RangeInclusive<u64>,
        chunks: &[Chunk],
    ) -> Result<(), DriverError> {
        let records = numbers.map(|number| path(PathSpec::UploadRecord(self.repository, self.id, number)));
        let chunks = chunks.iter().map(|chunk| path(PathSpec::UploadChunk(self.repository, self.id, &chunk.name)));
        let paths = records.chain(chunks).collect::<Result<Vec<_>, _>>()?;
        if paths.is_empty() { Ok(()) } else { self.driver.delete(ctx, &paths).await }
    }
}
