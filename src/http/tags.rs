//! `/v2/<name>/tags/list`: the tags of a repository.

use axum::response::Response;
use http::{StatusCode, header};
use serde_json::json;

use super::{answer::Answer, call::Call, fault::Fault, paging};
use crate::{
    api::{Query, Route},
    name::RepositoryName,
};

/// `GET /v2/<name>/tags/list`: the repository's tags, in lexical order; all of them unless the client asks for fewer.
pub(super) async fn list(call: &Call, name: &RepositoryName) -> Result<Response, Fault> {
    let paging = paging::paging(&call.query(), None)?;
    let repository = call.repository(name);
    let page = repository.tags().list(&call.ctx, &paging).await?;
    let mut answer = Answer::new(StatusCode::OK);
    if page.more
        && let (Some(last), Some(limit)) = (page.entries.last(), paging.limit)
    {
        let query = Query::default().with("last", last.as_str()).with("n", limit.to_string());
        answer = answer.with(header::LINK, paging::next(&call.options().prefix, &Route::Tags(name.clone()), &query));
    }
    Ok(answer.json(&json!({ "name": name, "tags": page.entries })))
}
