//! The catalog: every repository, in lexical order, found by walking the folder of repositories no further than a
//! page needs.
//!
//! Folders are taken from a heap by name. A repository's name is lexically before every name below it, so the
//! smallest folder on the heap, if it is a repository, is the next entry. (A plain walk would not do: `a-b` comes
//! before `a/b`.)

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use super::{path, path_spec::PathSpec};
use crate::{
    context::Context,
    distribution::{BackendError, Page, Paging},
    driver::StorageDriver,
    name::RepositoryName,
};

/// The page of repositories that `paging` wants.
pub(super) async fn repositories(
    ctx: &Context,
    driver: &Arc<dyn StorageDriver>,
    paging: &Paging,
) -> Result<Page<RepositoryName>, BackendError> {
    let mut page = Page { entries: Vec::new(), more: false };
    let limit = paging.limit.unwrap_or(usize::MAX);
    if limit == 0 {
        return Ok(page);
    }
    let after = paging.after.as_deref();
    let mut folders = BinaryHeap::new();
    let root = list(ctx, driver, None).await?;
    folders.extend(root.into_iter().filter(|name| wanted(name, after)).map(Reverse));
    while let Some(Reverse(folder)) = folders.pop() {
        let below = list(ctx, driver, Some(&folder)).await?;
        let is_repository = below.iter().any(|name| name == "_layers" || name == "_manifests");
        if is_repository
            && after.is_none_or(|after| folder.as_str() > after)
            && let Ok(name) = folder.parse()
        {
            if page.entries.len() == limit {
                page.more = true;
                break;
            }
            page.entries.push(name);
        }
        let below = below.into_iter().filter(|name| !name.starts_with('_')).map(|name| format!("{folder}/{name}"));
        folders.extend(below.filter(|name| wanted(name, after)).map(Reverse));
    }
    Ok(page)
}

/// Whether `folder`, or something below it, comes after `after`.
fn wanted(folder: &str, after: Option<&str>) -> bool {
    after.is_none_or(|after| {
        // The last name that could lie below: `0` follows `/` in ASCII.
        let beyond = format!("{folder}0");
        beyond.as_str() > after
    })
}

/// The names of the folders in a folder; none when it does not exist.
async fn list(
    ctx: &Context,
    driver: &Arc<dyn StorageDriver>,
    below: Option<&str>,
) -> Result<Vec<String>, BackendError> {
    // A folder whose name is no path of ours holds no repository of ours.
    let Ok(path) = path(PathSpec::Repositories(below)) else { return Ok(Vec::new()) };
    match driver.list(ctx, &path).await {
        Ok(entries) => Ok(entries.into_iter().filter(|entry| entry.is_folder).map(|entry| entry.name).collect()),
        Err(error) if error.is_not_found() => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}
