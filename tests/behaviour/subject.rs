//! A registry under the suite, and what it can.

use std::{collections::BTreeSet, fmt, sync::Arc};

use berth::{
    context::Context,
    distribution::{Namespace, Repository},
    name::RepositoryName,
};

/// What registries, or the ways to them, differ in. A check that needs one of these passes over a subject without it,
/// and so states what the difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Ability {
    /// Blobs are named by sha512 as well.
    OtherAlgorithms,
    /// Manifests are named by sha512 as well.
    ManifestAlgorithms,
    /// Asked by sha512, it says by which sha256 it keeps the content. No answer of the API has a place for that.
    CanonicalNames,
    /// An upload goes on from any earlier state, not from the last alone.
    EarlierStates,
    /// A piece of an upload is taken in its place alone (`Content-Range`).
    Places,
    /// A blob is mounted although nobody says from where.
    MountFromAnywhere,
    /// Content that something names is not deleted.
    Guards,
    /// The manifests of an index must be there.
    CompleteIndexes,
    /// A manifest by its digest sets tags (`tag=`), and goes with them when it is deleted.
    TagsGoWithManifests,
    /// Tags are removed, without what they point at.
    TagDeletion,
    /// A repository whose tags are all gone has an empty list of them.
    EmptyLists,
    /// Detached signatures are kept.
    Signatures,
}

use Ability::{
    CanonicalNames, CompleteIndexes, EarlierStates, EmptyLists, Guards, ManifestAlgorithms, MountFromAnywhere,
    OtherAlgorithms, Places, Signatures, TagDeletion, TagsGoWithManifests,
};

/// All of them.
pub(crate) const ALL: [Ability; 12] = [
    OtherAlgorithms,
    ManifestAlgorithms,
    CanonicalNames,
    EarlierStates,
    Places,
    MountFromAnywhere,
    Guards,
    CompleteIndexes,
    TagsGoWithManifests,
    TagDeletion,
    EmptyLists,
    Signatures,
];

/// What no way over HTTP has.
pub(crate) const NOT_OVER_HTTP: [Ability; 2] = [CanonicalNames, Signatures];

/// A registry. Other content may be in it.
pub(crate) struct Subject {
    pub(crate) registry: Arc<dyn Namespace>,
    pub(crate) ctx: Context,
    abilities: BTreeSet<Ability>,
    /// What the names of this run begin with.
    prefix: String,
}

impl Subject {
    /// `registry`, which can all but `lacks`.
    pub(crate) fn new(registry: Arc<dyn Namespace>, lacks: &[Ability]) -> Self {
        let abilities = ALL.into_iter().filter(|ability| !lacks.contains(ability)).collect();
        let prefix = format!("suite-{}", uuid::Uuid::new_v4().simple());
        Self { registry, ctx: Context::background("suite"), abilities, prefix }
    }

    pub(crate) fn can(&self, ability: Ability) -> bool {
        self.abilities.contains(&ability)
    }

    /// What it cannot.
    pub(crate) fn lacks(&self) -> Vec<Ability> {
        ALL.into_iter().filter(|ability| !self.can(*ability)).collect()
    }

    /// The name of a repository of this run.
    pub(crate) fn name(&self, name: &str) -> RepositoryName {
        format!("{}/{name}", self.prefix).parse().unwrap()
    }

    /// A repository of this run: one that nothing is in, if each check takes names of its own.
    pub(crate) fn repository(&self, name: &str) -> Arc<dyn Repository> {
        self.registry.repository(&self.name(name))
    }
}

impl fmt::Display for Ability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}
