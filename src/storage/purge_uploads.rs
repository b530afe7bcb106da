//! Removing uploads that nobody finished.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use uuid::Uuid;

use super::{path, path_spec::PathSpec};
use crate::{
    context::Context,
    driver::{DriverError, Path, StorageDriver},
    name::RepositoryName,
};

/// Folders that are looked into at once.
const AT_ONCE: usize = 16;

/// The longest `startedat` that is read; a date has 35 bytes at most.
const LONGEST_DATE: u64 = 64;

/// What there was, and what became of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Upload sessions that lie in storage, finished ones excepted.
    pub found: u64,
    /// Those opened before the given time, all of whose files are removed (would be, in a dry run).
    pub removed: u64,
    /// Those that do not say when they were opened, as Berth's and distribution's do. They stay.
    pub undated: u64,
}

/// Removes the upload sessions, of all repositories, that were opened before `before`; with `dry_run`, only counts
/// them. Distribution's sessions are found too. Safe at any time and in any number of processes: a session that is
/// removed while it is closed fails with a 404 at its client, who starts another.
///
/// # Errors
/// [`DriverError`] of what could not be read or removed. What was removed by then stays removed.
pub async fn purge_uploads(
    ctx: &Context,
    driver: &Arc<dyn StorageDriver>,
    before: SystemTime,
    dry_run: bool,
) -> Result<Purged, DriverError> {
    let mut purged = Purged::default();
    let mut level = vec![String::new()];
    while !level.is_empty() {
        let listings = stream::iter(level).map(|folder| async move {
            let names = folders(ctx, driver, &folder).await?;
            Ok::<_, DriverError>((folder, names))
        });
        let listings: Vec<_> = listings.buffer_unordered(AT_ONCE).try_collect().await?;
        level = Vec::new();
        for (folder, names) in listings {
            for name in names {
                if name == "_uploads" {
                    // A folder whose name no repository can have is none of ours.
                    let Ok(repository) = folder.parse() else { continue };
                    purge_repository(ctx, driver, &repository, before, dry_run, &mut purged).await?;
                } else if !name.starts_with('_') {
                    level.push(if folder.is_empty() { name } else { format!("{folder}/{name}") });
                }
            }
        }
    }
    Ok(purged)
}

/// The names of the folders below repository `name`, or of the topmost ones; none where there is nothing.
async fn folders(ctx: &Context, driver: &Arc<dyn StorageDriver>, name: &str) -> Result<Vec<String>, DriverError> {
    match path(PathSpec::Repositories(Some(name).filter(|name| !name.is_empty()))) {
        Ok(folder) => listed(ctx, driver, &folder).await,
        Err(_) => Ok(Vec::new()),
    }
}

async fn listed(ctx: &Context, driver: &Arc<dyn StorageDriver>, folder: &Path) -> Result<Vec<String>, DriverError> {
    match driver.list(ctx, folder).await {
        Ok(entries) => Ok(entries.into_iter().filter(|entry| entry.is_folder).map(|entry| entry.name).collect()),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

async fn purge_repository(
    ctx: &Context,
    driver: &Arc<dyn StorageDriver>,
    repository: &RepositoryName,
    before: SystemTime,
    dry_run: bool,
    purged: &mut Purged,
) -> Result<(), DriverError> {
    for id in listed(ctx, driver, &path(PathSpec::Uploads(repository))?).await? {
        purged.found += 1;
        match opened(ctx, driver, repository, &id).await? {
            None => purged.undated += 1,
            Some(opened) if opened >= before => {}
            Some(_) => {
                if !dry_run {
                    remove(ctx, driver, &path(PathSpec::Upload(repository, &id))?).await?;
                }
                purged.removed += 1;
                tracing::info!(%repository, upload = %id, dry_run, "an abandoned upload is removed");
            }
        }
    }
    Ok(())
}

async fn remove(ctx: &Context, driver: &Arc<dyn StorageDriver>, folder: &Path) -> Result<(), DriverError> {
    match driver.delete_tree(ctx, folder).await {
        // Someone else removed it, or its client closed it.
        Err(error) if error.is_not_found() => Ok(()),
        removed => removed,
    }
}

/// When a session was opened: as its id says, which is Berth's way, or its file `startedat`, which is distribution's.
async fn opened(
    ctx: &Context,
    driver: &Arc<dyn StorageDriver>,
    repository: &RepositoryName,
    id: &str,
) -> Result<Option<SystemTime>, DriverError> {
    if let Some(opened) = id.parse::<Uuid>().ok().and_then(|id| id.get_timestamp()) {
        let (seconds, nanoseconds) = opened.to_unix();
        return Ok(UNIX_EPOCH.checked_add(Duration::new(seconds, nanoseconds)));
    }
    let Ok(file) = path(PathSpec::UploadStartedAt(repository, id)) else { return Ok(None) };
    match driver.get(ctx, &file, LONGEST_DATE).await {
        Ok(text) => {
            let date = std::str::from_utf8(&text).ok().map(str::trim);
            Ok(date.and_then(|date| OffsetDateTime::parse(date, &Rfc3339).ok()).map(SystemTime::from))
        }
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
