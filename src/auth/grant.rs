//! What the one who asks may do.

use std::sync::Arc;

use super::{Access, Action, Identity, Rules};
use crate::name::RepositoryName;

/// Who asks, and what they may do: for what a request wants, and for what turns out while it is answered.
#[derive(Debug, Clone)]
pub struct Grant {
    identity: Identity,
    /// Without rules, everything.
    rules: Option<Arc<Rules>>,
    /// What a token says; without one, nothing bounds the rules.
    token: Option<Arc<[Access]>>,
}

impl Grant {
    /// `identity` may do everything.
    pub fn everything(identity: Identity) -> Self {
        Self { identity, rules: None, token: None }
    }

    /// `identity` may do what `rules` allow.
    pub fn by_rules(identity: Identity, rules: Arc<Rules>) -> Self {
        Self { identity, rules: Some(rules), token: None }
    }

    /// `identity` may do what a token says, as far as `rules`, if there are any, still allow it.
    pub fn by_token(identity: Identity, rules: Option<Arc<Rules>>, access: Vec<Access>) -> Self {
        Self { identity, rules, token: Some(access.into()) }
    }

    /// Who asks.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether they may.
    pub fn allows(&self, access: &Access) -> bool {
        self.token.as_ref().is_none_or(|token| token.contains(access)) && self.rules_allow(access)
    }

    /// Whether they may see, in a list that they may see, that there is such a repository.
    pub fn shows(&self, name: &RepositoryName) -> bool {
        // A token to list has no word about each entry: whoever lets nobody in by rules leaves that to the issuer.
        self.rules_allow(&Access::Repository(name.clone(), Action::Pull))
    }

    /// Whether [`Self::shows`] is true for every repository, those included that nobody thought of yet.
    pub fn shows_all(&self) -> bool {
        self.rules_allow(&Access::AnyBlob)
    }

    fn rules_allow(&self, access: &Access) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.allow(&self.identity, access).is_some())
    }
}
