//! How a client is asked for a token (RFC 6750, section 3; Docker's "Token Authentication Specification").

use http::HeaderValue;

use super::{
    super::{Access, Action, Refusal},
    bearer::LOG_IN,
    scope::scope,
};

/// What is wrong with what a client has sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing: it sent nothing that this scheme knows.
    None,
    /// Its token is not taken.
    InvalidToken,
    /// Its token grants something else.
    InsufficientScope,
    /// Its token grants all that anybody may who says no name.
    Anonymous,
}

/// Whom a client asks for a token. Neither text has quotes or backslashes in it.
pub(super) struct Issuer<'a> {
    pub(super) realm: &'a str,
    pub(super) service: &'a str,
}

/// Asks the client to get a token from `issuer` that grants `wanted`; `reason` is for people.
pub(super) fn refuse(issuer: &Issuer<'_>, wanted: &[Access], fault: Fault, reason: impl ToString) -> Refusal {
    let Issuer { realm, service } = issuer;
    let mut text = format!("Bearer realm=\"{realm}\",service=\"{service}\"");
    if !wanted.is_empty() {
        text += &format!(",scope=\"{}\"", scope(&to_ask_for(wanted)));
    }
    text += &match fault {
        Fault::None => String::new(),
        Fault::InvalidToken => ",error=\"invalid_token\"".to_owned(),
        Fault::InsufficientScope => ",error=\"insufficient_scope\"".to_owned(),
        // Docker shows this, and not what the body says.
        Fault::Anonymous => format!(",error=\"insufficient_scope\",error_description=\"{LOG_IN}\""),
    };
    // Realm and service are checked where they come from; what else is here is made of names that a grammar took.
    let challenge = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static("Bearer"));
    Refusal::Unknown { challenge, reason: reason.to_string() }
}

/// Who pushes also asks what is there already.
fn to_ask_for(wanted: &[Access]) -> Vec<Access> {
    let with_pull = |access: &Access| match access {
        Access::Repository(name, Action::Push) => vec![Access::Repository(name.clone(), Action::Pull), access.clone()],
        other => vec![other.clone()],
    };
    wanted.iter().flat_map(with_pull).collect()
}
