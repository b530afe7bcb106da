//! What is due, done once for each event.

use std::{sync::Arc, time::Duration};

use serde_json::json;

use super::{Task, deadline};
use crate::{
    config::{Config, Driver},
    context::{Caller, Context},
    maintenance,
    storage::Purged,
    wire::Adapters,
};

/// What must remain of a function's time when the work stops; the next event goes on with it.
const MARGIN: Duration = Duration::from_secs(2);

/// Answers each event with a summary. A failure is the event's, so that Lambda counts it and alarms see it.
pub(super) fn task(config: Result<Config, String>) -> Task {
    let config = Arc::new(config);
    Box::new(move |event| {
        let config = config.clone();
        Box::pin(async move {
            let deadline = deadline(&event.context, MARGIN);
            let span = tracing::info_span!("maintenance", id = event.context.request_id);
            let ctx = Context::new(event.context.request_id, Caller::Registry, Some(deadline), span);
            let done = match &*config {
                Ok(config) => once(&ctx, config).await,
                Err(reason) => Err(reason.clone()),
            };
            match done {
                Ok(Purged { found, removed, undated }) => {
                    Ok(json!({ "uploads": { "found": found, "removed": removed, "undated": undated } }))
                }
                Err(reason) => {
                    tracing::error!(request_id = ctx.request_id(), reason, "maintenance was not done");
                    Err(reason.into())
                }
            }
        })
    })
}

async fn once(ctx: &Context, config: &Config) -> Result<Purged, String> {
    if !matches!(config.storage.driver, Driver::S3(_)) {
        return Err("no bucket: set REGISTRY_STORAGE_S3_BUCKET".to_owned());
    }
    let adapters = Adapters::open(config).await.map_err(|error| error.to_string())?;
    maintenance::once(ctx, adapters.driver(), &config.storage.upload_purging).await.map_err(|error| error.to_string())
}
