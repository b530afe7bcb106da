//! Lists in pages (OCI distribution specification, "Listing Tags"; RFC 8288), also from registries that page
//! otherwise, or never end.

use std::{collections::BTreeSet, str::FromStr};

use http::{Method, header};
use reqwest::Url;
use serde::Deserialize;

use super::{
    Host,
    door::Scopes,
    spoken::spoken,
    transport::{Answer, Failure, Request, Transport, allowed, shown},
};
use crate::{
    api::{Query, Route},
    context::Context,
    distribution::{Page, Paging},
};

/// Bytes of one page: docker-registry 2.8 lists all tags in one.
const LONGEST_PAGE: usize = 32 << 20;
/// Entries of a whole list.
const ENTRIES: usize = 1_000_000;
/// Pages of a whole list.
pub(super) const PAGES: usize = 10_000;

/// A list of a registry.
pub(super) struct Listing<'a> {
    pub(super) transport: &'a Transport,
    pub(super) route: Route,
    pub(super) scopes: Scopes,
}

#[derive(Deserialize)]
struct Names {
    /// Null where there are none, in distribution.
    #[serde(alias = "repositories")]
    tags: Option<Vec<String>>,
}

impl Listing<'_> {
    /// The part of it that `paging` wants, in lexical order. It is asked for as the specification has it; what the
    /// registry makes of that may be more, or in another order.
    pub(super) async fn read(&self, ctx: &Context, paging: &Paging) -> Result<Page<String>, Failure> {
        let mut query = Query::default();
        // One more than is wanted tells whether there are more: a link is there in some registries without any behind it.
        let enough = paging.limit.map(|limit| limit.saturating_add(1));
        if let Some(enough) = enough {
            query = query.with("n", enough.to_string());
        }
        if let Some(after) = &paging.after {
            query = query.with("last", after.as_str());
        }
        let mut next = Some(self.transport.url(&self.route, &query));
        let (mut pages, mut names) = (0, BTreeSet::new());
        while let Some(url) = next {
            let (found, link) = self.page(ctx, url).await?;
            let before = names.len();
            names.extend(found.into_iter().filter(|name| paging.after.as_ref().is_none_or(|after| name > after)));
            pages += 1;
            next = link.filter(|_| enough.is_none_or(|enough| names.len() < enough));
            if next.is_some() {
                self.check(names.len() > before, pages, names.len())?;
            }
        }
        Ok(Page::of(names.into_iter().collect(), paging))
    }

    /// Whether a list still goes somewhere, after so many pages and entries.
    fn check(&self, is_longer: bool, pages: usize, entries: usize) -> Result<(), Failure> {
        let host = self.transport.host().as_str();
        if !is_longer {
            return Err(Failure::wrong(host, format!("lists {} in pages that lead nowhere (Link)", self.route)));
        }
        if pages >= PAGES || entries > ENTRIES {
            let what =
                format!("lists {} without an end; given up after {entries} entries in {pages} pages", self.route);
            return Err(Failure::wrong(host, what));
        }
        Ok(())
    }

    async fn page(&self, ctx: &Context, url: Url) -> Result<(Vec<String>, Option<Url>), Failure> {
        let answer = self.transport.send(ctx, &Request::new(Method::GET, url, self.scopes.clone())).await?;
        if answer.status != http::StatusCode::OK {
            return Err(answer.into_failure(&format!("GET {}", self.route)).await);
        }
        let (host, link) = (answer.host(), next_page(self.transport, &answer)?);
        let body = answer.read(LONGEST_PAGE).await?;
        let names: Names = serde_json::from_slice(&body).map_err(|_| {
            Failure::wrong(&host, format!("answers GET {} with something else than a list", self.route))
        })?;
        Ok((names.tags.unwrap_or_default(), link))
    }
}

/// The page that follows `answer`, which the same registry has.
pub(super) fn next_page(transport: &Transport, answer: &Answer) -> Result<Option<Url>, Failure> {
    let values = answer.headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    let Some(reference) = values.flat_map(links).find(|(_, is_next)| *is_next).map(|(reference, _)| reference) else {
        return Ok(None);
    };
    let url = allowed(&answer.url, reference)?;
    if !transport.is_own(&url) {
        let what = format!("has the next page of a list on another host, {}; not followed", shown(&url));
        return Err(Failure::wrong(&answer.host(), what));
    }
    Ok(Some(url))
}

/// The links in one value, and whether each leads to what is next.
fn links(value: &str) -> impl Iterator<Item = (&str, bool)> {
    value.split('<').skip(1).filter_map(|link| {
        let (reference, parameters) = link.split_once('>')?;
        let is_next = parameters.split(';').any(|parameter| {
            let parameter = parameter.trim().trim_end_matches(',').trim_end();
            parameter.split_once('=').is_some_and(|(name, value)| {
                let relations = value.trim().trim_matches('"');
                name.trim().eq_ignore_ascii_case("rel")
                    && relations.split(' ').any(|one| one.eq_ignore_ascii_case("next"))
            })
        });
        Some((reference, is_next))
    })
}

/// The entries of `page` as names of their kind.
///
/// # Errors
/// One of them is none: then nothing can be asked of the registry by it either.
pub(super) fn entries<T: FromStr>(host: &Host, page: Page<String>) -> Result<Page<T>, Failure> {
    let entries = page.entries.iter().map(|name| {
        name.parse().map_err(|_| Failure::wrong(host.as_str(), format!("lists {:?}, which is no name", spoken(name))))
    });
    Ok(Page { entries: entries.collect::<Result<_, _>>()?, more: page.more })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_among_others() {
        let next = |value| links(value).find(|(_, is_next)| *is_next).map(|(reference, _)| reference);
        assert_eq!(next(r#"</v2/_catalog?last=b&n=2>; rel="next""#), Some("/v2/_catalog?last=b&n=2"));
        assert_eq!(next(r#"<a>; rel=prev, <b,c>; title="x"; REL="last next", <d>"#), Some("b,c"));
        assert_eq!(next("<a>; rel=next"), Some("a"));
        for nothing in ["", "a; rel=next", "<a", "<a>", "<a>; rel=\"prev\"", "<a>; next"] {
            assert_eq!(next(nothing), None, "{nothing}");
        }
    }
}
