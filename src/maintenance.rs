//! What a registry does of its own accord: now and then, as configured, and never while anyone waits for it.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use uuid::Uuid;

use crate::{
    config::UploadPurging,
    context::Context,
    driver::{DriverError, StorageDriver},
    storage::{Purged, purge_uploads},
};

/// The longest time from the start of a server to its first round.
const FIRST: Duration = Duration::from_secs(3600);

/// Does everything that is due, once.
///
/// # Errors
/// [`DriverError`] of what could not be done; what was done by then stays done.
pub async fn once(
    ctx: &Context,
    driver: &Arc<dyn StorageDriver>,
    purging: &UploadPurging,
) -> Result<Purged, DriverError> {
    // An age that reaches back to before all time takes nothing.
    let before = SystemTime::now().checked_sub(purging.age).unwrap_or(SystemTime::UNIX_EPOCH);
    let purged = purge_uploads(ctx, driver, before, purging.dry_run).await?;
    let Purged { found, removed, undated } = purged;
    tracing::info!(found, removed, undated, dry_run = purging.dry_run, "uploads were looked through");
    Ok(purged)
}

/// Does so again and again, until it is dropped. Several servers over one storage begin at times that chance chooses.
pub async fn forever(driver: Arc<dyn StorageDriver>, purging: UploadPurging) {
    let chance = u64::from(Uuid::new_v4().as_fields().0);
    let first = Duration::from_secs(chance % FIRST.min(purging.interval).as_secs().max(1));
    tokio::time::sleep(first).await;
    loop {
        if let Err(error) = once(&Context::background("maintenance"), &driver, &purging).await {
            tracing::warn!(%error, "uploads were not looked through; the next round tries again");
        }
        tokio::time::sleep(purging.interval).await;
    }
}
