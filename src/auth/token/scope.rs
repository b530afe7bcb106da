//! Scopes (Docker Registry v2 authentication, "Token Scope Documentation"): what is asked for, and what tokens grant.

use serde::{Deserialize, Serialize};

use super::super::{Access, Action};
use crate::name::RepositoryName;

/// The most scopes that one request may have.
const MOST: usize = 64;

/// Why a text asks for nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// There are too many.
    #[error("more than {MOST} scopes are asked for at once; ask for fewer")]
    TooMany,
    /// It is no scope: which, from 1.
    #[error("scope {0} is not of the form repository:NAME:ACTIONS, or registry:catalog:*")]
    Malformed(usize),
}

/// What `texts` ask for, each of scopes with spaces between, without what is there twice. Resources and actions that
/// the grammar takes and nobody knows here ask for nothing: the specification has partial grants.
///
/// # Errors
/// [`ScopeError`].
pub fn parse_scopes<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<Access>, ScopeError> {
    let mut wanted = Vec::new();
    let scopes = texts.into_iter().flat_map(|text| text.split(' ')).filter(|scope| !scope.is_empty());
    for (index, scope) in scopes.enumerate() {
        if index == MOST {
            return Err(ScopeError::TooMany);
        }
        for access in parse(scope).ok_or(ScopeError::Malformed(index + 1))? {
            if !wanted.contains(&access) {
                wanted.push(access);
            }
        }
    }
    Ok(wanted)
}

/// `None` for what is no scope: `TYPE(CLASS):NAME:ACTION,ACTION`.
fn parse(scope: &str) -> Option<Vec<Access>> {
    let is_word = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
    };
    let (resource, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    let kind = match resource.split_once('(') {
        Some((kind, class)) => is_word(class.strip_suffix(')')?).then_some(kind)?,
        None => resource,
    };
    let actions: Vec<&str> = actions.split(',').collect();
    if !is_word(kind) || !actions.iter().all(|action| *action == "*" || is_word(action)) {
        return None;
    }
    match kind {
        // A name with a host before it has a colon, which no name has.
        "repository" => {
            let name: RepositoryName = name.parse().ok()?;
            Some(of_repository(&name, &actions))
        }
        "registry" => Some(of_registry(name, &actions)),
        _ => name.bytes().all(|byte| byte.is_ascii_graphic()).then(Vec::new).filter(|_| !name.is_empty()),
    }
}

fn of_repository(name: &RepositoryName, actions: &[impl AsRef<str>]) -> Vec<Access> {
    let is_named = |action: &Action| actions.iter().any(|named| ["*", action.as_str()].contains(&named.as_ref()));
    Action::ALL.into_iter().filter(is_named).map(|action| Access::Repository(name.clone(), action)).collect()
}

/// `registry:catalog:*` is Docker's; `registry:blob:pull` is Berth's own.
fn of_registry(name: &str, actions: &[impl AsRef<str>]) -> Vec<Access> {
    let (access, named) = match name {
        "catalog" => (Access::Catalog, "*"),
        "blob" => (Access::AnyBlob, "pull"),
        _ => return Vec::new(),
    };
    if actions.iter().any(|action| action.as_ref() == named) { vec![access] } else { Vec::new() }
}

/// An entry of the claim `access` ("Token Authentication Implementation").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    actions: Vec<String>,
}

impl Entry {
    /// The entries that say `granted`, one for each resource.
    pub(super) fn of(granted: &[Access]) -> Vec<Self> {
        let mut entries: Vec<Self> = Vec::new();
        for access in granted {
            let (kind, name, action) = match access {
                Access::Repository(name, action) => ("repository", name.as_str(), action.as_str()),
                Access::Catalog => ("registry", "catalog", "*"),
                Access::AnyBlob => ("registry", "blob", "pull"),
            };
            match entries.iter_mut().find(|entry| entry.kind == kind && entry.name == name) {
                Some(entry) => entry.actions.push(action.to_owned()),
                None => {
                    let actions = vec![action.to_owned()];
                    entries.push(Self { kind: kind.to_owned(), name: name.to_owned(), actions });
                }
            }
        }
        entries
    }

