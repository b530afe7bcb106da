//! Which versions of the secrets are in use.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The bucket and the folder in it that the registry of a stack is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    bucket: String,
    root: String,
}

impl Location {
    /// Slashes at the ends of `root` do not count.
    pub fn new(bucket: &str, root: &str) -> Self {
        Self { bucket: bucket.to_owned(), root: root.trim_matches('/').to_owned() }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.root)
    }
}

/// What is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) location: Location,
    /// At most two, in the order in which they were made. The key of the first signs, which both of the key value stores that
    /// CloudFront may have at the moment hold: the second's was imported with it, and its own was imported first.
    pub(super) versions: Vec<String>,
    /// The one that CloudFront is to have: one of `versions`.
    pub(super) current: String,
    /// Those that the last change took out of use. Their files go after the change; where that failed, with the next request.
    #[serde(default)]
    pub(super) retired: Vec<String>,
}

impl State {
    pub(super) fn new(version: &str, location: &Location) -> Self {
        let version = version.to_owned();
        Self { location: location.clone(), versions: vec![version.clone()], current: version, retired: Vec::new() }
    }

    pub(super) fn has(&self, version: &str) -> bool {
        self.versions.iter().any(|other| other == version)
    }

    /// After an update to `version`. An update that is taken back leaves the order as it is: CloudFront may have either.
    pub(super) fn with_current(&self, version: &str) -> Self {
        let mut state = self.clone();
        if !state.has(version) {
            state.versions = vec![state.current.clone(), version.to_owned()];
            state.retired = self.versions.iter().filter(|version| !state.has(version)).cloned().collect();
        }
        version.clone_into(&mut state.current);
        state
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever the updates: the signing key is in the key value store that CloudFront has before and after each.
        #[test]
        fn the_first_is_known_to_both_stores_of_an_update(updates in prop::collection::vec("[1-4]", 1..12)) {
            let mut state = State::new("0", &Location::new("bucket", ""));
            // What is imported under the name of a version, the last time that this was made.
            let mut imported = std::collections::BTreeMap::from([("0".to_owned(), state.versions.clone())]);
            for version in updates {
                let before = imported[&state.current].clone();
                let next = state.with_current(&version);
                prop_assert_eq!(&next.current, &version);
                prop_assert!(next.has(&state.current) || state == next);
                if !state.has(&version) {
                    imported.insert(version.clone(), next.versions.clone());
                }
                let after = &imported[&version];
                prop_assert!(before.contains(&next.versions[0]) && after.contains(&next.versions[0]));
                prop_assert_eq!(next.with_current(&version), next.clone());
                state = next;
            }
        }
    }

    #[test]
    fn a_location_is_the_same_with_and_without_slashes() {
        assert_eq!(Location::new("b", "/some/where/"), Location::new("b", "some/where"));
        assert_ne!(Location::new("b", "some"), Location::new("c", "some"));
        assert_eq!(Location::new("b", "").to_string(), "s3://b/");
    }
}
