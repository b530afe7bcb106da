//! Who sent a request, where a policy decides what they may do.

use std::sync::Arc;

use super::Front;
use super::log::Place;
use super::recorded::Arrived;
use crate::iam::{Denial, Need, Principal};

/// The sender of one request, to be asked for every permission that it needs, before anything is carried out but after
/// the signature is verified.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    front: Front,
    place: Place,
    principal: Arc<Principal>,
    request: Arc<Arrived>,
}

impl Caller {
    pub(super) fn new(front: Front, place: Place, principal: Arc<Principal>, request: Arc<Arrived>) -> Self {
        Self { front, place, principal, request }
    }

    /// The request as it was recorded.
    pub(crate) fn request(&self) -> &Arrived {
        &self.request
    }

    /// The `s3:prefix` of the question whether who asked for a missing key may know that it is.
    pub(crate) fn prefix_of_missing(&self, key: &str) -> Option<String> {
        self.front.missing_key_is_prefix.then(|| key.to_owned())
    }

    /// Notes in the request's record what allows it, or that it is denied. `needs` is none for an operation that has no
    /// mapping to permissions.
    ///
    /// # Errors
    /// [`Denial`], unless all `needs` are allowed.
    pub(crate) fn demand(&self, needs: Option<&[Need]>) -> Result<(), Denial> {
        let decision = self.front.identities.decide(&self.principal, &self.request.name(), needs);
        self.front.log.decided(self.place, decision.as_deref());
        decision.map(drop)
    }
}
