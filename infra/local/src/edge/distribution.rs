//! A distribution: origins and behaviors.

use super::EdgeError;
use super::behavior::Behavior;
use super::origin::Origin;

/// What CloudFront is configured with.
///
/// ```
/// use berth_local::edge::{Behavior, Distribution, Edge, EdgeFunction, EdgeOptions, Origin};
///
/// # fn main() -> Result<(), berth_local::edge::EdgeError> {
/// let function = EdgeFunction::load("function handler(event) { return event.request || event.response; }")?;
/// let distribution = Distribution::new(Behavior::to("registry").function(function))
///     .origin(Origin::url("registry", "http://127.0.0.1:5001")?.header("x-berth-origin", "secret"));
/// let edge = Edge::start(distribution, EdgeOptions::default())?;
/// println!("{}", edge.url());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Distribution {
    pub(super) id: String,
    pub(super) domain_name: String,
    pub(super) origins: Vec<Origin>,
    /// The default is the last: it matches all paths.
    pub(super) behaviors: Vec<Behavior>,
}

impl Distribution {
    /// One with this default behavior.
    pub fn new(default: Behavior) -> Self {
        Self {
            id: "EDFDVBD6EXAMPLE".to_owned(),
            domain_name: "d111111abcdef8.cloudfront.net".to_owned(),
            origins: Vec::new(),
            behaviors: vec![Behavior { path: "*".to_owned(), ..default }],
        }
    }

    /// Gives it an id and a domain name, for events and policies.
    #[must_use]
    pub fn named(mut self, id: impl Into<String>, domain_name: impl Into<String>) -> Self {
        self.id = id.into();
        self.domain_name = domain_name.into();
        self
    }

    /// Adds an origin.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origins.push(origin);
        self
    }

    /// Adds a behavior, which comes after those that were added and before the default.
    #[must_use]
    pub fn behavior(mut self, behavior: Behavior) -> Self {
        self.behaviors.insert(self.behaviors.len() - 1, behavior);
        self
    }

    /// Lets functions know the origins that there are.
    ///
    /// # Errors
    /// [`EdgeError::Origin`] when a behavior is of another.
    pub(super) fn checked(mut self) -> Result<Self, EdgeError> {
        let ids: Vec<String> = self.origins.iter().map(|origin| origin.id.clone()).collect();
        for behavior in &mut self.behaviors {
            if !ids.contains(&behavior.origin) {
                return Err(EdgeError::Origin(behavior.origin.clone()));
            }
            for function in [&mut behavior.viewer_request, &mut behavior.viewer_response].into_iter().flatten() {
                *function = function.clone().origins(ids.iter().cloned());
            }
        }
        Ok(self)
    }

    /// The behavior of a path: the first that matches.
    pub(super) fn behavior_of(&self, path: &str) -> Option<&Behavior> {
        self.behaviors.iter().find(|behavior| behavior.matches(path))
    }

    pub(super) fn origin_of(&self, id: &str) -> Option<&Origin> {
        self.origins.iter().find(|origin| origin.id == id)
    }
}
