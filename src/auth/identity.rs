//! Who asks, as rules see it.

use std::fmt;

use crate::context::Caller;

/// Who a controller found a request to come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Identity {
    /// Nobody who said a name.
    Anonymous,
    /// A user with a password.
    User(String),
}

impl Identity {
    /// What is known of it, by the name that rules use: `${user}`.
    pub fn claim(&self, name: &str) -> Option<&str> {
        match (self, name) {
            (Self::User(user), "user") => Some(user),
            _ => None,
        }
    }

    /// As logs and contexts have it.
    pub fn caller(&self) -> Caller {
        match self {
            Self::Anonymous => Caller::Anonymous,
            Self::User(name) => Caller::Named(name.clone()),
        }
    }
}

/// As rules write it.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("anonymous"),
            Self::User(name) => write!(f, "user:{name}"),
        }
    }
}
