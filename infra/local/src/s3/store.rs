//! Buckets, their objects and their unfinished uploads.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use s3s::{S3Result, s3_error};
use tempfile::TempDir;

use super::condition::WriteConditions;
use super::multipart::Upload;
use super::object::Object;
use crate::options::Options;

/// S3's bounds ("Amazon S3 multipart upload limits"; "CopyObject"). Tests may lower them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest object of one PutObject, and the largest part, in bytes: 5 GiB.
    pub put: u64,
    /// The largest source of one CopyObject or UploadPartCopy, in bytes: 5 GiB.
    pub copy: u64,
    /// The smallest part but the last, in bytes: 5 MiB. Ranged UploadPartCopy wants a source larger than this.
    pub part: u64,
    /// The most parts of one upload: 10,000.
    pub parts: i32,
    /// Whether the answer of UploadPartCopy has the part's checksum, where the upload has an algorithm. S3 sends it; others that
    /// speak its protocol may not.
    pub part_checksums: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { put: 5 << 30, copy: 5 << 30, part: 5 << 20, parts: 10_000, part_checksums: true }
    }
}

/// Everything that this S3 holds. Keys are in the order of their UTF-8 bytes, as S3 lists them.
#[derive(Debug)]
pub(super) struct Store {
    buckets: Mutex<HashMap<String, Bucket>>,
    files: TempDir,
    counter: AtomicU64,
    pub(super) limits: Limits,
    pub(super) region: String,
    /// [`Options::conditional_copies`].
    conditional_copies: bool,
}

/// One bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    pub(super) region: String,
    pub(super) created: SystemTime,
    pub(super) objects: BTreeMap<String, Arc<Object>>,
    /// By key, then by upload id; ids ascend in the order of initiation.
    pub(super) uploads: BTreeMap<(String, String), Upload>,
}

impl Store {
    pub(super) fn new(options: &Options) -> io::Result<Self> {
        let (folder, region) = (options.folder.as_deref(), options.region.clone());
        let mut files = tempfile::Builder::new();
        files.prefix("berth-local-");
        let files = folder.map_or_else(|| files.tempdir(), |folder| files.tempdir_in(folder))?;
        let Options { limits, conditional_copies, .. } = *options;
        Ok(Self { buckets: Mutex::default(), files, counter: AtomicU64::new(1), limits, region, conditional_copies })
    }

    pub(super) fn buckets(&self) -> MutexGuard<'_, HashMap<String, Bucket>> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does something to a bucket while nothing else can: what it reads and writes is one atomic step.
    ///
    /// # Errors
    /// `NoSuchBucket`, and those of `action`.
    pub(super) fn with<T>(&self, bucket: &str, action: impl FnOnce(&mut Bucket) -> S3Result<T>) -> S3Result<T> {
        let mut buckets = self.buckets();
        let bucket = buckets.get_mut(bucket);
        action(bucket.ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))?)
    }

    /// Makes an empty bucket; false when there is one of that name.
    pub(super) fn create(&self, bucket: &str, region: &str) -> bool {
        let mut buckets = self.buckets();
        if buckets.contains_key(bucket) {
            return false;
        }
        let region = region.to_owned();
        let empty = Bucket { region, created: SystemTime::now(), objects: BTreeMap::new(), uploads: BTreeMap::new() };
        buckets.insert(bucket.to_owned(), empty);
        true
    }

    /// # Errors
    /// `NoSuchBucket`, `NoSuchKey`.
    pub(super) fn object(&self, bucket: &str, key: &str) -> S3Result<Arc<Object>> {
        self.with(bucket, |bucket| bucket.object(key))
    }

    /// # Errors
    /// `NotImplemented` for `If-None-Match` on a copy, or on the completion of an upload, where that is not supported.
    pub(super) fn check_conditional_copy(&self, conditions: &WriteConditions) -> S3Result {
        if self.conditional_copies || conditions.if_none_match.is_none() {
            return Ok(());
        }
        Err(s3_error!(NotImplemented, "A header you provided implies functionality that is not implemented"))
    }

    /// A number that this store has not given out before.
    pub(super) fn unique(&self) -> u64 {
        self.counter.fetch_add(1, Ordering::Relaxed)
    }

    /// Removes the folder of object bodies, although a connection may hold this store for a moment longer: nothing is left
    /// behind when the process ends before that. Uploads fail from then on.
    pub(super) fn remove_files(&self) {
        // What cannot be removed is in the system's place for temporary files.
        let _ = std::fs::remove_dir_all(self.files.path());
    }

    /// A path for a new file.
    pub(super) fn path(&self) -> PathBuf {
        self.files.path().join(self.unique().to_string())
    }
}

impl Bucket {
    /// # Errors
    /// `NoSuchKey`.
    pub(super) fn object(&self, key: &str) -> S3Result<Arc<Object>> {
        let object = self.objects.get(key).cloned();
        object.ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."))
    }
}
