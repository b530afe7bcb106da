//! Bearer tokens (Docker Registry v2 authentication, "Token Authentication Specification"): who takes them, and who
//! gives them out.
//!
//! | what | does |
//! |---|---|
//! | [`Bearer`] | lets in who has a token of this registry's own service |
//! | [`External`] | lets in who has a token of another's, as distribution's `auth.token` does |
//! | [`TokenService`] | gives out this registry's own tokens, for a proof |
//! | [`SigningKeys`] | sign and verify those; all instances share them |

mod bearer;
mod certificates;
mod challenge;
mod external;
mod keys;
mod place;
mod scope;
mod service;
mod ticket;

use super::{Access, Identity, Rules};

pub use bearer::Bearer;
pub use certificates::{CertificateError, keys_of_certificates};
pub use external::{External, ExternalOptions};
pub use keys::SigningKeys;
pub use scope::{ScopeError, parse_scopes, scope};
pub use service::{Ask, Issued, NoToken, Proof, TokenService};

/// Whether a token may grant `access` to `identity`: as `rules` say; without rules, to whoever has a name.
fn may_grant(rules: Option<&Rules>, identity: &Identity, access: &Access) -> bool {
    match rules {
        Some(rules) => rules.allow(identity, access).is_some(),
        None => *identity != Identity::Anonymous,
    }
}
