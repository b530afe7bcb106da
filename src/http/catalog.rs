//! `/v2/_catalog`: the repositories.

use axum::response::Response;
use http::{StatusCode, header};
use serde_json::json;

use super::{answer::Answer, call::Call, fault::Fault, paging};
use crate::{
    api::{Query, Route},
    distribution::{BackendError, Page, Paging},
    name::RepositoryName,
};

/// Entries of a page when the client does not say, and the most that it may ask for; distribution has the same.
const PAGE: usize = 1000;

/// `GET /v2/_catalog`: the names of all repositories, in lexical order.
pub(super) async fn list(call: &Call) -> Result<Response, Fault> {
    let paging = paging::paging(&call.query(), Some(PAGE))?;
    let page = readable(call, paging.clone()).await?;
    let mut answer = Answer::new(StatusCode::OK);
    if page.more
        && let (Some(last), Some(limit)) = (page.entries.last(), paging.limit)
    {
        let query = Query::default().with("last", last.as_str()).with("n", limit.to_string());
        answer = answer.with(header::LINK, paging::next(&call.options().prefix, &Route::Catalog, &query));
    }
    Ok(answer.json(&json!({ "repositories": page.entries })))
}

/// The page of those that the caller may pull from.
async fn readable(call: &Call, mut paging: Paging) -> Result<Page<RepositoryName>, BackendError> {
    if call.grant.shows_all() {
        return call.app.namespace.repositories(&call.ctx, &paging).await;
    }
    let limit = paging.limit.unwrap_or(usize::MAX);
    let mut readable = Page { entries: Vec::new(), more: false };
    loop {
        let page = call.app.namespace.repositories(&call.ctx, &paging).await?;
        paging.after = page.entries.last().map(|name| name.as_str().to_owned());
        for name in page.entries {
            if !call.grant.shows(&name) {
                continue;
            }
            if readable.entries.len() == limit {
                return Ok(Page { more: true, ..readable });
            }
            readable.entries.push(name);
        }
        if !page.more || limit == 0 {
            return Ok(readable);
        }
    }
}
