//! What a token is for ("Docker Registry v2 Bearer token specification", distribution: scopes).

use std::collections::{BTreeMap, BTreeSet};

use crate::name::RepositoryName;

/// Resources that a registry may ask for in one challenge; what is beyond is passed over.
const MOST: usize = 16;

/// Actions by resource, as in `repository:library/app` and `pull`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::client) struct Scopes(BTreeMap<String, BTreeSet<String>>);

impl Scopes {
    /// Nothing in particular.
    pub(in crate::client) fn none() -> Self {
        Self::default()
    }

    /// To read from `name`.
    pub(in crate::client) fn pull(name: &RepositoryName) -> Self {
        Self::repository(name, &["pull"])
    }

    /// To write to `name`, which goes with reading.
    pub(in crate::client) fn push(name: &RepositoryName) -> Self {
        Self::repository(name, &["pull", "push"])
    }

    /// To delete from `name`.
    pub(in crate::client) fn delete(name: &RepositoryName) -> Self {
        Self::repository(name, &["pull", "delete"])
    }

    /// To list repositories.
    pub(in crate::client) fn catalog() -> Self {
        Self::of("registry:catalog".to_owned(), &["*"])
    }

    fn repository(name: &RepositoryName, actions: &[&str]) -> Self {
        Self::of(format!("repository:{name}"), actions)
    }

    fn of(resource: String, actions: &[&str]) -> Self {
        Self(BTreeMap::from([(resource, actions.iter().map(|&action| action.to_owned()).collect())]))
    }

    /// What `text`, a challenge's, asks for.
    pub(super) fn read(text: &str) -> Self {
        let scopes = text.split_whitespace().filter_map(|scope| scope.rsplit_once(':')).take(MOST);
        Self(
            scopes
                .map(|(resource, actions)| (resource.to_owned(), actions.split(',').map(str::to_owned).collect()))
                .collect(),
        )
    }

    /// Those that are for no repository, and so for what is done in any.
    pub(super) fn beyond_repositories(&self) -> Self {
        let kept = self.0.iter().filter(|(resource, _)| !resource.starts_with("repository:"));
        Self(kept.map(|(resource, actions)| (resource.clone(), actions.clone())).collect())
    }

    /// All of both.
    #[must_use]
    pub(in crate::client) fn and(mut self, other: Self) -> Self {
        for (resource, actions) in other.0 {
            self.0.entry(resource).or_default().extend(actions);
        }
        self
    }

    /// Whether all that `other` holds is in here.
    pub(super) fn cover(&self, other: &Self) -> bool {
        other.0.iter().all(|(resource, actions)| self.0.get(resource).is_some_and(|here| actions.is_subset(here)))
    }

    /// One text for each resource.
    pub(super) fn texts(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(|(resource, actions)| {
            let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
            format!("{resource}:{}", actions.join(","))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_token_is_good_for() {
        let app = "team/app".parse().unwrap();
        let both = Scopes::push(&app).and(Scopes::read("repository:team/base:pull registry:catalog:*"));
        assert!(both.cover(&Scopes::pull(&app)) && both.cover(&Scopes::catalog()) && both.cover(&Scopes::none()));
        assert!(!both.cover(&Scopes::delete(&app)));
        assert!(!Scopes::none().cover(&Scopes::pull(&app)));
        let texts: Vec<_> = both.texts().collect();
        assert_eq!(texts, ["registry:catalog:*", "repository:team/app:pull,push", "repository:team/base:pull"]);
        assert_eq!(Scopes::read("repository:host:5000/a:pull").texts().next().unwrap(), "repository:host:5000/a:pull");
        assert_eq!(Scopes::read(&"a:b:c ".repeat(1000)).0.len(), 1);
        let beyond = Scopes::read("repository:team/app:push registry:blob:pull").beyond_repositories();
        assert_eq!(beyond.texts().collect::<Vec<_>>(), ["registry:blob:pull"]);
    }
}
