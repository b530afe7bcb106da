//! What rules may know of a token.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::auth::{OidcIdentity, jws::Registered, proof::ProofError};

/// The most claims of one token.
const MOST: usize = 64;

/// The longest claim, in bytes.
const LONGEST: usize = 1 << 10;

/// Claims that say something of the token rather than of whom it is about, or are known otherwise.
const OF_THE_TOKEN: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// Whom a token is about that says `payload`. Texts, numbers and truth values become claims; lists and objects do not,
/// since a rule could not say what it means by them. A claim that is too long is left out, and matches no rule.
pub(super) fn identity(registered: Registered, payload: &[u8]) -> Result<OidcIdentity, ProofError> {
    let Registered { iss: issuer, sub: subject, .. } = registered;
    if subject.is_empty() || subject.len() > LONGEST {
        return Err(ProofError::wrong("the token does not say whom it is about (sub), in 1 to 1024 bytes"));
    }
    let all: Map<String, Value> =
        serde_json::from_slice(payload).map_err(|_| ProofError::wrong("the token's claims cannot be read"))?;
    let mut claims = BTreeMap::new();
    for (name, value) in all {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => continue,
        };
        if !OF_THE_TOKEN.contains(&name.as_str()) && name.len() <= LONGEST && text.len() <= LONGEST {
            claims.insert(name, text);
        }
    }
    if claims.len() > MOST {
        return Err(ProofError::Wrong(format!("the token has more than {MOST} claims")));
    }
    Ok(OidcIdentity { issuer, subject, claims })
}