    /// What it grants: nothing, if it is about something that is not here.
    pub(super) fn access(&self) -> Vec<Access> {
        match (self.kind.as_str(), self.name.parse::<RepositoryName>()) {
            ("repository", Ok(name)) => of_repository(&name, &self.actions),
            ("registry", _) => of_registry(&self.name, &self.actions),
            _ => Vec::new(),
        }
    }
}

/// `granted` as scopes, with spaces between.
pub fn scope(granted: &[Access]) -> String {
    let entries = Entry::of(granted);
    let scope = |Entry { kind, name, actions }: &Entry| format!("{kind}:{name}:{}", actions.join(","));
    entries.iter().map(scope).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<String, ScopeError> {
        parse_scopes([text]).map(|wanted| scope(&wanted))
    }

    #[test]
    fn scopes_are_taken_by_their_grammar() {
        for (text, expected) in [
            ("repository:a/b:pull", "repository:a/b:pull"),
            ("repository:a:push,pull repository:b:delete", "repository:a:pull,push repository:b:delete"),
            ("repository:a:pull repository:a:push,pull", "repository:a:pull,push"),
            ("repository(plugin):a:*", "repository:a:pull,push,delete"),
            ("registry:catalog:*", "registry:catalog:*"),
            ("registry:catalog:pull", ""),
            ("repository:a:pull,read_metadata", "repository:a:pull"),
            ("aws:anything:at:all:pull", ""),
            ("", ""),
            ("  repository:a:pull  ", "repository:a:pull"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(expected), "{text}");
        }
        for text in [
            "repository",
            "repository:a",
            "repository:a:",
            "repository:a:pull,",
            "repository::pull",
            "repository:A:pull",
            "repository:a/../b:pull",
            "repository:host.example:5000/a:pull",
            "repository:a\":pull",
            "repository:a:pull\"",
            "Repository:a:pull",
            "repository(:a:pull",
            "repository():a:pull",
            "repository)x(:a:pull",
            ":a:pull",
            "other::pull",
        ] {
            assert_eq!(read(text), Err(ScopeError::Malformed(1)), "{text}");
        }
        let many = |count: usize| "repository:a:pull ".repeat(count);
        assert!(read(&many(MOST)).is_ok());
        assert_eq!(read(&many(MOST + 1)), Err(ScopeError::TooMany));
    }

    fn any_access() -> impl Strategy<Value = Access> {
        let repository = ("[a-z]{1,3}(/[a-z0-9]{1,3}){0,2}", 0..3usize)
            .prop_map(|(name, action)| Access::Repository(name.parse().unwrap(), Action::ALL[action]));
        prop_oneof![4 => repository, 1 => Just(Access::Catalog)]
    }

    proptest! {
        #[test]
        fn what_is_granted_is_what_is_said(granted in prop::collection::vec(any_access(), 0..12)) {
            let said: Vec<Access> = Entry::of(&granted).iter().flat_map(Entry::access).collect();
            prop_assert!(said.iter().all(|access| granted.contains(access)), "no more");
            prop_assert!(granted.iter().all(|access| said.contains(access)), "no less");
            let asked = parse_scopes([scope(&granted).as_str()]).unwrap();
            prop_assert!(asked.len() <= granted.len() && granted.iter().all(|access| asked.contains(access)));
        }

        #[test]
        fn no_text_asks_for_what_it_does_not_name(text in "[a-z(:),*/\" .]{0,40}") {
            for access in parse_scopes([text.as_str()]).unwrap_or_default() {
                let Access::Repository(name, action) = access else {
                    prop_assert!(text.contains("registry:catalog:"));
                    continue;
                };
                let named = format!(":{name}:");
                prop_assert!(text.contains(&named));
                prop_assert!(text.contains(action.as_str()) || text.contains('*'));
            }
        }
    }
}
