//! Names and the hashes of their passwords.

use std::collections::HashMap;

use bcrypt::HashParts;

/// Users by name, one at least.
pub struct Users {
    hashes: HashMap<String, String>,
    /// A hash that no password has, as costly as the costliest of the others.
    decoy: String,
}

/// What is wrong with a list of users. Shows no hash.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UsersError {
    /// There is nobody in it.
    #[error("names no user; make a line for one with: htpasswd -nB NAME")]
    Empty,
    /// An entry has no colon, or nothing before it.
    #[error("entry {0}: not NAME:HASH; make one with: htpasswd -nB NAME")]
    Shape(usize),
    /// The hash is not bcrypt's.
    #[error("entry {at}: the hash of {name:?} is not bcrypt's ($2y$..); make one with: htpasswd -nB {name}")]
    Hash {
        /// Which one, from 1.
        at: usize,
        /// Whose.
        name: String,
    },
    /// One name has two entries.
    #[error("entry {at}: {name:?} is there a second time; leave one")]
    Twice {
        /// Which one, from 1.
        at: usize,
        /// Whose.
        name: String,
    },
}

/// What follows a hash's algorithm, cost and salt: base64 of nothing but zeros.
const NOTHING: &str = "...............................";

impl Users {
    /// Reads a file: a user a line, `NAME:HASH`; empty lines, and those that begin with `#`, say nothing.
    ///
    /// # Errors
    /// [`UsersError`], counted in lines.
    pub fn parse_file(text: &str) -> Result<Self, UsersError> {
        let lines = text.lines().map(str::trim).enumerate();
        Self::parse(lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')))
    }

    /// Reads one value, as a variable holds it: users as in a file, with commas or white space between them.
    ///
    /// # Errors
    /// [`UsersError`], counted in users.
    pub fn parse_value(text: &str) -> Result<Self, UsersError> {
        let entries = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        Self::parse(entries.enumerate())
    }

    fn parse<'a>(entries: impl Iterator<Item = (usize, &'a str)>) -> Result<Self, UsersError> {
        let (mut hashes, mut costliest) = (HashMap::new(), None);
        for (index, entry) in entries {
            let at = index + 1;
            let (name, hash) =
                entry.split_once(':').filter(|(name, _)| !name.is_empty()).ok_or(UsersError::Shape(at))?;
            let name = name.to_owned();
            let Some(cost) = cost(hash) else { return Err(UsersError::Hash { at, name }) };
            if costliest.as_ref().is_none_or(|(highest, _)| cost > *highest) {
                costliest = Some((cost, hash.to_owned()));
            }
            if hashes.insert(name.clone(), hash.to_owned()).is_some() {
                return Err(UsersError::Twice { at, name });
            }
        }
        let (_, hash) = costliest.ok_or(UsersError::Empty)?;
        let decoy = format!("{}{NOTHING}", &hash[..hash.len() - NOTHING.len()]);
        Ok(Self { hashes, decoy })
    }

    /// The hash of `name`'s password.
    pub(super) fn hash(&self, name: &str) -> Option<&str> {
        self.hashes.get(name).map(String::as_str)
    }

    /// What to check the password of an unknown name against.
    pub(super) fn decoy(&self) -> &str {
        &self.decoy
    }
}

/// The cost of a bcrypt hash, the power of two that its rounds are; `None` if it is none.
fn cost(hash: &str) -> Option<u32> {
    let is_whole = hash.len() == 60 && hash.is_ascii();
    let parts: HashParts = hash.parse().ok().filter(|_| is_whole)?;
    Some(parts.get_cost())
}
