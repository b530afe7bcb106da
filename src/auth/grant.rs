//! What the one who asks may do.

use std::sync::Arc;

use super::{Access, Action, Identity, Rules};

/// Who asks, and what they may do: for what a request wants, and for what turns out while it is answered.
#[derive(Debug, Clone)]
pub struct Grant {
    identity: Identity,
    /// Without rules, everything.
    rules: Option<Arc<Rules>>,
}

impl Grant {
    /// `identity` may do everything.
    pub fn everything(identity: Identity) -> Self {
        Self { identity, rules: None }
    }

    /// `identity` may do what `rules` allow.
    pub fn by_rules(identity: Identity, rules: Arc<Rules>) -> Self {
        Self { identity, rules: Some(rules) }
    }

    /// Who asks.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Whether they may.
    pub fn allows(&self, access: &Access) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.allow(&self.identity, access).is_some())
    }

    /// Whether they may do `action` in every repository, those included that nobody thought of yet.
    pub fn allows_everywhere(&self, action: Action) -> bool {
        self.rules.as_ref().is_none_or(|rules| rules.allow_everywhere(&self.identity, action))
    }
}
